"""Removing images: tags first, then the image, then its parents, as accounting.md section 8 tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.errors import ImageInUseError, ImageNotFoundError
from layersim.image import parse_name, parse_reference, tag_of_name, tagged_or_as_it_is
from layersim.units import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.container import ContainerStore
    from layersim.image import Reference
    from layersim.profiles.removal import RemovalRules
    from layersim.store import ContentStore, ImageStore, LayerStore, StoredImage


@dataclass(frozen=True)
class Removed:
    """What a removal did, in order.

    Attributes
    ----------
    records : tuple of (str, str)
        ``untagged`` and a tag, or ``deleted`` and the id of an image, the chain id of a layer or the digest of a blob.
    freed : int
        Bytes of the layers and blobs that are gone.
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

    rules: RemovalRules
    images: ImageStore
    layers: LayerStore
    contents: ContentStore
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
        if "@" in ref:
            self._remove_pinned(image, ref, force=force)
            return
        if by_id:
            self._untag_single(image, force=force)
        else:
            self._untag_name(image, ref, force=force)
            if image.references or (self.rules.containers_keep and self.containers.using(image)):
                return
        self._delete(image, force=force, is_quiet=not by_id)

    def untag(self, image: StoredImage, reference: Reference) -> None:
        """Take one tag away, and say so."""
        if reference in image.references:
            self.images.untag(reference)
        self.records.append(("untagged", str(reference)))

    def drop(self, image: StoredImage) -> list[str]:
        """Forget an image without tags; return the layers and blobs that went with it, layers first."""
        self.images.delete(image)
        layers, blobs = self.layers.release(image.top), self.contents.release(image.contents.blobs)
        self.freed += sum(layer.size for layer in layers) + sum(blob.size for blob in blobs)
        return [*(layer.chain_id for layer in layers), *(blob.digest for blob in blobs)]

    def _untag_name(self, image: StoredImage, ref: str, *, force: bool) -> None:
        """Take one name away; the last one only with force while containers use the image (N1)."""
        user = next(iter(self.containers.using(image)), None)
        if not force and len(image.references) == 1 and user is not None:
            tag = ref if self.rules.tells_layers else str(parse_reference(ref))
            raise ImageInUseError(self.rules.name_in_use(tag, short_id(user.id), short_id(image.id)))
        self.untag(image, parse_reference(ref))

    def _remove_pinned(self, image: StoredImage, ref: str, *, force: bool) -> None:
        """Take away the tags of a name with a digest; the image goes with the last of them, as if removed by its id."""
        name = parse_name(ref)
        wanted = tag_of_name(name)
        tags = [one for one in image.references if one.repository == wanted.repository]
        tags = [one for one in tags if name.tag in {None, one.tag}]
        if not tags:
            naming = self.images.naming
            raise ImageNotFoundError(naming.not_found(ref, tagged_or_as_it_is(ref)))
        goes = len(tags) == len(image.references)
        if goes:
            self._check(image, force=force, most_tags=len(tags))
        for reference in tags:
            self.untag(image, reference)
        if goes:
            self._delete(image, force=force, is_quiet=False)

    def _untag_single(self, image: StoredImage, *, force: bool) -> None:
        """Take the only name of an image that is removed by id away, if nothing else holds the image."""
        if len(image.references) == 1:
            self._check(image, force=force, most_tags=1)
            self.untag(image, image.references[0])

    def _delete(self, image: StoredImage, *, force: bool, is_quiet: bool) -> None:
        """Delete an image and, quietly, the parents that only it kept."""
        try:
            self._check(image, force=force, most_tags=0)
        except ImageInUseError:
            if is_quiet:
                return
            raise
        for reference in image.references:
            self.untag(image, reference)
        self.records.append(("deleted", image.id))
        parent, line = image.parent, _line(image) if self.rules.children_keep else []
        if not (self.rules.children_keep and is_quiet and image.children and not force):
            gone = self.drop(image)
            self.records += [("deleted", name) for name in gone if self.rules.tells_layers]
        if self.rules.children_keep:
            self._delete_line(line)
        elif parent is not None:
            self._delete(parent, force=False, is_quiet=True)

    def _delete_line(self, parents: list[StoredImage]) -> None:
        """Delete parents up to the first that has a tag or a container."""
        for parent in parents:
            if parent.references or self.containers.using(parent):
                return
            self.records.append(("deleted", parent.id))
            self.drop(parent)

    def _check(self, image: StoredImage, *, force: bool, most_tags: int) -> None:
        """Raise the first of what stands in the way (E1, E2, E3, E4)."""
        rules = self.rules
        for obstacle in rules.obstacles:
            is_hard = obstacle in rules.hard
            if (why := self._met(image, obstacle, most_tags)) and (is_hard or not force):
                way = "cannot be forced" if is_hard else "must be forced"
                raise ImageInUseError(f"conflict: unable to delete {short_id(image.id)} ({way}) - {why}")

    def _met(self, image: StoredImage, obstacle: str, most_tags: int) -> str | None:
        """Return what stands in the way, if it does."""
        if obstacle == "children":
            return "image has dependent child images" if image.children else None
        if obstacle == "tags":
            return "image is referenced in multiple repositories" if len(image.references) > most_tags else None
        users = self.containers.using(image)
        user = next((container for container in users if container.is_active == (obstacle == "running")), None)
        return f"image is being used by {obstacle} container {short_id(user.id)}" if user is not None else None


def _line(image: StoredImage) -> list[StoredImage]:
    """Return what an image was made from, nearest first; nothing where one of the line was removed."""
    line, last = [], image
    while last.parent is not None:
        last = last.parent
        line.append(last)
    return [] if last.has_lost_parent else line
