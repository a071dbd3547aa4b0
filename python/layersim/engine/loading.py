"""Taking images in: all of an archive are checked before the first is registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.errors import ChainTooDeepError, ValidationError
from layersim.image import Image, parse_name
from layersim.image.parenthood import is_parent
from layersim.store import NO_CONTENTS, StoredImage, check_total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layersim.image import ImageConfig
    from layersim.layout import ArchivedImage
    from layersim.profiles import Profile
    from layersim.store import ContentStore, ImageStore, LayerStore


class Loaded(list[Image]):
    """The images of an archive, in its order; `messages` and `str` are what `docker load` prints."""

    def __init__(self, images: Iterable[Image], messages: Sequence[str]) -> None:
        super().__init__(images)
        self.messages = tuple(messages)

    def __str__(self) -> str:
        """Return what `docker load` prints."""
        return "\n".join(self.messages)


def check_archive(images: Sequence[ArchivedImage], profile: Profile) -> dict[str, str]:
    """Return child to parent within the archive, by the digests of their configs, once all are known to be acceptable.

    Raises
    ------
    ChainTooDeepError, ValidationError
        An image is for another operating system, has too many layers, or names a parent that it cannot have been
        made from.
    InvalidReferenceError
        A tag is none by the engine's grammar.
    """
    by_id = {image.id: image for image in images}
    parents = {}
    for image_id, image in by_id.items():
        if image.config.os not in {None, "", profile.os}:
            breach = f"cannot load {image.config.os} image on {profile.os}"
            raise ValidationError(breach, [breach])
        if len(image.layers) > profile.deepest_chain:
            raise ChainTooDeepError("max depth exceeded", profile.deepest_chain)
        for reference in image.references:
            parse_name(str(reference), profile.naming.grammar)
        parent = by_id.get(image.parent or "")
        if parent is not None and parent is not image:
            _check_parent(image_id, image.config, parent)
            parents[image_id] = parent.id
    return parents


@dataclass(frozen=True)
class Registrar:
    """Takes images into the stores of an engine, by its rules.

    Attributes
    ----------
    profile : Profile
        Whose rules.
    images, layers, contents
        The stores.
    """

    profile: Profile
    images: ImageStore
    layers: LayerStore
    contents: ContentStore

    def register(self, image: ArchivedImage, way: str) -> StoredImage:
        """Keep an image and what it holds; one that is kept already stays as it is.

        Parameters
        ----------
        image : ArchivedImage
            Checked.
        way : str
            How its layers come in, which decides what their sizes are.

        Raises
        ------
        ValueError
            There is no such way, or there would be more bytes in all than 63 bits hold.
        """
        size_of = self.profile.size_rule(way)
        package = self.profile.package(image, way)
        known = self.images.lookup(package.id)
        if known is not None:
            return known
        top, contents = self.layers.hold(image.layers, size_of), NO_CONTENTS
        try:
            contents = self.contents.hold(package.blobs, package.payloads)
            stored = StoredImage(package.id, image.raw_config, image.config, top, contents)
            check_total(stored.size)
        except ValueError:
            self.contents.release(contents.blobs)
            self.layers.release(top)
            raise
        self.images.add(stored)
        return stored

    def load(self, archived: Sequence[ArchivedImage], parents: Mapping[str, str], way: str) -> Loaded:
        """Register the checked images of an archive, and move the tags that they bring."""
        messages, ids, loaded, by_config = [], [], [], {}
        for one in archived:
            image = by_config[one.id] = self.register(one, way)
            loaded.append(image)
            ids.append(f"Loaded image ID: {image.id}")
            for reference in one.references:
                # As moby does: it says that it loaded such a tag, and sets none.
                before = None if reference.is_ambiguous else self.images.tag(reference, image)
                if before is not None and self.profile.tells_renaming:
                    renaming = f"renaming the old one with ID {before.id} to empty string"
                    messages.append(f"The image {reference} already exists, {renaming}")
                messages.append(f"Loaded image: {reference}")
        for child, parent in parents.items():
            self.images.set_parent(by_config[child], by_config[parent])
        # As moby does: the ids are told when the last image has no tag, not when none has.
        if not (archived and archived[-1].references):
            messages += ids
        return Loaded([image.value() for image in loaded], messages)


def _check_parent(image_id: str, config: ImageConfig, parent: ArchivedImage) -> None:
    if not is_parent(parent.config, config):
        breach = f"image {parent.id} is not a valid parent for {image_id}"
        raise ValidationError(breach, [breach])
