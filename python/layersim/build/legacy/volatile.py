"""The file system of a container in which the legacy builder runs a command."""

from __future__ import annotations

import errno
import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim._core import View
from layersim.build.running.mounts import StepMount
from layersim.container import container_view
from layersim.container.filesystem import fs_over
from layersim.container.volumes import Volume
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layersim._core import Layer, Overlay
    from layersim.build.draft import Draft


@dataclass(frozen=True)
class ContainerFs:
    """What a command finds: the image, mount points, and a volume for each ``VOLUME``, dropped after it.

    Attributes
    ----------
    fs : Overlay
        All of it.
    mounts : tuple of StepMount
        The volumes, for who mounts them himself.
    """

    fs: Overlay
    mounts: tuple[StepMount, ...]

    @classmethod
    def of(cls, layers: Sequence[Layer], draft: Draft, clock: Callable[[], int]) -> ContainerFs:
        """Make it.

        Parameters
        ----------
        layers : sequence of Layer
            Of the image, base first.
        draft : Draft
            Its config.
        clock : callable
            Gives nanoseconds since 1970.

        Raises
        ------
        BuildError
            A file is where a volume has to be; in the engine's words.
        """
        view = container_view(layers, clock())
        volumes = {path: Volume(path, clock, is_anonymous=True) for path in sorted(map(_path, draft.volumes))}
        for path, volume in volumes.items():
            volume.fill(View(layers), path)
        fs = fs_over(view, clock, draft.working_dir or None, volumes, None)
        if volumes:
            _make_mountpoints(fs)
        return cls(fs, tuple(_mount(path, volume) for path, volume in volumes.items()))


def _make_mountpoints(fs: Overlay) -> None:
    try:
        fs.make_mountpoints()
    except OSError as error:
        if error.errno != errno.ENOTDIR:
            raise
        raise BuildError(f"cannot mount volume over existing file, file exists {error.filename}") from error


def _mount(path: str, volume: Volume) -> StepMount:
    root = volume.fs.lstat("/")
    mode, time_ns = stat.S_IMODE(root.st_mode), root.st_mtime_ns
    return StepMount(
        type="bind", target=path, fs=volume.fs, mode=mode, uid=root.st_uid, gid=root.st_gid, mtime_ns=time_ns
    )


def _path(text: str) -> str:
    return posixpath.normpath("/" + text.lstrip("/"))
