"""The file system of a container: its own writes over a view, the directory that it works in, its volumes."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING

from layersim._core import Overlay
from layersim.errors import InvalidPathError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim._core import Upper, View
    from layersim.container.volumes import Volume


def fs_over(
    view: View, clock: Callable[[], int], working_dir: str | None, volumes: Mapping[str, Volume], upper: Upper | None
) -> Overlay:
    """Return what a container sees over a view.

    Parameters
    ----------
    view : View
        What lies below its writes.
    clock : callable
        Gives nanoseconds since 1970.
    working_dir : str or None
        The directory that it works in, made as an engine does, below volumes; where that fails, `make_working_dir`
        will say so when the container starts.
    volumes : mapping of str to Volume
        By path; those whose directory is missing wait for `Overlay.make_mountpoints`.
    upper : Upper or None
        What it has written, if it was saved.
    """
    mounts = {path: volume.fs for path, volume in volumes.items()} or None
    if upper is not None:
        return upper.over(view, clock=clock, mounts=mounts)
    fs = Overlay(view, clock=clock)
    if working_dir:
        fs = _with_working_dir(fs, working_dir)
    return fs.fork(mounts=mounts) if mounts else fs


def make_working_dir(fs: Overlay, path: str) -> None:
    """Make the directory that a container works in; raise `OSError` or `InvalidPathError` naming it if it cannot be."""
    fs.make_directories(posixpath.normpath("/" + path.lstrip("/")))


def _with_working_dir(fs: Overlay, path: str) -> Overlay:
    made = fs.fork()
    with suppress(OSError, InvalidPathError):
        make_working_dir(made, path)
        return made
    return fs
