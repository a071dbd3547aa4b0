"""A file tree as comparable values, read alike from a disk, a view or an overlay."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layersim.testing import Node, tree_of

if TYPE_CHECKING:
    from layersim.testing.trees import Readable

STAMPED_BEFORE_NS = 1_600_000_000 * 10**9
"""Every time that a test sets on purpose is older; what is newer is a clock's reading."""


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


def snapshot(fs: Readable, top: str = "/", *, with_xattrs: bool = True) -> dict[str, Node]:
    """Read the whole tree below `top`, the root itself left out; a time that no test stamped counts as None."""
    return tree_of(fs, top, with_xattrs=with_xattrs, times_before_ns=STAMPED_BEFORE_NS)


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
