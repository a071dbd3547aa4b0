"""The file system of a container in which the legacy builder runs a command."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from layersim._core import View
from layersim.container import container_view
from layersim.container.filesystem import fs_over
from layersim.container.volumes import Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layersim._core import Layer, Overlay
    from layersim.build.draft import Draft


def container_fs(
    layers: Sequence[Layer], draft: Draft, clock: Callable[[], int], *, is_started: bool = True
) -> Overlay:
    """Return what a command finds: the image, mount points, and a volume for each ``VOLUME``, dropped after it.

    Parameters
    ----------
    layers : sequence of Layer
        Of the image, base first.
    draft : Draft
        Its config.
    clock : callable
        Gives nanoseconds since 1970.
    is_started : bool
        Whether something runs in it: only then are the volumes' mount points made.
    """
    view = container_view(layers, clock())
    volumes = {path: Volume(path, clock, is_anonymous=True) for path in map(_path, draft.volumes)}
    for path, volume in volumes.items():
        volume.fill(View(layers), path)
    fs = fs_over(view, clock, draft.working_dir or None, volumes, None)
    if volumes and is_started:
        fs.make_mountpoints()
    return fs


def _path(text: str) -> str:
    return posixpath.normpath("/" + text.lstrip("/"))
