"""From a document and its blobs to the stores of an engine; nothing of any blob is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from layersim._core import Layer, sha256
from layersim.container import CREATED, Container, Life, Made, Wishes
from layersim.errors import StateError
from layersim.image import parse_reference
from layersim.store import StoredImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Blobs
    from layersim.container import ContainerStore
    from layersim.container.value import Host
    from layersim.state.document import ContainerRecord, Document, ImageRecord, LayerRecord, PlaceRecord
    from layersim.store import ImageStore, LayerStore, StoredLayer

_T = TypeVar("_T")


class Stores(NamedTuple):
    """What an engine keeps; all of it empty before a state is restored."""

    layers: LayerStore
    images: ImageStore
    containers: ContainerStore


class Shelves(NamedTuple):
    """Where the blobs of a document are; offsets in the document count from `base`."""

    blobs: Blobs
    base: int = 0


def restore(document: Document, shelves: Shelves, stores: Stores, host: Host) -> None:
    """Fill the stores of an engine.

    Raises
    ------
    StateError
        The document contradicts itself.
    """
    try:
        layers = _layers(document.layers, shelves)
        places = _places(document.places, layers, stores.layers)
        images = _images(document.images, places, stores.images)
        containers = [_container(record, images, shelves, host) for record in document.containers]
    except StateError:
        raise
    except ValueError as error:
        # A digest, a tag or a place in the file that is none.
        raise _senseless(str(error)) from error
    counters = document.counters
    numbers = {one.number for one in containers}
    if len(numbers) < len(containers):
        raise _senseless("two containers of one number")
    if max(numbers, default=0) >= counters.next_container:
        raise _senseless("a container that is still to come")
    stores.containers.restore(containers, counters.next_container, counters.reserved)


def _layers(records: Sequence[LayerRecord], shelves: Shelves) -> list[Layer]:
    located = [record for record in records if record.length is not None]
    made = iter(
        shelves.blobs.layers(
            [record.diff_id for record in located],
            [
                (record.size, record.tar_size, record.entries, record.length or 0, shelves.base + record.offset)
                for record in located
            ],
        )
    )
    return [
        Layer.synthetic(diff_id=record.diff_id, size=record.size) if record.length is None else next(made)
        for record in records
    ]


def _places(records: Sequence[PlaceRecord], layers: Sequence[Layer], store: LayerStore) -> list[StoredLayer]:
    places: list[StoredLayer] = []
    for record in records:
        if record.chain_id in store:
            raise _senseless("a chain id twice")
        parent = _at(places, record.parent) if record.parent is not None else None
        places.append(store.add(record.chain_id, _at(layers, record.layer), parent, record.size))
    return places


def _images(records: Sequence[ImageRecord], places: Sequence[StoredLayer], store: ImageStore) -> list[StoredImage]:
    images: list[StoredImage] = []
    for record in records:
        top = _at(places, record.top) if record.top is not None else None
        image = StoredImage(sha256(record.config), record.config, None, top, record.created_s)
        images.append(image)
        if record.is_removed:
            continue
        if store.lookup(image.id) is not None:
            raise _senseless("an image twice")
        store.add(image)
        _hold(image)
        for tag in record.tags:
            store.tag(parse_reference(tag), image)
    for image, record in zip(images, records, strict=True):
        if record.parent is not None:
            _adopt(store, image, _at(images, record.parent), is_removed=record.is_removed)
    return images


def _adopt(store: ImageStore, image: StoredImage, parent: StoredImage, *, is_removed: bool) -> None:
    """Give an image its parent; a removed one is no child that would keep it."""
    if is_removed:
        image.parent = parent
    else:
        store.set_parent(image, parent)


def _container(record: ContainerRecord, images: Sequence[StoredImage], shelves: Shelves, host: Host) -> Container:
    image = _at(images, record.image)
    _hold(image)
    life = CREATED if record.state == "created" else Life(record.state, record.since_ns, record.exit_code)
    wishes = Wishes(record.name, record.command, record.is_attached)
    upper = None
    if (saved := record.upper) is not None:
        upper = shelves.blobs.upper(saved.digest, saved.size_rw, saved.length, shelves.base + saved.offset)
    made = Made(record.number, image, record.image_name, wishes, record.created_ns)
    return Container(host, made, life, upper)


def _hold(image: StoredImage) -> None:
    if image.top is not None:
        image.top.references += 1


def _at(listed: Sequence[_T], position: int) -> _T:
    if position >= len(listed):
        raise _senseless("a position of nothing")
    return listed[position]


def _senseless(breach: str) -> StateError:
    return StateError(f"a document with {breach}")
