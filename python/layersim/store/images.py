"""Images by id, the tags that point at them, and which image was made from which."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from layersim.errors import ImageNotFoundError, InvalidReferenceError
from layersim.image import Image, Reference, parse_config, parse_name, tag_of_name, tagged_or_as_it_is
from layersim.image.instant import unix_seconds
from layersim.profiles.naming import GRAPH_20, Naming
from layersim.store.content import NO_CONTENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from layersim.image import ImageConfig, Name
    from layersim.store.content import Contents
    from layersim.store.layers import StoredLayer

_Named = TypeVar("_Named")
_ID_OR_PREFIX = re.compile(r"(?:sha256:)?[0-9a-f]{1,64}", re.ASCII)


class StoredImage:
    """One image of an engine; it holds its top layer and its blobs.

    Attributes
    ----------
    top : StoredLayer or None
        None for an image without layers.
    contents : Contents
        The blobs that it reaches; none where an engine keeps unpacked layers alone.
    references : tuple of Reference
        The tags that point here, in their order; `name` and `unname` make another.
    tags : tuple of str
        The same in their familiar form.
    parent : StoredImage or None
        The image it was committed from; `children` is the other direction.
    has_lost_parent : bool
        Whether the image that it was committed from was removed.
    packed_numbers : bytes
        `numbers` as they are in memory, uint32.
    own_size : int
        Bytes of its content that no other image can share.
    created_s : int
        Seconds since 1970.
    """

    __slots__ = (
        "_config",
        "children",
        "contents",
        "created_s",
        "has_lost_parent",
        "id",
        "own_size",
        "packed_numbers",
        "parent",
        "raw_config",
        "references",
        "size",
        "tags",
        "top",
    )

    def __init__(
        self,
        image_id: str,
        raw_config: bytes,
        config: ImageConfig | None,
        top: StoredLayer | None,
        contents: Contents = NO_CONTENTS,
    ) -> None:
        self.id = image_id
        self.raw_config = raw_config
        self._config = config
        self.top = top
        self.contents = contents
        self.references: tuple[Reference, ...] = ()
        self.tags: tuple[str, ...] = ()
        self.parent: StoredImage | None = None
        self.has_lost_parent = False
        self.children: set[StoredImage] = set()
        self.own_size = contents.own_size
        self.size = contents.size + sum([layer.size for layer in self.chain])
        # Who leaves the config for later tells what of it is asked for first.
        self.created_s = unix_seconds(config.created) if config is not None else 0

    @property
    def config(self) -> ImageConfig:
        """The raw config as a value; that of a saved image is read when it is first wanted."""
        if self._config is None:
            self._config = parse_config(self.raw_config, self.id)
        return self._config

    def __getattr__(self, name: str) -> bytes:
        """Make `packed_numbers` when first wanted; a property would be slow where many images are summed up."""
        if name != "packed_numbers":
            raise AttributeError(name)
        numbers = [layer.number for layer in self.chain]
        if self.own_size < self.contents.size:
            numbers += [blob.number for blob in self.contents.blobs]
        self.packed_numbers: bytes = np.array(numbers, dtype=np.uint32).tobytes()
        return self.packed_numbers

    @property
    def numbers(self) -> NDArray[np.uint32]:
        """The numbers of its layers, base first, and of its blobs, in the ledger."""
        return np.frombuffer(self.packed_numbers, dtype=np.uint32)

    @property
    def chain(self) -> list[StoredLayer]:
        """Its layers, base first."""
        return self.top.chain() if self.top is not None else []

    @property
    def has_content(self) -> bool:
        """Whether its layers are more than digests and sizes."""
        return not any(place.layer.is_synthetic for place in self.chain)

    @property
    def is_listed(self) -> bool:
        """Whether lists show it: it has a tag, or no image was made from it (accounting.md section 2)."""
        return bool(self.references) or not self.children

    def name(self, reference: Reference) -> None:
        """Let a tag point here that does not yet."""
        place = bisect_left(self.references, reference)
        self.references = (*self.references[:place], reference, *self.references[place:])
        self.tags = (*self.tags[:place], str(reference), *self.tags[place:])

    def unname(self, reference: Reference) -> None:
        """Let a tag that points here do so no more."""
        place = bisect_left(self.references, reference)
        self.references = self.references[:place] + self.references[place + 1 :]
        self.tags = self.tags[:place] + self.tags[place + 1 :]

    def value(self) -> Image:
        """Return the image as it is now."""
        chain = self.chain
        return Image(
            id=self.id,
            tags=self.tags,
            layers=tuple(place.layer for place in chain),
            layer_sizes=tuple(place.size for place in chain),
            config=self.config,
            raw_config=self.raw_config,
            parent=self.parent.id if self.parent else None,
            content_size=self.contents.size,
        )


class ImageStore:
    """The images and tags of one engine.

    Parameters
    ----------
    naming : Naming, optional
        How images are found by what they are called.
    """

    def __init__(self, naming: Naming = GRAPH_20) -> None:
        self.naming = naming
        self._images: dict[str, StoredImage] = {}
        self._tags: dict[str, StoredImage] = {}

    def __len__(self) -> int:
        """Return how many images there are, hidden ones included."""
        return len(self._images)

    def __iter__(self) -> Iterator[StoredImage]:
        """Iterate over all images, oldest registration first."""
        return iter(self._images.values())

    def lookup(self, image_id: str) -> StoredImage | None:
        """Return the image of exactly this id, or None."""
        return self._images.get(image_id)

    def add(self, image: StoredImage) -> None:
        """Register an image."""
        self._images[image.id] = image

    def set_parent(self, image: StoredImage, parent: StoredImage) -> None:
        """Record which image another was made from.

        Raises
        ------
        ValueError
            That one was made from it itself.
        """
        ancestor: StoredImage | None = parent
        while ancestor is not None:
            if ancestor is image:
                raise ValueError(f"{parent.id} was made from {image.id} and cannot be its parent")
            ancestor = ancestor.parent
        if image.parent is not None:
            image.parent.children.discard(image)
        image.parent = parent
        parent.children.add(image)

    def delete(self, image: StoredImage) -> None:
        """Forget an image that no tag points at; images made from it lose their parent."""
        del self._images[image.id]
        if image.parent is not None:
            image.parent.children.discard(image)
        for child in image.children:
            child.parent = None
            child.has_lost_parent = True

    def tag(self, reference: Reference, image: StoredImage) -> StoredImage | None:
        """Point a tag at an image.

        Returns
        -------
        StoredImage or None
            The one it pointed at before, if that was another.
        """
        before = self._tags.get(str(reference))
        if before is not None:
            before.unname(reference)
        self._tags[str(reference)] = image
        image.name(reference)
        return before if before is not image else None

    def untag(self, reference: Reference) -> None:
        """Take a tag away."""
        self._tags.pop(str(reference)).unname(reference)

    def tagged(self, repository: str) -> list[tuple[Reference, StoredImage]]:
        """Return all tags of a repository, sorted."""
        pairs = ((reference, image) for image in self for reference in image.references)
        return sorted((pair for pair in pairs if pair[0].repository == repository), key=lambda pair: pair[0])

    def find(self, text: str) -> StoredImage:
        """Return the image that a tag, an id or a prefix of an id means.

        Returns
        -------
        StoredImage
            The only one that answers.

        Raises
        ------
        ImageNotFoundError
            There is none, or a prefix fits several.
        InvalidReferenceError
            The text is neither.
        """
        return find_named(text, self._tags, self._images, self.naming)


def find_named(text: str, tagged: Mapping[str, _Named], by_id: Mapping[str, _Named], naming: Naming) -> _Named:
    """Return what a tag, a name with a digest, an id or a prefix of an id means.

    Parameters
    ----------
    text : str
        What was asked for.
    tagged : mapping
        By familiar tag.
    by_id : mapping
        By full id.
    naming : Naming
        The engine's rules and words.

    Returns
    -------
    object
        The only one that answers.

    Raises
    ------
    ImageNotFoundError
        There is none, or a prefix fits several.
    InvalidReferenceError
        The text is neither.
    """
    for known in (tagged, by_id):
        if text in known:
            return known[text]
    try:
        name = parse_name(text, naming.grammar)
    except InvalidReferenceError:
        if not _ID_OR_PREFIX.fullmatch(text):
            raise
    else:
        found = _by_digest(name, tagged, by_id, naming) if name.digest else tagged.get(str(tag_of_name(name)))
        if found is not None:
            return found
    return _find_prefix(text, by_id, naming)


def _by_digest(name: Name, tagged: Mapping[str, _Named], by_id: Mapping[str, _Named], naming: Naming) -> _Named | None:
    """Return the image of a digest if it has any tag of the repository: as in moby, the tag asked for is no matter."""
    found = by_id.get(name.digest or "") if naming.finds_digests else None
    own = (tag for tag, named in tagged.items() if found is not None and named == found)
    return found if any(tag.rpartition(":")[0] == tag_of_name(name).repository for tag in own) else None


def _find_prefix(text: str, by_id: Mapping[str, _Named], naming: Naming) -> _Named:
    digits = text.removeprefix("sha256:")
    is_prefix = len(digits) >= naming.shortest_id and _ID_OR_PREFIX.fullmatch(text)
    prefix = f"sha256:{digits}"
    found = [named for image_id, named in by_id.items() if image_id.startswith(prefix)] if is_prefix else []
    if len(found) == 1:
        return found[0]
    ambiguous = ": several ids start so" if found else ""
    raise ImageNotFoundError(naming.not_found(text, tagged_or_as_it_is(text)) + ambiguous)
