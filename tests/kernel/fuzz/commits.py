"""A committed upper as rows: what its tar must hold by the kernel's directory, and what ours holds."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import TYPE_CHECKING, NamedTuple

from tests.kernel.fuzz.mounts import CAPABILITY
from tests.kernel.mount import OPAQUE
from tests.tars import sha256
from tests.trees import STAMPED_BEFORE_NS

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
}
MEMBERS = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.FIFOTYPE: "fifo",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
}
HEADER = "SCHILY.xattr." + CAPABILITY


class Row(NamedTuple):
    """One member; a time of the clock counts as None, and names of one inode share a row of their first name."""

    kind: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    content: str = ""
    device: tuple[int, int] = (0, 0)
    capability: bytes | None = None
    mtime: int | None = None
    names: tuple[str, ...] = ()


MARK = Row("mark")


def _time(seconds: int) -> int | None:
    return seconds if seconds * 10**9 <= STAMPED_BEFORE_NS else None


def rows_of_the_kernel(upper: Path) -> dict[str, Row]:
    """Read an upper directory as the members that Docker writes of it."""
    rows: dict[str, Row] = {}
    inodes: dict[int, list[str]] = {}
    for directory, folders, files in os.walk(upper):
        for name in (*folders, *files):
            path = os.path.relpath(os.path.join(directory, name), upper)
            found = os.lstat(upper / path)
            if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
                rows[os.path.join(os.path.dirname(path), f".wh.{name}")] = MARK
            elif not stat.S_ISSOCK(found.st_mode):
                rows[path] = _row(upper, path, found)
                if not stat.S_ISDIR(found.st_mode):
                    inodes.setdefault(found.st_ino, []).append(path)
                elif _xattr(str(upper / path), OPAQUE) == b"y":
                    rows[f"{path}/.wh..wh..opq"] = MARK
    return _with_names(rows, list(inodes.values()))


def _row(upper: Path, path: str, found: os.stat_result) -> Row:
    on_disk, kind = str(upper / path), TYPES[stat.S_IFMT(found.st_mode)]
    content = os.readlink(on_disk) if kind == "symlink" else ""
    if kind == "file":
        with open(on_disk, "rb") as file:
            content = sha256(file.read())
    device = (os.major(found.st_rdev), os.minor(found.st_rdev)) if kind in {"char", "block"} else (0, 0)
    mode, time = stat.S_IMODE(found.st_mode), _time(found.st_mtime_ns // 10**9)
    return Row(kind, mode, found.st_uid, found.st_gid, content, device, _xattr(on_disk, CAPABILITY), time)


def _xattr(path: str, name: str) -> bytes | None:
    has = name in os.listxattr(path, follow_symlinks=False)
    return os.getxattr(path, name, follow_symlinks=False) if has else None


def rows_of_a_tar(tar: bytes) -> dict[str, Row]:
    """Read a layer's members; a hard link is another name of what it leads to."""
    rows: dict[str, Row] = {}
    names: dict[str, list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            path = member.name.strip("/")
            if member.islnk():
                rows[path] = rows[member.linkname.strip("/")]
                names[member.linkname.strip("/")].append(path)
            elif os.path.basename(path).startswith(".wh."):
                rows[path] = MARK
            else:
                rows[path] = _of_member(archive, member)
                if not member.isdir():
                    names[path] = [path]
    return _with_names(rows, list(names.values()))


def _of_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Row:
    content = member.linkname if member.issym() else ""
    if member.isreg():
        body = archive.extractfile(member)
        content = sha256(body.read() if body else b"")
    capability = member.pax_headers.get(HEADER)
    return Row(
        MEMBERS[member.type],
        member.mode & 0o7777,
        member.uid,
        member.gid,
        content,
        (member.devmajor, member.devminor) if member.type in {tarfile.CHRTYPE, tarfile.BLKTYPE} else (0, 0),
        None if capability is None else capability.encode("utf-8", "surrogateescape"),
        _time(int(member.mtime)),
    )


def _with_names(rows: dict[str, Row], inodes: list[list[str]]) -> dict[str, Row]:
    for names in inodes:
        for name in names:
            rows[name] = rows[name]._replace(names=tuple(sorted(names)))
    return rows
