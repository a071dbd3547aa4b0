"""Volumes: directories of their own that containers mount, outside every layer (accounting.md section 4)."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING

from layersim._core import Overlay, View, sha256
from layersim.container.identity import NAME, NAME_CHARACTERS
from layersim.errors import InvalidPathError, PathNotDirectoryError, VolumeInUseError, VolumeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from layersim._core import Upper

_LONGEST_NAME = 255
_PATH_MAX = 4096


class Volume:
    """A directory that containers mount; it lives until it is removed.

    Attributes
    ----------
    name : str
        Given, or 64 hex digits.
    is_anonymous : bool
        Whether a container made it without being given a name for it.
    created_ns : int
        Nanoseconds since 1970.
    links : int
        How many containers mount it.
    """

    __slots__ = ("_clock", "_fs", "_lock", "_upper", "created_ns", "is_anonymous", "links", "name")

    def __init__(
        self,
        name: str,
        clock: Callable[[], int],
        *,
        is_anonymous: bool,
        created_ns: int | None = None,
        upper: Upper | None = None,
    ) -> None:
        self.name = name
        self.is_anonymous = is_anonymous
        self.created_ns = clock() if created_ns is None else created_ns
        self.links = 0
        self._clock = clock
        # What it held when it was saved is read when it is first looked into.
        self._upper = upper
        self._fs = Overlay([], clock=clock) if upper is None else None
        self._lock = threading.Lock()

    @property
    def fs(self) -> Overlay:
        """What it holds, over nothing."""
        with self._lock:
            if self._fs is None:
                self._fs = Overlay([]) if self._upper is None else self._upper.over(View([]), clock=self._clock)
            return self._fs

    def upper(self) -> Upper | None:
        """Return what it holds, as one value that can be saved; None where nothing was ever written."""
        return self._upper if self._fs is None else self._fs.upper()

    @property
    def size(self) -> int:
        """Sum of ``st_size`` over its distinct inodes, directories left out, in bytes."""
        held = self._fs or self._upper
        return held.size_rw if held is not None else 0

    def fill(self, view: View, path: str) -> None:
        """Copy what an image has under a path, if the volume is empty, as an engine does at the first mount."""
        if self.fs.listdir("/") or not _is_dir(view, path):
            return
        _copy_tree(view, path, self.fs)
        found = view.stat(path)
        self.fs.chown("/", found.st_uid, found.st_gid)
        self.fs.chmod("/", stat.S_IMODE(found.st_mode))

    def __repr__(self) -> str:
        """Name it, and say what it takes."""
        return f"<Volume {self.name} ({self.size} bytes, {self.links} links)>"


class VolumeStore:
    """The volumes of one engine, by name.

    Parameters
    ----------
    clock : callable
        Gives nanoseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._volumes: dict[str, Volume] = {}

    def __len__(self) -> int:
        """Return how many volumes there are."""
        return len(self._volumes)

    def __iter__(self) -> Iterator[Volume]:
        """Iterate over all, by name."""
        return iter(sorted(self._volumes.values(), key=lambda volume: volume.name))

    def ensure(self, name: str) -> Volume:
        """Return the volume of a name, made if there is none.

        Raises
        ------
        ValueError
            It is no name.
        """
        check_volume_name(name)
        return self._volumes.get(name) or self._add(Volume(name, self._clock, is_anonymous=False))

    def make_anonymous(self, owner: str, path: str) -> Volume:
        """Make the volume that a container of an image with a ``VOLUME`` gets."""
        name = sha256(f"volume {owner} {path}".encode())[7:]
        return self._add(Volume(name, self._clock, is_anonymous=True))

    def find(self, name: str) -> Volume:
        """Return the volume of a name.

        Raises
        ------
        VolumeNotFoundError
            There is none.
        """
        if name not in self._volumes:
            raise VolumeNotFoundError(f"get {name}: no such volume")
        return self._volumes[name]

    def remove(self, volume: Volume, users: tuple[str, ...] = ()) -> None:
        """Drop a volume.

        Raises
        ------
        VolumeInUseError
            Containers mount it; the message is the engine's.
        """
        if volume.links:
            raise VolumeInUseError(f"remove {volume.name}: volume is in use - [{', '.join(users)}]")
        del self._volumes[volume.name]

    def restore(self, volumes: Iterable[Volume]) -> None:
        """Take in what was saved of another store; this one must be empty."""
        self._volumes = {volume.name: volume for volume in volumes}

    def _add(self, volume: Volume) -> Volume:
        self._volumes[volume.name] = volume
        return volume


