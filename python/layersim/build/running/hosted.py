"""The mounts of a step on the host's disk, while a sandbox runs it."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, TypedDict

from layersim._core import Overlay, View
from layersim.build.running.globs import remove_tree
from layersim.build.running.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from layersim._core import Layer
    from layersim.build.running.lowers import Lowers
    from layersim.build.running.mounts import StepMount
    from layersim.build.running.taking import Owner

_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
READ_ONLY_FILE = _RDONLY | _NOSUID | _NODEV | _NOEXEC
_OF_KERNEL = ("/dev/", "/proc/", "/sys/")


class Mounted(TypedDict):
    """One mount, as the program in the sandbox is told of it."""

    target: str
    source: str
    options: str
    is_folder: bool
    flags: int


class HostedMounts:
    """The mounts of one step as directories and files.

    Parameters
    ----------
    mounts : sequence of StepMount
        In the order in which they are made.
    work : Path
        A directory for them, of one step alone.
    lowers : Lowers
        Extracts.
    is_root : bool
        Whether owners can be set.
    """

    def __init__(self, mounts: Sequence[StepMount], work: Path, lowers: Lowers, *, is_root: bool) -> None:
        self._places = [(mount, work / f"mount{number}") for number, mount in enumerate(mounts)]
        self._lowers = lowers
        self._is_root = is_root

    def make(self) -> list[Mounted]:
        """Write them, and return what has to be mounted."""
        return [self._made(mount, place) for mount, place in self._places]

    def take(self, marks: str, owner: Owner) -> None:
        """Let what a command left in caches be found by the next one."""
        for mount, place in self._places:
            if mount.is_kept and not mount.is_readonly and mount.fs is not None:
                remove_tree(mount.fs, "/")
                Taking(os.fsencode(place), mount.fs, marks, owner).take()

    def _made(self, mount: StepMount, place: Path) -> Mounted:
        is_folder = mount.fs is not None
        # A device of the host must not be reached through a node that a command makes.
        options, flags, source = "", _NODEV | (_RDONLY if mount.is_readonly else 0), str(place)
        if mount.type == "tmpfs":
            size = f",size={mount.size}" if mount.size else ""
            options, flags, source = f"mode={mount.mode:o}{size}", _NODEV | _NOSUID, ""
        elif mount.fs is not None:
            self._extract(mount.fs, place)
            self._describe(place, mount)
        else:
            place.write_bytes(mount.content)
            self._describe(place, mount)
            flags |= READ_ONLY_FILE if mount.type == "secret" else 0
        return Mounted(target=mount.target, source=source, options=options, is_folder=is_folder, flags=flags)

    def _extract(self, fs: Overlay, place: Path) -> None:
        if fs.lower.layers:
            View([*fs.lower.layers, fs.to_layer(dialect="canonical")]).extract(place)
        else:
            self._lowers.extract_written(fs, place)

    def _describe(self, place: Path, mount: StepMount) -> None:
        if self._is_root:
            os.chown(place, mount.uid, mount.gid)
        place.chmod(mount.mode)
        os.utime(place, ns=(mount.mtime_ns, mount.mtime_ns))


def points_of(view: View, made_ns: int, mounts: Sequence[StepMount]) -> Layer:
    """Return what has to be above a view, so that there is something to mount at; what lies in another mount is not."""
    fs = Overlay(view, clock=lambda: made_ns)
    folders = tuple(f"{mount.target}/" for mount in mounts if mount.fs is not None)
    for mount in mounts:
        if mount.target.startswith((*_OF_KERNEL, *folders)) or fs.exists(mount.target):
            continue
        if mount.fs is not None:
            fs.make_directories(mount.target)
        else:
            fs.make_directories(posixpath.dirname(mount.target))
            fs.write_bytes(mount.target, b"")
    return fs.to_layer()
