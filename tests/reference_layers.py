"""Layers, inodes and open files in the plainest Python, for `tests.reference_overlay`: a layer is a dict of paths."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.tars import Entry

Path: TypeAlias = tuple[str, ...]
KINDS = {
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}
OPAQUE = ".wh..wh..opq"


@dataclass(eq=False)
class Thing:
    """An inode; kind 0 is a whiteout."""

    kind: int
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    data: bytes = b""
    target: str = ""
    is_opaque: bool = False
    xattrs: dict[str, bytes] = field(default_factory=dict)


Layer: TypeAlias = dict[Path, Thing]


@dataclass(frozen=True)
class Status:
    """What `lstat` answers."""

    st_mode: int
    st_uid: int
    st_gid: int
    st_size: int
    st_nlink: int
    st_rdev: int = 0
    st_mtime_ns: int = 0


@dataclass
class Handle:
    """An open file: it holds its inode, not its name."""

    thing: Thing

    def read(self) -> bytes:
        if self.thing.kind == stat.S_IFDIR:
            raise fail(errno.EISDIR)
        return self.thing.data

    def write(self, data: bytes) -> int:
        self.thing.data += data
        return len(data)

    def close(self) -> None:
        """Nothing is to be done."""


def fail(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def layer_of(entries: Iterable[Entry]) -> Layer:
    """Read the members of a layer; directories above them are implied."""
    layer: Layer = {(): Thing(stat.S_IFDIR)}
    for entry in entries:
        path = tuple(entry.path.split("/"))
        for depth in range(len(path)):
            layer.setdefault(path[:depth], Thing(stat.S_IFDIR))
        if path[-1] == OPAQUE:
            layer[path[:-1]].is_opaque = True
        elif path[-1].startswith(".wh."):
            layer[(*path[:-1], path[-1].removeprefix(".wh."))] = Thing(0)
        elif entry.kind == tarfile.LNKTYPE:
            layer[path] = layer[tuple(entry.target.split("/"))]
        else:
            kind, xattrs = KINDS[entry.kind], dict(entry.xattrs)
            layer[path] = Thing(kind, entry.mode, entry.uid, entry.gid, entry.content, entry.target, xattrs=xattrs)
    return layer
