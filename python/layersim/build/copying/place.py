"""Places in the overlay that is copied to: what is there, what has to be made first, what has to go."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.context.tree import LinkLoopError, resolve, status
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim._core import Overlay
    from layersim.build.context.tree import Status
    from layersim.build.copying.owners import Owner

MADE_MODE = 0o755


@dataclass(frozen=True)
class Making:
    """How directories are made that nothing describes.

    Attributes
    ----------
    owner : Owner or None
        Whose; None leaves what the kernel gives, where a set-gid directory hands down its group.
    mode : int or None
        Another mode than 0755.
    refusal : str
        What goes before the message that a file is in the way.
    """

    owner: Owner | None = None
    mode: int | None = None
    refusal: str = ""


def make_directories(overlay: Overlay, path: str, making: Making) -> bool:
    """Make a directory and its parents, given without links; say whether any was missing.

    Raises
    ------
    BuildError
        For a file in the way.
    """
    made, here = False, ""
    parts = path.split("/")
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        here = f"{here}/{part}" if here else part
        found = status(overlay, here) if here else None
        if found is None and here:
            overlay.mkdir(here, MADE_MODE if making.mode is None else making.mode)
            if making.owner is not None:
                overlay.chown(here, *making.owner)
            made = True
        elif found is not None and not stat.S_ISDIR(found.st_mode):
            what = f"lstat /{here}/{following}" if following else f"mkdir /{here}"
            raise BuildError(f"{making.refusal}{what}: not a directory")
    return made


def followed(overlay: Overlay, path: str) -> str:
    """Return a destination with its links followed; a loop is a `BuildError`."""
    try:
        return resolve(overlay, path)
    except LinkLoopError as error:
        raise BuildError(f"too many links in {path}") from error


def is_directory(found: Status | None) -> bool:
    """Tell whether something is there, and a directory."""
    return found is not None and stat.S_ISDIR(found.st_mode)


def touch(overlay: Overlay, place: str) -> None:
    """Give a directory the time of now, as the root directory that an engine makes in it for a moment does."""
    overlay.utime(place or "/")


def remove_all(overlay: Overlay, path: str, found: Status | None) -> None:
    """Take away what is under a name, whatever it is."""
    if found is None:
        return
    if not stat.S_ISDIR(found.st_mode):
        overlay.unlink(path)
        return
    for name in overlay.listdir(path):
        inside = f"{path}/{name}"
        remove_all(overlay, inside, overlay.lstat(inside))
    overlay.rmdir(path)
