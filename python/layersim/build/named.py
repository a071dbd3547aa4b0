"""Images that a build is told to look at (`cache_from`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.errors import ImageNotFoundError, InvalidReferenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.build.request import Host
    from layersim.image import HistoryEntry, Image


@dataclass(frozen=True)
class Named:
    """An image that a build was told to look at.

    Attributes
    ----------
    name : str
        As it was given.
    image : Image
    """

    name: str
    image: Image

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """Its steps, oldest first."""
        return self.image.config.history or ()


def named_images(host: Host, names: Sequence[str]) -> tuple[list[Named], list[str]]:
    """Return the images of some names, and the names of those that the engine does not have."""
    found: list[Named] = []
    missing: list[str] = []
    for name in names:
        try:
            found.append(Named(name, host.get_image(name)))
        except (ImageNotFoundError, InvalidReferenceError):
            missing.append(name)
    return found, missing


def unknown_image(name: str) -> str:
    """Say that nothing is taken from an image that is not there."""
    return f"no image {name!r} is here, and there is no registry to ask; nothing is taken from it"
