"""One file operation as a tuple, carried out on anything that has the methods of `layersim.Overlay`."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any, TypeAlias

from layersim.testing.trees import KINDS
from tests.trees import STAMPED_BEFORE_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.testing.trees import Status

Operation: TypeAlias = tuple[Any, ...]
"""A method of `Session`, then its arguments: `("rename", "/a", "/b")`."""

User: TypeAlias = tuple[int, tuple[int, ...]]
"""The uid and the groups, that of new files first."""

Outcome: TypeAlias = tuple[str, Any]
"""`("ok", value)` or `("error", "ENOENT")`."""


FileSystem: TypeAlias = Any
"""`layersim.Overlay`, or `KernelFs` under the same names: what they do is the question, not their types."""


class Session:
    """Carries out operations on one file system and keeps the handles they open."""

    def __init__(self, fs: FileSystem) -> None:
        self.fs = fs
        self.handles: dict[int, Any] = {}
        self.users: dict[User, Session] = {}

    def perform(self, operation: Operation) -> Outcome:
        try:
            return ("ok", self._do(operation))
        except OSError as error:
            return ("error", errno.errorcode.get(error.errno or 0, repr(error)))

    def _do(self, operation: Operation) -> object:
        name, *arguments = operation
        method: Callable[..., object] = getattr(self, "do_" + name)
        return method(*arguments)

    # users

    def do_by(self, user: User, *operation: object) -> object:
        """Carry an operation out as a user, who keeps handles of an own."""
        if user not in self.users:
            self.users[user] = Session(self.fs.as_user(*user))
        return self.users[user]._do(operation)

    # files

    def do_open(self, path: str, flags: int, mode: int = 0o644) -> None:
        self.fs.open(path, flags, mode).close()

    def do_read(self, path: str) -> bytes:
        handle = self.fs.open(path, os.O_RDONLY)
        try:
            return bytes(handle.read())
        finally:
            handle.close()

    def do_write(self, path: str, flags: int, data: bytes) -> int:
        handle = self.fs.open(path, os.O_WRONLY | flags, 0o640)
        try:
            return int(handle.write(data))
        finally:
            handle.close()

    def do_truncate(self, path: str, length: int) -> None:
        self.fs.truncate(path, length)

    # handles that stay open

    def do_hold(self, slot: int, path: str, flags: int) -> None:
        handle = self.fs.open(path, flags, 0o640)
        self.do_release(slot)
        self.handles[slot] = handle

    def do_release(self, slot: int) -> None:
        if slot in self.handles:
            self.handles.pop(slot).close()

    def do_pread(self, slot: int, size: int, offset: int) -> bytes | None:
        return bytes(self.handles[slot].pread(size, offset)) if slot in self.handles else None

    def do_pwrite(self, slot: int, data: bytes, offset: int) -> int | None:
        return int(self.handles[slot].pwrite(data, offset)) if slot in self.handles else None

    def do_read_on(self, slot: int, size: int) -> bytes | None:
        return bytes(self.handles[slot].read(size)) if slot in self.handles else None

    def do_write_on(self, slot: int, data: bytes) -> int | None:
        return int(self.handles[slot].write(data)) if slot in self.handles else None

    def do_seek(self, slot: int, offset: int, whence: int) -> int | None:
        """Seek; where a directory ends, and what of it are data, is a matter of the file system below."""
        if slot not in self.handles:
            return None
        handle = self.handles[slot]
        if whence not in (os.SEEK_SET, os.SEEK_CUR) and stat.S_ISDIR(handle.stat().st_mode):
            return None
        return int(handle.seek(offset, whence))

    def do_ftruncate(self, slot: int, size: int) -> None:
        if slot in self.handles:
            self.handles[slot].truncate(size)

    def do_fstat(self, slot: int) -> tuple[Any, ...] | None:
        return _seen(self.handles[slot].stat()) if slot in self.handles else None

    # names

    def do_mkdir(self, path: str, mode: int = 0o755) -> None:
        self.fs.mkdir(path, mode)

    def do_rmdir(self, path: str) -> None:
        self.fs.rmdir(path)

    def do_unlink(self, path: str) -> None:
        self.fs.unlink(path)

    def do_rename(self, source: str, target: str) -> None:
        self.fs.rename(source, target)

    def do_link(self, source: str, target: str) -> None:
        self.fs.link(source, target)

    def do_symlink(self, target: str, path: str) -> None:
        self.fs.symlink(target, path)

    def do_mkfifo(self, path: str, mode: int = 0o644) -> None:
        self.fs.mknod(path, stat.S_IFIFO | mode)

    def do_mknod(self, path: str, mode: int, device: int) -> None:
        self.fs.mknod(path, mode, device)

    # attributes

    def do_chmod(self, path: str, mode: int) -> None:
        self.fs.chmod(path, mode)

    def do_chown(self, path: str, uid: int, gid: int) -> None:
        self.fs.chown(path, uid, gid)

    def do_lchown(self, path: str, uid: int, gid: int) -> None:
        self.fs.chown(path, uid, gid, follow_symlinks=False)

    def do_utime(self, path: str, seconds: int) -> None:
        self.fs.utime(path, ns=(seconds * 10**9, seconds * 10**9))

    def do_touch(self, path: str) -> None:
        self.fs.utime(path)

    def do_lutime(self, path: str, seconds: int) -> None:
        self.fs.utime(path, ns=(seconds * 10**9, seconds * 10**9), follow_symlinks=False)

    def do_setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        self.fs.setxattr(path, name, value, flags, follow_symlinks=False)

    def do_removexattr(self, path: str, name: str) -> None:
        self.fs.removexattr(path, name, follow_symlinks=False)

    def do_getxattr(self, path: str, name: str) -> bytes:
        return bytes(self.fs.getxattr(path, name, follow_symlinks=False))

    def do_listxattr(self, path: str) -> list[str]:
        return sorted(self.fs.listxattr(path, follow_symlinks=False))

    # questions

    def do_lstat(self, path: str) -> tuple[Any, ...]:
        return _seen(self.fs.lstat(path))

    def do_stat(self, path: str) -> tuple[Any, ...]:
        return _seen(self.fs.stat(path))

    def do_readlink(self, path: str) -> str:
        return str(self.fs.readlink(path))

    def do_walk(self, path: str) -> list[tuple[str, list[str], list[str]]]:
        return sorted((place, sorted(dirs), sorted(files)) for place, dirs, files in self.fs.walk(path))

    def do_listdir(self, path: str) -> list[str]:
        return sorted(self.fs.listdir(path))


def _seen(found: Status) -> tuple[Any, ...]:
    """Return what two systems must agree on; a time read from a clock counts as None, a directory's size not at all."""
    kind = KINDS[stat.S_IFMT(found.st_mode)]
    mtime = None if found.st_mtime_ns > STAMPED_BEFORE_NS else found.st_mtime_ns
    size = 0 if kind == "dir" else found.st_size
    return (kind, oct(stat.S_IMODE(found.st_mode)), found.st_uid, found.st_gid, size, found.st_nlink, mtime)
