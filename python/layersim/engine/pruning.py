"""Pruning: what nobody uses goes, and the bytes are counted (accounting.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.engine.removal import Removed
from layersim.errors import ImageInUseError
from layersim.image import tagged_or_as_it_is
from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.engine.removal import Remover
    from layersim.image import Reference
    from layersim.store import StoredImage


@dataclass(frozen=True)
class Pruned:
    """What a prune did.

    Attributes
    ----------
    containers : tuple of str
        Ids of the containers that are gone.
    volumes : tuple of str
        Names of the volumes that are gone.
    images : Removed
        What happened to images and layers.
    build_cache : tuple of str
        Ids of the build cache records that are gone.
    freed : int
        Bytes, those that the containers had written included.
    """

    containers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: Removed = field(default_factory=Removed)
    build_cache: tuple[str, ...] = ()
    freed: int = 0

    def __str__(self) -> str:
        """Return what Docker's prune commands print."""
        images = [f"{kind}: {name}" for kind, name in self.images]
        parts = (
            ("Deleted Containers:", self.containers),
            ("Deleted Volumes:", self.volumes),
            ("Deleted Images:", images),
            ("Deleted build cache objects:", self.build_cache),
        )
        told = "".join(f"{title}\n" + "".join(f"{line}\n" for line in lines) + "\n" for title, lines in parts if lines)
        return f"{told}Total reclaimed space: {human_size(self.freed)}"


def prune_images(remover: Remover, *, unused: bool) -> Removed:
    """Remove untagged childless images; with `unused` also tagged ones that no container uses."""
    prune = _prune_names if remover.rules.prunes_names else _prune_listed
    prune(remover, unused=unused)
    return remover.result


def _prune_listed(remover: Remover, *, unused: bool) -> None:
    """Remove images; a tagged one goes tag by tag, so one that is in use keeps its last tag."""
    for image in [image for image in remover.images if image.is_listed]:
        if not image.references:
            _try(remover, image.id, image)
        elif unused:
            for reference in image.references:
                _try(remover, str(reference), image)


def _try(remover: Remover, ref: str, image: StoredImage) -> None:
    if remover.images.lookup(image.id) is not image:
        return
    try:
        remover.remove(ref, force=False)
    except ImageInUseError:
        # As in moby: an image in use is what pruning leaves alone.
        return


def _prune_names(remover: Remover, *, unused: bool) -> None:
    """Remove names, in their order; an image goes with its last one, unless a container was created with its id."""
    made_with = {tagged_or_as_it_is(container.image_name) for container in remover.containers}
    for _, image, reference in sorted(_names(remover), key=lambda named: named[0]):
        is_used = bool(remover.containers.using(image))
        if reference is None:
            if not is_used:
                remover.records.append(("untagged", image.id))
        elif unused and str(reference) not in made_with:
            remover.untag(image, reference)
        else:
            continue
        if not image.references and not is_used:
            remover.records.append(("deleted", image.id))
            remover.drop(image)


def _names(remover: Remover) -> Iterator[tuple[str, StoredImage, Reference | None]]:
    """Yield all names as containerd has them: a tag in full, or the one that an image without a tag gets."""
    for image in remover.images:
        if not image.references:
            yield f"moby-dangling@{image.id}", image, None
        for reference in image.references:
            yield reference.full, image, reference
