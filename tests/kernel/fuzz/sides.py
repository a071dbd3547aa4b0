"""Both file systems under one list of calls: what a sequence does, and what of a real mount is nobody's promise."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from typing import TYPE_CHECKING, NoReturn

import layersim as ls
from tests.kernel.kernel_fs import KernelFile, KernelFs
from tests.kernel.operations import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kernel.operations import Operation

SYS_FCHMODAT2 = 452
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
_LIBC = ctypes.CDLL(None, use_errno=True)


class WideKernelFs(KernelFs):
    """All that an overlay can be asked for, carried out by the kernel.

    Left out are things that a mount does not answer alike twice or that no simulation has: times of access and of
    change, inode numbers, the order of a listing, what is behind a fifo or a device.
    """

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> KernelFile:
        if not flags & os.O_PATH and not flags & os.O_DIRECTORY and flags & (os.O_CREAT | os.O_EXCL) != _NEW:
            self._refuse_special(path, flags)
        return KernelFile(os.open(path, flags, mode))

    def _refuse_special(self, path: str, flags: int) -> None:
        """Behind a fifo or a device something may be; here it is said that there is nothing."""
        try:
            handle = os.open(path, os.O_PATH | flags & os.O_NOFOLLOW)
        except OSError:
            return
        kind = stat.S_IFMT(os.fstat(handle).st_mode)
        os.close(handle)
        if kind not in {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), path)

    def link(self, src: str, dst: str, *, follow_symlinks: bool = False) -> None:
        if not follow_symlinks:
            os.link(src, dst, follow_symlinks=False)
            return
        # With a directory Python calls linkat, which can follow; link(2) does not.
        root = os.open("/", os.O_PATH)
        try:
            os.link(src, dst, src_dir_fd=root, dst_dir_fd=root, follow_symlinks=True)
        finally:
            os.close(root)

    def change_mode(self, path: str, mode: int, *, follow_symlinks: bool) -> None:
        if follow_symlinks:
            os.chmod(path, mode)
        elif _LIBC.syscall(SYS_FCHMODAT2, AT_FDCWD, os.fsencode(path), mode, AT_SYMLINK_NOFOLLOW):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)

    def names(self, path: str) -> list[str]:
        """The kernel lists a whiteout below a directory that merges with nothing, though no lookup finds it."""
        return [name for name in os.listdir(path) if _is_there(path, name)]

    def tree(self, path: str) -> Iterator[tuple[str, list[str], list[str]]]:
        for place, dirs, files in os.walk(path, onerror=_fail):
            yield place, dirs, [name for name in files if _is_there(place, name)]

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def fork(self) -> WideKernelFs:
        return self


_NEW = os.O_CREAT | os.O_EXCL


def _is_there(path: str, name: str) -> bool:
    # By the directory, because the whole path may be too long.
    folder = os.open(path, os.O_PATH)
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    finally:
        os.close(folder)
    return True


def _fail(error: OSError) -> NoReturn:
    raise error


class WideSession(Session):
    """Every call, links followed and not followed; commits are the business of who drives it."""

    def release_all(self) -> None:
        for slot in list(self.handles):
            self.do_release(slot)

    def do_read_bytes(self, path: str) -> bytes:
        return self.do_read(path) if self._is_kernel else bytes(self.fs.read_bytes(path))

    def do_write_bytes(self, path: str, data: bytes) -> int:
        if not self._is_kernel:
            return int(self.fs.write_bytes(path, data))
        handle = self.fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            return int(handle.write(data))
        finally:
            handle.close()

    def do_listdir(self, path: str) -> list[str]:
        return sorted(self.fs.names(path) if self._is_kernel else self.fs.listdir(path))

    def do_walk(self, path: str) -> list[tuple[str, list[str], list[str]]]:
        walked = self.fs.tree(path) if self._is_kernel else self.fs.walk(path)
        return sorted((place, sorted(dirs), sorted(files)) for place, dirs, files in walked)

    def do_exists(self, path: str) -> bool:
        return bool(self.fs.exists(path))

    def do_fstat(self, slot: int) -> tuple[object, ...] | None:
        """Describe an open file; of a directory, which may be copied up and removed by now, say that it is one."""
        seen = super().do_fstat(slot)
        return seen[:1] if seen and seen[0] == "dir" else seen

    def do_tell(self, slot: int) -> int | None:
        if slot not in self.handles:
            return None
        handle = self.handles[slot]
        return int(handle.seek(0, os.SEEK_CUR) if self._is_kernel else handle.tell())

    def do_link_followed(self, source: str, target: str) -> None:
        self.fs.link(source, target, follow_symlinks=True)

    def do_remove_tree(self, path: str) -> None:
        """Remove what is below in one order, then the path itself."""
        if stat.S_ISDIR(self.fs.lstat(path).st_mode):
            for name in self.do_listdir(path):
                self.do_remove_tree(f"{path}/{name}")
            self.fs.rmdir(path)
        else:
            self.fs.unlink(path)

    def do_chmod_at(self, path: str, mode: int, follow: int) -> None:
        change = self.fs.change_mode if self._is_kernel else self.fs.chmod
        change(path, mode, follow_symlinks=bool(follow))

    def do_chown_at(self, path: str, uid: int, gid: int, follow: int) -> None:
        self.fs.chown(path, uid, gid, follow_symlinks=bool(follow))

    def do_utime_at(self, path: str, atime_ns: int, mtime_ns: int, follow: int) -> None:
        self.fs.utime(path, ns=(atime_ns, mtime_ns), follow_symlinks=bool(follow))

    def do_touch(self, path: str) -> None:
        self.fs.utime(path)

    def do_setxattr_at(self, path: str, name: str, value: bytes, flags: int, follow: int) -> None:
        self.fs.setxattr(path, name, value, flags, follow_symlinks=bool(follow))

    def do_getxattr_at(self, path: str, name: str, follow: int) -> bytes:
        return bytes(self.fs.getxattr(path, name, follow_symlinks=bool(follow)))

    def do_removexattr_at(self, path: str, name: str, follow: int) -> None:
        self.fs.removexattr(path, name, follow_symlinks=bool(follow))

    def do_listxattr_at(self, path: str, follow: int) -> list[str]:
        return sorted(self.fs.listxattr(path, follow_symlinks=bool(follow)))

    def do_fork(self) -> None:
        """Go on with a fork; no file stays open, for it would be one of the other."""
        self.release_all()
        self.fs = self.fs.fork()

    def do_detour(self, operations: list[Operation]) -> None:
        """Do something and take it back, which only ours can: nothing of it may be seen."""
        self.release_all()
        if isinstance(self.fs, ls.Overlay):
            before, beside = self.fs.snapshot(), WideSession(self.fs)
            for operation in operations:
                beside.perform(operation)
            self.fs.rollback(before)

    @property
    def _is_kernel(self) -> bool:
        return isinstance(self.fs, WideKernelFs)
