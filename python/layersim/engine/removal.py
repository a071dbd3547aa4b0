"""Removing images: tags first, then the image, then its parents, as accounting.md section 8 tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.errors import ImageInUseError
from layersim.image import parse_reference
from layersim.units import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.container import Container, ContainerStore
    from layersim.image import Reference
    from layersim.store import ImageStore, LayerStore, StoredImage


@dataclass(frozen=True)
class Removed:
    """What a removal did, in order.

    Attributes
    ----------
    records : tuple of (str, str)
        ``untagged`` and a tag, or ``deleted`` and the id of an image or the chain id of a layer.
    freed : int
        Bytes of the layers that are gone.
    """

    records: tuple[tuple[str, str], ...] = ()
    freed: int = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Iterate over the records."""
        return iter(self.records)

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.records)

    def __str__(self) -> str:
        """Return what `docker rmi` prints."""
        return "\n".join(f"{kind.capitalize()}: {name}" for kind, name in self.records)


@dataclass
class Remover:
    """One removal under way."""

    images: ImageStore
    layers: LayerStore
    containers: ContainerStore
    records: list[tuple[str, str]] = field(default_factory=list)
    freed: int = 0

    @property
    def result(self) -> Removed:
        """What has been done so far."""
        return Removed(tuple(self.records), self.freed)

    def remove(self, ref: str, *, force: bool) -> None:
        """Remove what a tag, an id or a prefix of one means.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            It means nothing.
        ImageInUseError
            Something holds the image; the message is the engine's.
        """
        image = self.images.find(ref)
        by_id = image.id.startswith(ref) or image.id.partition(":")[2].startswith(ref)
        if by_id:
            self._untag_single(image, force=force)
        else:
            self._untag_name(image, ref, force=force)
            if image.references:
                return
        self._delete(image, force=force, is_quiet=not by_id)

    def _untag_name(self, image: StoredImage, ref: str, *, force: bool) -> None:
        """Take one name away; the last one only with force while containers use the image (N1)."""
        user = next(iter(self.containers.using(image)), None)
        if not force and len(image.references) == 1 and user is not None:
            raise ImageInUseError(
                f'conflict: unable to remove repository reference "{ref}" (must force) - '
                f"container {short_id(user.id)} is using its referenced image {short_id(image.id)}"
            )
        self._untag(image, parse_reference(ref))

    def _untag_single(self, image: StoredImage, *, force: bool) -> None:
        """Take the only name of an image that is removed by id away, if nothing else holds the image."""
        if len(image.references) == 1:
            self._check(image, force=force, tags_count=False)
            self._untag(image, image.references[0])

    def _delete(self, image: StoredImage, *, force: bool, is_quiet: bool) -> None:
        """Delete an image and, quietly, the parents that only it kept."""
        try:
            self._check(image, force=force, tags_count=True)
        except ImageInUseError:
            if is_quiet:
                return
            raise
        for reference in image.references:
            self._untag(image, reference)
        parent = image.parent
        self.images.delete(image)
        self.records.append(("deleted", image.id))
        for layer in self.layers.release(image.top):
            self.freed += layer.size
            self.records.append(("deleted", layer.chain_id))
        if parent is not None:
            self._delete(parent, force=False, is_quiet=True)

    def _check(self, image: StoredImage, *, force: bool, tags_count: bool) -> None:
        """Raise the first of E1, E2, E3, E4 that applies."""
        users = self.containers.using(image)
        running = next((container for container in users if container.is_active), None)
        stopped = next((container for container in users if not container.is_active), None)
        if image.children:
            raise _conflict(image, "cannot be forced", "image has dependent child images")
        if running is not None:
            raise _conflict(image, "cannot be forced", _used_by("running", running))
        if force:
            return
        if tags_count and image.references:
            raise _conflict(image, "must be forced", "image is referenced in multiple repositories")
        if stopped is not None:
            raise _conflict(image, "must be forced", _used_by("stopped", stopped))

    def _untag(self, image: StoredImage, reference: Reference) -> None:
        if reference in image.references:
            self.images.untag(reference)
        self.records.append(("untagged", str(reference)))


def _used_by(state: str, container: Container) -> str:
    return f"image is being used by {state} container {short_id(container.id)}"


def _conflict(image: StoredImage, force: str, why: str) -> ImageInUseError:
    return ImageInUseError(f"conflict: unable to delete {short_id(image.id)} ({force}) - {why}")
