"""What a command left in the upper directory of a kernel mount, taken into an overlay entry by entry."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from layersim.build.running.globs import is_directory, remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layersim._core import Overlay, Stat

Owner: TypeAlias = "Callable[[os.stat_result, Stat | None], tuple[int, int]]"

_CHUNK = 1 << 20
_ENTERED = stat.S_IRUSR | stat.S_IXUSR
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True, slots=True)
class _Left:
    """A directory whose entries are taken in: it is described last."""

    path: str
    found: os.stat_result
    before: Stat | None


@dataclass(slots=True)
class Taking:
    """One upper directory on its way into an overlay.

    Attributes
    ----------
    upper : bytes
        The directory; nothing is mounted on it any more.
    fs : Overlay
        Shows what the mount showed before the command ran.
    marks : str
        The namespace of the kernel's own attributes, ``trusted.overlay.`` or ``user.overlay.``.
    owner : callable
        Tells the owner inside from an entry and what was there before.
    """

    upper: bytes
    fs: Overlay
    marks: str
    owner: Owner
    _linked: dict[tuple[int, int], str] = field(default_factory=dict)

    def take(self) -> None:
        """Take everything in; the overlay shows afterwards what the mount showed."""
        root = os.lstat(self.upper)
        waiting: list[str | _Left] = [*self._names("")]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                waiting += self._entry(one)
            else:
                self._describe(one.path, one.found, one.before)
        before = self.fs.lstat("/")
        if _described(root) != _described(before):
            self._describe("/", root, before)

    def _names(self, folder: str) -> list[str]:
        """Return what is in a directory, the last first."""
        names = sorted(os.listdir(self.upper + os.fsencode(folder)), reverse=True)
        return [f"{folder}/{os.fsdecode(name)}" for name in names]

    def _on_disk(self, path: str) -> bytes:
        return self.upper + os.fsencode(path)

    def _entry(self, path: str) -> list[str | _Left]:
        """Take an entry in; return what is to be done next, the last first."""
        found = os.lstat(self._on_disk(path))
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
            remove_tree(self.fs, path)
        elif stat.S_ISDIR(found.st_mode):
            return self._directory(path, found)
        else:
            self._leaf(path, found)
        return []

    def _directory(self, path: str, found: os.stat_result) -> list[str | _Left]:
        before, is_opaque = self._before(path), self._is_opaque(path)
        if is_opaque or not is_directory(self.fs, path):
            self._make_directory(path, is_opaque=is_opaque)
        self._let_read(path, found, _ENTERED)
        return [_Left(path, found, before), *self._names(path)]

    def _make_directory(self, path: str, *, is_opaque: bool) -> None:
        """Make a directory in place of what is there.

        The kernel marks a directory opaque, even where nothing is below, when it comes from elsewhere: so does this.
        """
        remove_tree(self.fs, path)
        place = _unused(self.fs) if is_opaque else path
        self.fs.mkdir(place)
        if place != path:
            self.fs.rename(place, path)

    def _let_read(self, path: str, found: os.stat_result, needed: int) -> None:
        """Let an owner read who is not root; nobody looks at this mode again."""
        if found.st_mode & needed != needed:
            os.chmod(self._on_disk(path), stat.S_IMODE(found.st_mode) | needed)

    def _is_opaque(self, path: str) -> bool:
        with suppress(OSError):  # ENODATA: the usual case
            return os.getxattr(self._on_disk(path), f"{self.marks}opaque") == b"y"
        return False

    def _before(self, path: str) -> Stat | None:
        with suppress(FileNotFoundError, NotADirectoryError):
            return self.fs.lstat(path)
        return None

    def _leaf(self, path: str, found: os.stat_result) -> None:
        before = self._before(path)
        remove_tree(self.fs, path)
        inode = (found.st_dev, found.st_ino)
        if inode in self._linked:
            self.fs.link(self._linked[inode], path)
            return
        if found.st_nlink > 1:
            self._linked[inode] = path
        if stat.S_ISLNK(found.st_mode):
            self.fs.symlink(os.fsdecode(os.readlink(self._on_disk(path))), path)
        elif stat.S_ISREG(found.st_mode):
            self._let_read(path, found, stat.S_IRUSR)
            self._content(path, found.st_size)
        else:
            self.fs.mknod(path, found.st_mode, found.st_rdev)
        self._describe(path, found, before)

    def _content(self, path: str, size: int) -> None:
        source = os.open(self._on_disk(path), os.O_RDONLY)
        try:
            with self.fs.open(path, _WRITE_NEW) as target:
                for start, chunk in _data(source, size):
                    target.pwrite(chunk, start)
                target.truncate(size)
        finally:
            os.close(source)

    def _describe(self, path: str, found: os.stat_result, before: Stat | None) -> None:
        """Owner, then attributes, then mode, then times: each of the first may change a later one."""
        self.fs.chown(path, *self.owner(found, before), follow_symlinks=False)
        self._attributes(path)
        if not stat.S_ISLNK(found.st_mode):
            self.fs.chmod(path, stat.S_IMODE(found.st_mode))
        self.fs.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)

    def _attributes(self, path: str) -> None:
        on_disk = self._on_disk(path)
        listed = os.listxattr(on_disk, follow_symlinks=False)
        names = {name for name in listed if not name.startswith(self.marks)}
        for name in set(self.fs.listxattr(path, follow_symlinks=False)) - names:
            self.fs.removexattr(path, name, follow_symlinks=False)
        for name in sorted(names):
            value = os.getxattr(on_disk, name, follow_symlinks=False)
            self.fs.setxattr(path, name, value, follow_symlinks=False)


def _unused(fs: Overlay) -> str:
    """Return a path in the root that nothing has."""
    names = set(fs.listdir("/"))
    return next(f"/.new{number}" for number in range(len(names) + 1) if f".new{number}" not in names)


def _described(found: os.stat_result | Stat) -> tuple[int, int, int, int]:
    return (found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns)


def _data(source: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield what a file holds beside its holes, with where it starts."""
    end = 0
    while end < size:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but a hole follows
            return
        end = os.lseek(source, start, os.SEEK_HOLE)
        for at in range(start, end, _CHUNK):
            yield at, os.pread(source, min(_CHUNK, end - at), at)
