"""Mount points that a RUN of BuildKit leaves in its layer, and those that it takes away again (spec/build.md)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim._core import Overlay

_DIRECTORIES = ("/dev", "/proc", "/sys", "/etc")
_FILES = ("/etc/hosts", "/etc/resolv.conf")
_MODE = 0o755


@contextmanager
def mount_points(fs: Overlay) -> Iterator[None]:
    """Make what a container is mounted on while a command runs; files that were not there go after it."""
    for path in _DIRECTORIES:
        if not fs.exists(path):
            fs.mkdir(path, _MODE)
    made = [path for path in _FILES if not fs.exists(path)]
    for path in made:
        fs.write_bytes(path, b"")
    yield
    for path in made:
        if fs.exists(path) and not fs.stat(path).st_size:
            fs.unlink(path)
