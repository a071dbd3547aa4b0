"""Images by id, the tags that point at them, and which image was made from which."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from layersim.errors import ImageNotFoundError, InvalidReferenceError
from layersim.image import Image, Reference, parse_config, parse_reference
from layersim.image.instant import unix_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from layersim.image import ImageConfig
    from layersim.store.layers import StoredLayer

_ID_OR_PREFIX = re.compile(r"(?:sha256:)?[0-9a-f]{1,64}", re.ASCII)


class StoredImage:
    """One image of an engine; it holds its top layer.

    Attributes
    ----------
    top : StoredLayer or None
        None for an image without layers.
    references : tuple of Reference
        The tags that point here, in their order; `name` and `unname` make another.
    tags : tuple of str
        The same in their familiar form.
    parent : StoredImage or None
        The image it was committed from; `children` is the other direction.
    created_s : int
        Seconds since 1970.
    """

    __slots__ = (
        "_config",
        "_numbers",
        "children",
        "created_s",
        "id",
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
        created_s: int | None = None,
    ) -> None:
        self.id = image_id
        self.raw_config = raw_config
        self._config = config
        self.top = top
        self.references: tuple[Reference, ...] = ()
        self.tags: tuple[str, ...] = ()
        self.parent: StoredImage | None = None
        self.children: set[StoredImage] = set()
        self._numbers: NDArray[np.uint32] | None = None
        self.size = sum([layer.size for layer in self.chain])
        self.created_s = unix_seconds(self.config.created) if created_s is None else created_s

    @property
    def config(self) -> ImageConfig:
        """The raw config as a value; that of a saved image is read when it is first wanted."""
        if self._config is None:
            self._config = parse_config(self.raw_config, self.id)
        return self._config

    @property
    def numbers(self) -> NDArray[np.uint32]:
        """The numbers of its layers, base first."""
        if self._numbers is None:
            self._numbers = np.array([layer.number for layer in self.chain], dtype=np.uint32)
        return self._numbers

    @property
    def chain(self) -> list[StoredLayer]:
        """Its layers, base first."""
        return self.top.chain() if self.top is not None else []

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
        )


class ImageStore:
    """The images and tags of one engine."""

    def __init__(self) -> None:
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
        """Record which image another was made from."""
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
        found = self._tags.get(text) or self._images.get(text)
        return found or self._find_tag(text) or self._find_prefix(text)

    def _find_tag(self, text: str) -> StoredImage | None:
        try:
            return self._tags.get(str(parse_reference(text)))
        except InvalidReferenceError:
            if _ID_OR_PREFIX.fullmatch(text):
                return None
            raise

    def _find_prefix(self, text: str) -> StoredImage:
        prefix = "sha256:" + text.removeprefix("sha256:")
        found = [image for image_id, image in self._images.items() if image_id.startswith(prefix)]
        if len(found) == 1 and _ID_OR_PREFIX.fullmatch(text):
            return found[0]
        ambiguous = ": several ids start so" if found else ""
        raise ImageNotFoundError(f"No such image: {text}{ambiguous}")
