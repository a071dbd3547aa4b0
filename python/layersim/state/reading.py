"""From a document and its blobs to the stores of an engine; nothing of any blob is read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from layersim._core import Layer, sha256
from layersim.container import CREATED, Container, Life, Made, Wishes
from layersim.errors import StateError
from layersim.image import parse_reference
from layersim.store import StoredImage, StoredLayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layersim._core import Blobs
    from layersim.container import ContainerStore
    from layersim.container.value import Host
    from layersim.state.document import (
        ContainerRecord,
        Counters,
        Document,
        ImageRecord,
        LayerColumns,
        PlaceColumns,
        SyntheticColumns,
    )
    from layersim.store import ImageStore, LayerStore


class Stores(NamedTuple):
    """What an engine keeps; all of it empty before a state is restored."""

    layers: LayerStore
    images: ImageStore
    containers: ContainerStore


def restore(document: Document, blobs: Blobs, stores: Stores, host: Host) -> None:
    """Fill the stores of an engine.

    Raises
    ------
    StateError
        The document contradicts itself.
    """
    counters = document.counters
    try:
        layers = _layers(document.layers, document.synthetic, blobs)
        places = _places(document.places, layers, stores.layers)
        images = _images(document.images, places, stores.images)
        containers = [_container(record, images, blobs, host) for record in document.containers]
        _check_numbers([one.number for one in containers], counters)
    except StateError:
        raise
    except IndexError as error:
        raise _senseless("a position of nothing") from error
    except ValueError as error:
        # A digest, a tag or a place in the file that is none.
        raise _senseless(str(error)) from error
    stores.containers.restore(containers, counters.next_container, counters.reserved)


def _layers(columns: LayerColumns, synthetic: SyntheticColumns, blobs: Blobs) -> list[Layer]:
    layers = blobs.layers(
        columns.diff_id, columns.size, columns.tar_size, columns.entries, columns.length, columns.offset
    )
    alone = zip(synthetic.diff_id, synthetic.size, strict=True)
    return layers + [Layer.synthetic(diff_id=diff_id, size=size) for diff_id, size in alone]


def _places(columns: PlaceColumns, layers: Sequence[Layer], store: LayerStore) -> list[StoredLayer]:
    places: list[StoredLayer] = []
    rows = zip(columns.chain_id, columns.layer, columns.parent, columns.size, strict=True)
    for number, (chain_id, layer, parent, size) in enumerate(rows):
        places.append(StoredLayer(chain_id, layers[layer], places[parent] if parent >= 0 else None, size, number))
    store.restore(places)
    if len(store) < len(places):
        raise _senseless("a chain id twice")
    return places


def _images(records: Sequence[ImageRecord], places: Sequence[StoredLayer], store: ImageStore) -> list[StoredImage]:
    images = [_image(record, places) for record in records]
    for image, record in zip(images, records, strict=True):
        if not record.is_removed:
            _register(image, record.tags, store)
    for image, record in zip(images, records, strict=True):
        if record.parent is not None:
            _adopt(store, image, images[record.parent], is_removed=record.is_removed)
    return images


def _image(record: ImageRecord, places: Sequence[StoredLayer]) -> StoredImage:
    top = None if record.top is None else places[record.top]
    return StoredImage(sha256(record.config), record.config, None, top, record.created_s)


def _register(image: StoredImage, tags: Iterable[str], store: ImageStore) -> None:
    if store.lookup(image.id) is not None:
        raise _senseless("an image twice")
    store.add(image)
    _hold(image)
    for tag in tags:
        store.tag(parse_reference(tag), image)


def _adopt(store: ImageStore, image: StoredImage, parent: StoredImage, *, is_removed: bool) -> None:
    """Give an image its parent; a removed one is no child that would keep it."""
    if is_removed:
        image.parent = parent
    else:
        store.set_parent(image, parent)


def _container(record: ContainerRecord, images: Sequence[StoredImage], blobs: Blobs, host: Host) -> Container:
    image, saved = images[record.image], record.upper
    _hold(image)
    life = CREATED if record.state == "created" else Life(record.state, record.since_ns, record.exit_code)
    wishes = Wishes(record.name, record.command, record.is_attached)
    made = Made(record.number, image, record.image_name, wishes, record.created_ns)
    upper = None if saved is None else blobs.upper(saved.digest, saved.size_rw, saved.length, saved.offset)
    return Container(host, made, life, upper)


def _hold(image: StoredImage) -> None:
    if image.top is not None:
        image.top.references += 1


def _check_numbers(numbers: Sequence[int], counters: Counters) -> None:
    """Containers are in the order of their numbers, and the next one has a larger one."""
    if any(number >= after for number, after in pairwise((*numbers, counters.next_container))):
        raise _senseless("containers that are not in the order of their numbers")


def _senseless(breach: str) -> StateError:
    return StateError(f"a document with {breach}")