def check_volume_name(name: str) -> None:
    """Raise `ValueError` in the engine's words unless a volume may be called so."""
    if not NAME.fullmatch(name):
        only = f'only "{NAME_CHARACTERS}" are allowed. If you intended to pass a host directory, use absolute path'
        shown = name[:80]
        raise ValueError(f'create {shown}: "{shown}" includes invalid characters for a local volume name, {only}')


def check_mount_path(path: str) -> None:
    """Raise `TypeError` or, in the engine's words, `ValueError` unless a volume may be mounted there."""
    if not isinstance(path, str):
        raise TypeError(f"expected the path of a mount as str, got {path!r:.80}")
    check_destination(path)
    if not path.startswith("/"):
        raise ValueError(f"invalid mount path: {path[:80]!r} mount path must be absolute")
    if not path.strip("/"):
        raise ValueError("invalid specification: destination can't be '/'")


def check_destination(path: str) -> None:
    """Raise `InvalidPathError` for a path that no directory can have."""
    names = [os.fsencode(name) for name in path.split("/")]
    if "\0" in path or max(map(len, names)) > _LONGEST_NAME or len(os.fsencode(path)) >= _PATH_MAX:
        raise InvalidPathError(f"invalid mount path: {path[:80]!r} holds a NUL byte or is too long")


def demand_directory(view: View, path: str) -> None:
    """Raise `OSError` naming the path unless an image has a directory there, or one can be made."""
    try:
        found = view.stat(path)
    except FileNotFoundError:
        Overlay(view).make_directories(path)
    else:
        if not stat.S_ISDIR(found.st_mode):
            fault = "cannot mount volume over existing file, file exists"
            raise PathNotDirectoryError(errno.ENOTDIR, fault, path)


def _is_dir(view: View, path: str) -> bool:
    """Tell whether a path leads to a directory, through links."""
    try:
        return stat.S_ISDIR(view.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _copy_tree(view: View, root: str, target: Overlay) -> None:
    """Copy a directory of an image into the root of an empty file system, hard links as links."""
    copied: dict[int, str] = {}
    for directory, folders, files in view.walk(root):
        place = "/" + directory[len(root.rstrip("/")) :].strip("/")
        for name in (*folders, *files):
            path, made = f"{directory.rstrip('/')}/{name}", f"{place.rstrip('/')}/{name}"
            status = view.lstat(path)
            first = copied.setdefault(status.st_ino, made)
            if first != made:
                target.link(first, made)
                continue
            _copy_node(view, path, target, made)
            target.chown(made, status.st_uid, status.st_gid, follow_symlinks=False)
            target.utime(made, ns=(status.st_mtime_ns, status.st_mtime_ns), follow_symlinks=False)


def _copy_node(view: View, path: str, target: Overlay, made: str) -> None:
    status = view.lstat(path)
    if stat.S_ISDIR(status.st_mode):
        target.mkdir(made)
    elif stat.S_ISLNK(status.st_mode):
        target.symlink(view.readlink(path), made)
        return
    elif stat.S_ISREG(status.st_mode):
        target.write_bytes(made, view.read_bytes(path))
    else:
        target.mknod(made, status.st_mode, status.st_rdev)
    target.chmod(made, stat.S_IMODE(status.st_mode))
