"""Taking images in: all of an archive are checked before the first is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.errors import ChainTooDeepError, ValidationError
from layersim.image import Image
from layersim.profiles.made import history_entry
from layersim.store import StoredImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from layersim._core import Layer
    from layersim.image import ImageConfig
    from layersim.layout import ArchivedImage
    from layersim.profiles import Profile
    from layersim.store import ImageStore, LayerStore


class Loaded(list[Image]):
    """The images of an archive, in its order; `messages` and `str` are what `docker load` prints."""

    def __init__(self, images: Iterable[Image], messages: Sequence[str]) -> None:
        super().__init__(images)
        self.messages = tuple(messages)

    def __str__(self) -> str:
        """Return what `docker load` prints."""
        return "\n".join(self.messages)


def check_archive(images: Sequence[ArchivedImage], profile: Profile) -> dict[str, str]:
    """Return child id to parent id within the archive, once all images are known to be acceptable.

    Raises
    ------
    ChainTooDeepError, ValidationError
        An image is for another operating system, has too many layers, or names a parent that it cannot have been
        made from.
    """
    by_id = {image.id: image for image in images}
    parents = {}
    for image_id, image in by_id.items():
        if image.config.os not in {None, "", profile.os}:
            breach = f"cannot load {image.config.os} image on {profile.os}"
            raise ValidationError(breach, [breach])
        if len(image.layers) > profile.deepest_chain:
            raise ChainTooDeepError("max depth exceeded", profile.deepest_chain)
        parent = by_id.get(image.parent or "")
        if parent is not None and parent is not image:
            _check_parent(image_id, image.config, parent)
            parents[image_id] = parent.id
    return parents


def register(
    images: ImageStore,
    layers: LayerStore,
    made: tuple[ImageConfig, bytes, str],
    stack: Sequence[Layer],
    size_of: Callable[[Layer], int],
) -> StoredImage:
    """Keep an image and its layers; one that is kept already stays as it is.

    Parameters
    ----------
    made : (ImageConfig, bytes, str)
        Config, its raw bytes, their digest.
    stack : sequence of Layer
        Base first.
    size_of : callable
        D(L) by the way in.
    """
    config, raw, image_id = made
    known = images.lookup(image_id)
    if known is not None:
        return known
    image = StoredImage(image_id, raw, config, layers.hold(stack, size_of))
    images.add(image)
    return image


def load_archive(
    images: ImageStore, layers: LayerStore, archived: Sequence[ArchivedImage], size_of: Callable[[Layer], int]
) -> Loaded:
    """Register the checked images of an archive, and move the tags that they bring."""
    messages, ids, loaded = [], [], []
    for one in archived:
        image = register(images, layers, (one.config, one.raw_config, one.id), one.layers, size_of)
        ids.append(f"Loaded image ID: {image.id}")
        for reference in one.references:
            # As moby does: it says that it loaded such a tag, and sets none.
            before = None if reference.is_ambiguous else images.tag(reference, image)
            if before is not None:
                messages.append(
                    f"The image {reference} already exists, renaming the old one with ID {before.id} to empty string"
                )
            messages.append(f"Loaded image: {reference}")
        loaded.append(image)
    # As moby does: the ids are told when the last image has no tag, not when none has.
    if not (archived and archived[-1].references):
        messages += ids
    return Loaded([image.value() for image in loaded], messages)


def _check_parent(image_id: str, config: ImageConfig, parent: ArchivedImage) -> None:
    own = [history_entry(entry) for entry in config.history or ()]
    theirs = [history_entry(entry) for entry in parent.config.history or ()]
    if (own or theirs) and (len(own) != len(theirs) + 1 or own[:-1] != theirs):
        breach = f"image {parent.id} is not a valid parent for {image_id}"
        raise ValidationError(breach, [breach])
