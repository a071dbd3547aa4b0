"""What images and containers take, and who shares what (accounting.md sections 2 to 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, overload

import numpy as np

from layersim._core import usage
from layersim.image.instant import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from layersim._core import Usage
    from layersim.container import Container
    from layersim.container.value import Life
    from layersim.store import StoredImage


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image: full id, familiar tags, when it was made, bytes of all its layers."""

    id: str
    tags: tuple[str, ...]
    created: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ImageUsageRow:
    """One image, what of it others hold too, what it holds alone, and how many containers it has; sizes in bytes."""

    id: str
    tags: tuple[str, ...]
    created: datetime
    size: int
    shared_size: int
    unique_size: int
    containers: int


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """One container.

    Attributes
    ----------
    image : str
        The reference it was created with; the image's id where that means another image by now.
    image_id : str
        The id of its image.
    since : datetime
        When it came into its state.
    size_rw, size_root_fs : int
        Bytes of its own writes; the same and its image's.
    volumes : int
        How many volumes its image declares.
    has_healthcheck : bool
        Whether its image says how to see that it is well.
    """

    id: str
    name: str
    image: str
    image_id: str
    command: tuple[str, ...]
    created: datetime
    state: str
    since: datetime
    exit_code: int
    size_rw: int
    size_root_fs: int
    volumes: int
    has_healthcheck: bool


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """One volume: how many containers mount it, and bytes of what is in it."""

    name: str
    links: int
    size: int


@dataclass(frozen=True, slots=True)
class BuildCacheRow:
    """One record of the build cache; `is_shared` says that an image holds its layer too."""

    id: str
    type: str
    size: int
    created: datetime
    last_used: datetime | None
    usage_count: int
    is_in_use: bool
    is_shared: bool


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of `system df`: how many there are and are in use, bytes held, bytes that could be freed."""

    type: str
    total: int
    active: int
    size: int
    reclaimable: int


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
    counts_hidden : bool
        Whether hidden images make layers shared.
    """

    def __init__(
        self,
        images: Iterable[StoredImage],
        sizes: NDArray[np.uint64],
        containers: Mapping[str, int],
        *,
        counts_hidden: bool,
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
        self._usage = _sum_up(known, sizes, np.ones_like(listed) if counts_hidden else listed)
        self._order = _newest_first(known, listed)

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
        """Bytes of every layer that a counted image holds, each once."""
        return self._usage.layers_size

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
        return self._usage.unique_size[self._order]

    @cached_property
    def _is_used(self) -> NDArray[np.bool_]:
        if not self._containers:
            return np.zeros(len(self._order), dtype=np.bool_)
        ids = (self._images[place].id for place in self._order.tolist())
        return np.fromiter(map(self._containers.__contains__, ids), dtype=np.bool_, count=len(self._order))

    def _rows(self, places: NDArray[np.int64]) -> Iterator[ImageUsageRow]:
        sums = self._usage
        sizes = (column[places].tolist() for column in (sums.size, sums.shared_size, sums.unique_size))
        for place, size, shared_size, unique_size in zip(places.tolist(), *sizes, strict=True):
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


class ContainerUsages(Sequence[ContainerRow]):
    """Containers newest first; a row is made when it is looked at.

    What may change in an engine is taken down at once, so that rows tell of one moment, whenever they are made.

    Parameters
    ----------
    containers : iterable of Container
        Oldest first.
    name_of : callable
        What a container was created with, and its image, to what the image is called now.
    """

    def __init__(self, containers: Iterable[Container], name_of: Callable[[str, StoredImage], str]) -> None:
        newest_first = list(containers)[::-1]
        # Sorting in reverse leaves those of one moment in the order that they are in.
        newest_first.sort(key=attrgetter("created_ns"), reverse=True)
        self._containers = newest_first
        self._lives = [container.life for container in newest_first]
        self._written = [container.size_rw for container in newest_first]
        made_with = {(container.image_name, container.image) for container in newest_first}
        self._names = {(name, image): name_of(name, image) for name, image in made_with}

    def __len__(self) -> int:
        """Return how many containers there are."""
        return len(self._containers)

    @overload
    def __getitem__(self, index: int) -> ContainerRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ContainerRow]: ...
    def __getitem__(self, index: int | slice) -> ContainerRow | list[ContainerRow]:
        """Return one row, or several."""
        if isinstance(index, slice):
            return list(map(self._row, self._containers[index], self._lives[index], self._written[index]))
        return self._row(self._containers[index], self._lives[index], self._written[index])

    @cached_property
    def summary(self) -> SummaryRow:
        """The line of the containers: what those that do not run have written could be freed."""
        active = sum(life.is_active for life in self._lives)
        in_use = sum(size for size, life in zip(self._written, self._lives, strict=True) if size and life.is_active)
        size = sum(self._written)
        return SummaryRow("Containers", len(self), active, size, size - in_use)

    def _row(self, container: Container, life: Life, size_rw: int) -> ContainerRow:
        image = container.image
        run_config = image.config.run_config
        test = run_config.healthcheck.test if run_config.healthcheck else None
        return ContainerRow(
            id=container.id,
            name=container.name,
            image=self._names[container.image_name, image],
            image_id=image.id,
            command=container.command,
            created=container.created,
            state=life.state,
            since=to_datetime(life.since_ns or container.created_ns),
            exit_code=life.exit_code,
            size_rw=size_rw,
            size_root_fs=size_rw + image.size,
            volumes=len(run_config.volumes or ()),
            has_healthcheck=bool(test) and test != ("NONE",),
        )


def image_rows(images: Iterable[StoredImage], *, hidden: bool) -> list[ImageRow]:
    """Return images newest first; `hidden` takes in those that others were made from and that have no tag."""
    known = list(images)
    shown = np.fromiter((hidden or image.is_listed for image in known), dtype=np.bool_, count=len(known))
    chosen = (known[place] for place in _newest_first(known, shown))
    return [ImageRow(image.id, image.tags, to_datetime(image.created_s * 10**9), image.size) for image in chosen]


def _sum_up(images: list[StoredImage], sizes: NDArray[np.uint64], counted: NDArray[np.bool_]) -> Usage:
    chains = list(map(attrgetter("numbers"), images))
    offsets = np.zeros(len(images) + 1, dtype=np.uint64)
    np.cumsum(np.fromiter(map(len, chains), dtype=np.uint64, count=len(chains)), out=offsets[1:])
    # Four times as fast as `np.concatenate`, where the arrays are many and short.
    layers = np.frombuffer(b"".join(chains), dtype=np.uint32)
    return usage(sizes, layers, offsets, counted)


def _newest_first(images: list[StoredImage], shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places of the shown images; those of one second stay in the order of their registration."""
    created_s = np.fromiter(map(attrgetter("created_s"), images), dtype=np.int64, count=len(images))
    order = np.argsort(-created_s, kind="stable")
    return order[shown[order]]
