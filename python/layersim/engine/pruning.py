"""Pruning: what nobody uses goes, and the bytes are counted (accounting.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.errors import ImageInUseError
from layersim.units import human_size

if TYPE_CHECKING:
    from layersim.engine.removal import Removed, Remover
    from layersim.store import StoredImage


@dataclass(frozen=True)
class Pruned:
    """What a prune did.

    Attributes
    ----------
    containers : tuple of str
        Ids of the containers that are gone.
    images : Removed
        What happened to images and layers.
    freed : int
        Bytes, those that the containers had written included.
    """

    containers: tuple[str, ...]
    images: Removed
    freed: int

    def __str__(self) -> str:
        """Return what Docker's prune commands print."""
        text = ""
        if self.containers:
            text += "Deleted Containers:\n" + "".join(f"{container}\n" for container in self.containers) + "\n"
        if self.images:
            text += "Deleted Images:\n" + "".join(f"{kind}: {name}\n" for kind, name in self.images) + "\n"
        return f"{text}Total reclaimed space: {human_size(self.freed)}"


def prune_images(remover: Remover, *, unused: bool) -> Removed:
    """Remove untagged childless images; with `unused` also tagged ones that no container uses.

    A tagged image goes tag by tag, so one that is in use keeps its last tag.
    """
    for image in [image for image in remover.images if image.is_listed]:
        if not image.references:
            _try(remover, image.id, image)
        elif unused:
            for reference in image.references:
                _try(remover, str(reference), image)
    return remover.result


def _try(remover: Remover, ref: str, image: StoredImage) -> None:
    if remover.images.lookup(image.id) is not image:
        return
    try:
        remover.remove(ref, force=False)
    except ImageInUseError:
        # As in moby: an image in use is what pruning leaves alone.
        return
