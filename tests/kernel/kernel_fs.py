"""The names of `layersim.Overlay`, carried out by the kernel on this process's own root."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True)
class KernelFile:
    """An open descriptor with the methods of `layersim.File`."""

    descriptor: int

    def read(self, size: int = -1, /) -> bytes:
        return os.read(self.descriptor, 1 << 30 if size < 0 else size)

    def write(self, data: bytes, /) -> int:
        return os.write(self.descriptor, data)

    def pread(self, size: int, offset: int, /) -> bytes:
        return os.pread(self.descriptor, size, offset)

    def pwrite(self, data: bytes, offset: int, /) -> int:
        return os.pwrite(self.descriptor, data, offset)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return os.lseek(self.descriptor, offset, whence)

    def truncate(self, size: int, /) -> int:
        os.ftruncate(self.descriptor, size)
        return size

    def stat(self) -> os.stat_result:
        return os.fstat(self.descriptor)

    def close(self) -> None:
        os.close(self.descriptor)


class KernelFs:
    """The process's root, as an overlay's methods name it."""

    truncate = staticmethod(os.truncate)
    mkdir = staticmethod(os.mkdir)
    rmdir = staticmethod(os.rmdir)
    unlink = staticmethod(os.unlink)
    rename = staticmethod(os.rename)
    symlink = staticmethod(os.symlink)
    readlink = staticmethod(os.readlink)
    mknod = staticmethod(os.mknod)
    chmod = staticmethod(os.chmod)
    chown = staticmethod(os.chown)
    utime = staticmethod(os.utime)
    stat = staticmethod(os.stat)
    lstat = staticmethod(os.lstat)
    listdir = staticmethod(os.listdir)
    setxattr = staticmethod(os.setxattr)
    getxattr = staticmethod(os.getxattr)
    listxattr = staticmethod(os.listxattr)
    removexattr = staticmethod(os.removexattr)

    def walk(self, path: str) -> list[tuple[str, list[str], list[str]]]:
        os.scandir(path).close()  # `os.walk` would not say that it cannot begin
        return list(os.walk(path))

    def as_user(self, uid: int, gids: Sequence[int]) -> AsUser:
        return AsUser(self, uid, gids)

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> KernelFile:
        return KernelFile(os.open(path, flags, mode))

    def link(self, src: str, dst: str) -> None:
        os.link(src, dst, follow_symlinks=False)


class AsUser:
    """Calls the methods of something with the ids of a user, and those of a file that it opens."""

    def __init__(self, fs: KernelFs | KernelFile, uid: int, gids: Sequence[int]) -> None:
        self._fs, self._uid, self._gids = fs, uid, gids

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._fs, name)

        def call(*arguments: object, **options: object) -> object:
            with _ids(self._uid, self._gids):
                done = method(*arguments, **options)
            return AsUser(done, self._uid, self._gids) if isinstance(done, KernelFile) else done

        return call


@contextmanager
def _ids(uid: int, gids: Sequence[int]) -> Iterator[None]:
    """Act as a user: the kernel takes all capabilities from a process whose effective user is not root."""
    os.setgroups(gids)
    os.setresgid(-1, gids[0], -1)
    os.setresuid(-1, uid, -1)
    try:
        yield
    finally:
        os.setresuid(-1, 0, -1)
        os.setresgid(-1, 0, -1)
        os.setgroups([])
