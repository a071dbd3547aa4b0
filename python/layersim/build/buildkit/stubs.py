"""Mount points that a RUN of BuildKit leaves in its layer, and those that it takes away again (spec/build.md)."""

from __future__ import annotations

import errno
import posixpath
import stat
from typing import TYPE_CHECKING

from layersim.build.context.tree import LinkLoopError, resolve
from layersim.build.running.globs import is_directory
from layersim.errors import PathIsDirectoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layersim._core import Overlay
    from layersim.build.dockerfile import Dialect
    from layersim.build.running import StepMount

_DIRECTORIES = ("/dev", "/proc", "/sys")
_FILES = ("/etc/resolv.conf", "/etc/hosts")
_MODE = 0o755


class Stubs:
    """The mount points of one RUN.

    Parameters
    ----------
    dialect : Dialect
        20.10 leaves the directories that it made, and takes away empty files alone. Later ones take away, from the
        innermost outwards, all that they made and that is empty, and give the directory above its old time.
    mounts : sequence of StepMount
        What the RUN asks for.
    scripts : iterable of str
        Where programs of here-documents are.
    """

    def __init__(self, dialect: Dialect, mounts: Sequence[StepMount], scripts: Iterable[str] = ()) -> None:
        self._is_old = dialect.is_old
        self._inner = [path for path in (*(one.target for one in mounts), *scripts) if is_in_container(path)]
        folders = [f"{mount.target}/" for mount in mounts if mount.fs is not None]
        # A mount point in another mount is in that one, not in the layer.
        self._mounts = [
            one for one in mounts if not is_in_container(one.target) and not one.target.startswith(tuple(folders))
        ]
        self._made: list[str] = []

    def make(self, fs: Overlay) -> None:
        """Make what is missing.

        Raises
        ------
        OSError
            A file is where a directory has to be, or the other way round.
        """
        files, places = [_real(fs, path) for path in _FILES], [_real(fs, mount.target) for mount in self._mounts]
        self._made = [path for target in (*files, *places, *self._folders()) for path in self._missing(fs, target)]
        for path in _DIRECTORIES:
            if not fs.exists(path):
                fs.mkdir(path, _MODE)
        for path in files:
            _make_file(fs, path)
        for mount, path in zip(self._mounts, places, strict=True):
            if mount.fs is None:
                _make_file(fs, path)
            else:
                fs.make_directories(path, _MODE)

    def _folders(self) -> list[str]:
        """Return what every container has mounted, as far as more is mounted in it: later ones take that for theirs."""
        if self._is_old:
            return []
        return [folder for folder in _DIRECTORIES if any(path.startswith(f"{folder}/") for path in self._inner)]

    def _missing(self, fs: Overlay, target: str) -> Iterator[str]:
        """Yield the paths that have to be made and may go again, the innermost first."""
        path = target
        while not fs.exists(path):
            yield path
            if self._is_old:
                return
            path = posixpath.dirname(path)

    def clear(self, fs: Overlay) -> None:
        """Take away what was made and is empty."""
        for path in self._made:
            if not fs.exists(path):
                continue
            if is_directory(fs, path):
                if not self._is_old and not fs.listdir(path):
                    self._remove(fs, path, fs.rmdir)
            elif not fs.stat(path).st_size:
                self._remove(fs, path, fs.unlink)

    def _remove(self, fs: Overlay, path: str, remove: Callable[[str], None]) -> None:
        above = posixpath.dirname(path)
        before = fs.stat(above)
        remove(path)
        if not self._is_old:
            fs.utime(above, ns=(before.st_atime_ns, before.st_mtime_ns))


def is_in_container(path: str) -> bool:
    """Whether a path lies in what is mounted in every container, so that nothing of it is in the layer."""
    return path.startswith(tuple(f"{folder}/" for folder in _DIRECTORIES))


def _real(fs: Overlay, path: str) -> str:
    """Return where a path leads, whether something is there or not."""
    try:
        return f"/{resolve(fs, path)}"
    except LinkLoopError:
        return path


def _make_file(fs: Overlay, path: str) -> None:
    if not fs.exists(path):
        fs.make_directories(posixpath.dirname(path), _MODE)
        fs.write_bytes(path, b"")
        fs.chmod(path, _MODE)
    elif stat.S_ISDIR(fs.stat(path).st_mode):
        raise PathIsDirectoryError(errno.EISDIR, "not a directory", path)
