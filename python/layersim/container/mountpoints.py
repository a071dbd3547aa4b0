"""The init layer: mount points the engine puts between an image and a container's own writes.

It belongs to no image, is counted nowhere, and what it changes is not a change of the container.
The list and its rules are those of moby's ``daemon/initlayer``.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim._core import Overlay, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Layer

_MODE = 0o755
_MAKE_FILE = 0o101  # O_WRONLY | O_CREAT


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoints:
    """What there has to be in a container, so that something can be mounted there.

    Attributes
    ----------
    directories, files : tuple of str
        Paths without a leading slash.
    links : tuple of (str, str)
        Links and their targets.
    clears : bool
        Whether files and links on the way give way, as in moby; otherwise links lead on.
    """

    directories: tuple[str, ...]
    files: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    clears: bool = True

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.directories, *self.files, *(link for link, _ in self.links))


CONTAINER = MountPoints(
    directories=("dev/pts", "dev/shm", "proc", "sys"),
    files=(".dockerenv", "etc/resolv.conf", "etc/hosts", "etc/hostname", "dev/console"),
    links=(("etc/mtab", "/proc/mounts"),),
)
"""Those of an engine's containers."""


def container_view(layers: Sequence[Layer], made_ns: int, points: MountPoints = CONTAINER) -> View:
    """Return what a container sees below its own writes.

    Parameters
    ----------
    layers : sequence of Layer
        Those of the image, base first.
    made_ns : int
        Time of the mount points, nanoseconds since 1970.
    points : MountPoints
        What has to be there.
    """
    fs = Overlay(layers, clock=lambda: made_ns)
    for path in points.paths:
        if points.clears or not fs.exists(f"/{path}"):
            _clear(fs, path)
    for path in points.directories:
        fs.make_directories(f"/{path}")
    for path in points.files:
        if not fs.exists(f"/{path}"):
            fs.make_directories(f"/{posixpath.dirname(path)}")
            fs.open(f"/{path}", _MAKE_FILE, _MODE).close()
    for path, target in points.links:
        if not fs.exists(f"/{path}"):
            fs.make_directories(f"/{posixpath.dirname(path)}")
            fs.symlink(target, f"/{path}")
    return View([*layers, fs.to_layer()])


def _clear(fs: Overlay, path: str) -> None:
    """Remove files and links on the way; a directory stays, whatever it holds."""
    place = ""
    for name in path.strip("/").split("/"):
        place += f"/{name}"
        try:
            fs.unlink(place)
        except OSError:
            # As in moby: a directory (EISDIR) and a missing name (ENOENT) are both as they should be.
            continue
