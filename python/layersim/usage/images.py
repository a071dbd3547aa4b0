"""What images take, and who shares what (accounting.md sections 2 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, overload

import numpy as np

from layersim._core import usage
from layersim.image.instant import to_datetime
from layersim.usage.rows import ImageRow, ImageUsageRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from layersim._core import Usage
    from layersim.profiles import Profile
    from layersim.store import StoredImage

_NUMBER_BYTES = np.dtype(np.uint32).itemsize


class ImageUsages(Sequence[ImageUsageRow]):
    """The listed images of an engine, newest first, with sizes as columns; a row is made when it is looked at.

    What may change in an engine is taken down at once, so that rows tell of one moment, whenever they are made.

    Parameters
    ----------
    images : iterable of StoredImage
        All images, hidden ones included.
    sizes : ndarray of uint64
        Bytes by layer number.
    containers : mapping of str to int
        How many containers each image id has; it is not to change any more.
    rules : Profile
        Whether hidden images make layers shared, and whether what they hold is part of the sum.
    has_content : bool
        Whether the engine keeps blobs beside the unpacked layers.
    """

    def __init__(
        self,
        images: Iterable[StoredImage],
        sizes: NDArray[np.uint64],
        containers: Mapping[str, int],
        rules: Profile,
        *,
        has_content: bool,
    ) -> None:
        known = list(images)
        tags = list(map(attrgetter("tags"), known))
        # What has a tag is listed; the few others are asked.
        listed = np.fromiter(map(bool, tags), dtype=np.bool_, count=len(known))
        for place in np.flatnonzero(~listed).tolist():
            listed[place] = known[place].is_listed
        self._images = known
        self._tags = tags
        self._containers = containers
        everything = np.ones_like(listed)
        self._usage = _sum_up(known, sizes, everything if rules.counts_hidden else listed)
        # What an image lists more than once counts as often, and is nobody else's.
        self._own = np.zeros(len(known), dtype=np.uint64)
        if has_content:
            self._own[:] = [image.own_size for image in known]
        is_settled = rules.counts_hidden == rules.sums_hidden or bool(listed.all())
        summed = self._usage if is_settled else _sum_up(known, sizes, everything if rules.sums_hidden else listed)
        self._layers_size = summed.layers_size
        self._order = newest_first(known, listed)

    def __len__(self) -> int:
        """Return how many images are listed."""
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> ImageUsageRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageUsageRow]: ...
    def __getitem__(self, index: int | slice) -> ImageUsageRow | list[ImageUsageRow]:
        """Return one row, or several."""
        if isinstance(index, slice):
            return list(self._rows(self._order[index]))
        return next(self._rows(self._order[index, np.newaxis]))

    def __iter__(self) -> Iterator[ImageUsageRow]:
        """Iterate over the rows."""
        return self._rows(self._order)

    @property
    def layers_size(self) -> int:
        """Bytes of everything that the images of the sum hold, each layer and blob once."""
        return self._layers_size

    @cached_property
    def active(self) -> int:
        """How many listed images have a container."""
        return int(self._is_used.sum())

    @property
    def unique_in_use(self) -> int:
        """Bytes that the images with containers hold alone."""
        return int(self._unique[self._is_used].sum())

    @property
    def unique_unused(self) -> int:
        """Bytes that the images without containers hold alone."""
        return int(self._unique[~self._is_used].sum())

    @cached_property
    def _unique(self) -> NDArray[np.uint64]:
        unique = self._usage.unique_size + self._own
        return unique[self._order]

    @cached_property
    def _is_used(self) -> NDArray[np.bool_]:
        if not self._containers:
            return np.zeros(len(self._order), dtype=np.bool_)
        ids = (self._images[place].id for place in self._order.tolist())
        return np.fromiter(map(self._containers.__contains__, ids), dtype=np.bool_, count=len(self._order))

    def _rows(self, places: NDArray[np.int64]) -> Iterator[ImageUsageRow]:
        sums, own = self._usage, self._own[places]
        sizes = sums.size[places] + own, sums.shared_size[places], sums.unique_size[places] + own
        columns = (column.tolist() for column in (places, *sizes))
        for place, size, shared_size, unique_size in zip(*columns, strict=True):
            image = self._images[place]
            yield ImageUsageRow(
                id=image.id,
                tags=self._tags[place],
                created=to_datetime(image.created_s * 10**9),
                size=size,
                shared_size=shared_size,
                unique_size=unique_size,
                containers=self._containers.get(image.id, 0),
            )


def image_rows(images: Iterable[StoredImage], containers: Mapping[str, int], *, hidden: bool) -> list[ImageRow]:
    """Return images newest first; `hidden` takes in those that others were made from and that have no tag.

    Parameters
    ----------
    images : iterable of StoredImage
        All images, hidden ones included.
    containers : mapping of str to int
        How many containers each image id has.
    hidden : bool
        Whether to show what lists leave out.
    """
    known = list(images)
    shown = np.fromiter((hidden or image.is_listed for image in known), dtype=np.bool_, count=len(known))
    return [
        ImageRow(
            id=image.id,
            tags=image.tags,
            created=to_datetime(image.created_s * 10**9),
            size=image.size,
            content_size=image.contents.size,
            containers=containers.get(image.id, 0),
        )
        for image in (known[place] for place in newest_first(known, shown))
    ]


def _sum_up(images: list[StoredImage], sizes: NDArray[np.uint64], counted: NDArray[np.bool_]) -> Usage:
    return usage(sizes, *packed_numbers(images), counted)


def packed_numbers(images: Iterable[StoredImage]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Return the numbers of what images hold, image after image, and where each image starts."""
    chains = list(map(attrgetter("packed_numbers"), images))
    offsets = np.zeros(len(chains) + 1, dtype=np.uint64)
    np.cumsum(np.fromiter(map(len, chains), dtype=np.uint64, count=len(chains)), out=offsets[1:])
    # Many times as fast as `np.concatenate`, where the arrays are many and short.
    return np.frombuffer(b"".join(chains), dtype=np.uint32), offsets // np.uint64(_NUMBER_BYTES)


def newest_first(images: list[StoredImage], shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places of the shown images; those of one second stay in the order of their registration."""
    created_s = np.fromiter(map(attrgetter("created_s"), images), dtype=np.int64, count=len(images))
    order = np.argsort(-created_s, kind="stable")
    return order[shown[order]]
