"""The init layer: mount points the engine puts between an image and a container's own writes.

It belongs to no image, is counted nowhere, and what it changes is not a change of the container.
The list and its rules are those of moby's ``daemon/initlayer``.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from layersim._core import Overlay, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Layer

_MODE = 0o755
_MAKE_FILE = 0o101  # O_WRONLY | O_CREAT
_DIRECTORIES = ("dev/pts", "dev/shm", "proc", "sys")
_FILES = (".dockerenv", "etc/resolv.conf", "etc/hosts", "etc/hostname", "dev/console")
_LINKS = (("etc/mtab", "/proc/mounts"),)


def container_view(layers: Sequence[Layer], made_ns: int) -> View:
    """Return what a container sees below its own writes.

    Parameters
    ----------
    layers : sequence of Layer
        Those of the image, base first.
    made_ns : int
        Time of the mount points, nanoseconds since 1970.
    """
    fs = Overlay(layers, clock=lambda: made_ns)
    for path in (*_DIRECTORIES, *_FILES, *(link for link, _ in _LINKS)):
        _clear(fs, path)
    for path in _DIRECTORIES:
        fs.make_directories(f"/{path}")
    for path in _FILES:
        if not fs.exists(f"/{path}"):
            fs.make_directories(f"/{posixpath.dirname(path)}")
            fs.open(f"/{path}", _MAKE_FILE, _MODE).close()
    for path, target in _LINKS:
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
