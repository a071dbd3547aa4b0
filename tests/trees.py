"""A file tree as comparable values, read alike from a disk, a view or an overlay."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

STAMPED_BEFORE_NS = 1_600_000_000 * 10**9
"""Every time that a test sets on purpose is older; what is newer is a clock's reading."""


class Status(Protocol):
    """The part of a stat result that is compared."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_rdev(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_nlink(self) -> int: ...


class Readable(Protocol):
    """What `layersim.View`, `layersim.Overlay` and `Disk` have in common."""

    def lstat(self, path: str, /) -> Status: ...
    def listdir(self, path: str, /) -> list[str]: ...
    def readlink(self, path: str, /) -> str: ...
    def read_bytes(self, path: str, /) -> bytes: ...
    def listxattr(self, path: str, /, *, follow_symlinks: bool = True) -> list[str]: ...
    def getxattr(self, path: str, name: str, /, *, follow_symlinks: bool = True) -> bytes: ...


class Node(NamedTuple):
    """One path of a tree: all that a reader of the file system can see."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    rdev: int
    mtime_ns: int | None
    target: str | None
    xattrs: tuple[tuple[str, bytes], ...]
    content: str | None


@dataclass(frozen=True)
class Disk:
    """A directory of the host, read as if it were the root of a file system."""

    root: Path

    def _at(self, path: str) -> str:
        return f"{self.root}/{path.lstrip('/')}"

    def lstat(self, path: str, /) -> os.stat_result:
        return os.lstat(self._at(path))

    def listdir(self, path: str, /) -> list[str]:
        # The kernel lists a whiteout below a directory that merges with nothing, though no lookup finds it.
        return [name for name in os.listdir(self._at(path)) if os.path.lexists(self._at(f"{path}/{name}"))]

    def readlink(self, path: str, /) -> str:
        return os.readlink(self._at(path))

    def read_bytes(self, path: str, /) -> bytes:
        return Path(self._at(path)).read_bytes()

    def listxattr(self, path: str, /, *, follow_symlinks: bool = True) -> list[str]:
        return os.listxattr(self._at(path), follow_symlinks=follow_symlinks)

    def getxattr(self, path: str, name: str, /, *, follow_symlinks: bool = True) -> bytes:
        return os.getxattr(self._at(path), name, follow_symlinks=follow_symlinks)


KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFSOCK: "socket",
}


def node(fs: Readable, path: str, *, with_xattrs: bool = True) -> Node:
    """Read one path, not following a link in its last component.

    A directory's size and time are left out: engines set them from the clock.
    A time that no test stamped counts as None.
    """
    found = fs.lstat(path)
    kind = KINDS[stat.S_IFMT(found.st_mode)]
    is_dir = kind == "dir"
    return Node(
        kind=kind,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        size=0 if is_dir else found.st_size,
        rdev=found.st_rdev if kind in {"char", "block"} else 0,
        mtime_ns=None if is_dir or found.st_mtime_ns > STAMPED_BEFORE_NS else found.st_mtime_ns,
        target=fs.readlink(path) if kind == "symlink" else None,
        xattrs=_xattrs(fs, path) if with_xattrs else (),
        content=hashlib.sha256(fs.read_bytes(path)).hexdigest() if kind == "file" else None,
    )


def _xattrs(fs: Readable, path: str) -> tuple[tuple[str, bytes], ...]:
    names = sorted(
        name for name in fs.listxattr(path, follow_symlinks=False) if not name.startswith("trusted.overlay.")
    )
    return tuple((name, fs.getxattr(path, name, follow_symlinks=False)) for name in names)


def snapshot(fs: Readable, top: str = "/", *, with_xattrs: bool = True) -> dict[str, Node]:
    """Read the whole tree below `top`, the root itself left out."""
    nodes: dict[str, Node] = {}
    pending = [top.rstrip("/")]
    while pending:
        directory = pending.pop()
        for name in fs.listdir(directory or "/"):
            path = f"{directory}/{name}"
            nodes[path] = node(fs, path, with_xattrs=with_xattrs)
            if nodes[path].kind == "dir":
                pending.append(path)
    return nodes


def differences(expected: dict[str, Node], actual: dict[str, Node]) -> list[str]:
    """Tell, one line a path, where two trees disagree; [] when they are equal."""
    lines = []
    for path in sorted(expected.keys() | actual.keys()):
        wanted, found = expected.get(path), actual.get(path)
        if wanted is None or found is None:
            lines.append(f"{path!r}: expected {wanted}, got {found}")
        elif wanted != found:
            fields = [
                f"{name} {getattr(wanted, name)!r} became {getattr(found, name)!r}"
                for name in Node._fields
                if getattr(wanted, name) != getattr(found, name)
            ]
            lines.append(f"{path!r}: " + ", ".join(fields))
    return lines


def blocks_size(folder: Path) -> int:
    """Return the bytes of all blocks that a directory and what is in it have on disk, each inode once."""
    inodes: dict[int, int] = {}
    for directory, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            found = os.lstat(os.path.join(directory, name))
            inodes[found.st_ino] = found.st_blocks * 512
    return sum(inodes.values())


def is_on_ext4(folder: Path) -> bool:
    """Whether blocks here are those of ext4."""
    kind = subprocess.run(["stat", "--file-system", "--format", "%t", str(folder)], capture_output=True, check=True)
    return kind.stdout.strip() == b"ef53"


def inode_size(root: Path) -> int:
    """Sum `st_size` over distinct inodes, directories left out (accounting.md section 1, INODE)."""
    sizes: dict[tuple[int, int], int] = {}
    for directory, folders, files in os.walk(root):
        for name in folders + files:
            found = os.lstat(os.path.join(directory, name))
            if not stat.S_ISDIR(found.st_mode):
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())
