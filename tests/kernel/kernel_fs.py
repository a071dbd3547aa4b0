"""The names of `layersim.Overlay`, carried out by the kernel on this process's own root."""

from __future__ import annotations

import os
from dataclasses import dataclass


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
    walk = staticmethod(os.walk)
    setxattr = staticmethod(os.setxattr)
    getxattr = staticmethod(os.getxattr)
    listxattr = staticmethod(os.listxattr)
    removexattr = staticmethod(os.removexattr)

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> KernelFile:
        return KernelFile(os.open(path, flags, mode))

    def link(self, src: str, dst: str) -> None:
        os.link(src, dst, follow_symlinks=False)
