"""From a document and its blobs to the stores of an engine; nothing of any blob is read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from layersim._core import Layer, sha256
from layersim.container import CREATED, Container, Life, Volume, Wishes
from layersim.errors import StateError
from layersim.image import Descriptor, parse_reference
from layersim.store import NO_CONTENTS, Contents, StoredImage
from layersim.store import CacheRecord as Kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layersim._core import Blobs, Upper
    from layersim.container.value import Host
    from layersim.layout import Payload
    from layersim.state.document import (
        CacheRecord,
        ContainerRecord,
        ContentColumns,
        Counters,
        Document,
        ImageRecord,
        LayerColumns,
        PlaceColumns,
        SyntheticColumns,
        UpperRecord,
        VolumeRecord,
    )
    from layersim.state.stores import Stores
    from layersim.store import ContentStore, ImageStore, LayerStore, StoredBlob, StoredLayer


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
        contents = _contents(document.contents, layers, blobs, stores.contents)
        images = _images(document.images, places, contents, stores.images)
        volumes = {record.name: _volume(record, blobs, host) for record in document.volumes}
        containers = [_container(record, images, volumes, blobs, host) for record in document.containers]
        _check_numbers([one.number for one in containers], counters)
        for record in document.build_cache:
            stores.build_cache.add(_cache_record(record, places))
    except StateError:
        raise
    except LookupError as error:
        raise _senseless(f"a position or a name of nothing: {error}") from error
    except ValueError as error:
        # A digest, a tag or a place in the file that is none.
        raise _senseless(str(error)) from error
    stores.volumes.restore(volumes.values())
    stores.containers.restore(containers, counters.next_container, counters.reserved)


def _layers(columns: LayerColumns, synthetic: SyntheticColumns, blobs: Blobs) -> list[Layer]:
    layers = blobs.layers(
        columns.diff_id, columns.size, columns.tar_size, columns.entries, columns.length, columns.offset
    )
    alone = zip(synthetic.diff_id, synthetic.size, strict=True)
    return layers + [Layer.synthetic(diff_id=diff_id, size=size) for diff_id, size in alone]


def _places(columns: PlaceColumns, layers: Sequence[Layer], store: LayerStore) -> list[StoredLayer]:
    stacked = [layers[layer] for layer in columns.layer]
    places = store.restore(zip(columns.chain_id, stacked, columns.parent, columns.size, strict=True))
    if len(store) < len(places):
        raise _senseless("a chain id twice")
    return places


def _contents(columns: ContentColumns, layers: Iterable[Layer], blobs: Blobs, store: ContentStore) -> list[StoredBlob]:
    described = [Descriptor(digest, size) for digest, size in zip(columns.digest, columns.size, strict=True)]
    plain = {layer.diff_id: layer for layer in layers if not layer.is_synthetic}
    offsets = columns.offset or (-1,) * len(described)
    documents = columns.document or (None,) * len(described)
    rows = zip(described, offsets, documents, strict=True)
    stored = store.restore((blob, _payload(blob, offset, raw, plain, blobs)) for blob, offset, raw in rows)
    if len(store) < len(stored):
        raise _senseless("a blob twice")
    return stored


def _payload(
    blob: Descriptor, offset: int, document: bytes | None, plain: Mapping[str, Layer], blobs: Blobs
) -> Payload | None:
    if document is not None:
        if sha256(document) != blob.digest:
            raise _senseless(f"other bytes than those of {blob.digest}")
        return document
    if offset < 0:
        return None
    return plain.get(blob.digest) or blobs.packed(blob.digest, blob.size, offset)


def _images(
    records: Sequence[ImageRecord],
    places: Sequence[StoredLayer],
    contents: Sequence[StoredBlob],
    store: ImageStore,
) -> list[StoredImage]:
    images = [_image(record, places, contents) for record in records]
    for image, record in zip(images, records, strict=True):
        if not record.is_removed:
            _register(image, record.tags, store)
    for image, record in zip(images, records, strict=True):
        if record.parent is not None:
            _adopt(store, image, images[record.parent], is_removed=record.is_removed)
    return images


def _image(record: ImageRecord, places: Sequence[StoredLayer], contents: Sequence[StoredBlob]) -> StoredImage:
    top = None if record.top is None else places[record.top]
    held = NO_CONTENTS
    if record.contents_size or record.contents:
        blobs = tuple(contents[position] for position in record.contents)
        held = Contents(blobs, record.contents_size, record.contents_own_size)
    image = StoredImage(record.id or sha256(record.config), record.config, None, top, held)
    image.created_s = record.created_s
    image.has_lost_parent = record.has_lost_parent
    return image


def _register(image: StoredImage, tags: Iterable[str], store: ImageStore) -> None:
    if store.lookup(image.id) is not None:
        raise _senseless("an image twice")
    store.add(image)
    _hold(image.top)
    for blob in image.contents.blobs:
        blob.references += 1
    for tag in tags:
        store.tag(parse_reference(tag), image)


def _adopt(store: ImageStore, image: StoredImage, parent: StoredImage, *, is_removed: bool) -> None:
    """Give an image its parent; a removed one is no child that would keep it."""
    if is_removed:
        image.parent = parent
    else:
        store.set_parent(image, parent)


def _volume(record: VolumeRecord, blobs: Blobs, host: Host) -> Volume:
    upper = _upper(record.upper, blobs)
    return Volume(record.name, host.now, is_anonymous=record.is_anonymous, created_ns=record.created_ns, upper=upper)


def _container(
    record: ContainerRecord,
    images: Sequence[StoredImage],
    volumes: Mapping[str, Volume],
    blobs: Blobs,
    host: Host,
) -> Container:
    image = images[record.image]
    _hold(image.top)
    life = CREATED if record.state == "created" else Life(record.state, record.since_ns, record.exit_code)
    wishes = Wishes(record.name, record.command, record.is_attached, record.asked_volumes)
    made = (record.number, image, record.image_name, wishes, record.created_ns)
    container = Container(host, made, life, _upper(record.upper, blobs))
    if record.volumes:
        container.mount({path: volumes[name] for path, name in record.volumes})
    return container


def _upper(record: UpperRecord | None, blobs: Blobs) -> Upper | None:
    if record is None:
        return None
    return blobs.upper(record.digest, record.size_rw, record.allocated_rw, record.length, record.offset)


def _cache_record(record: CacheRecord, places: Sequence[StoredLayer]) -> Kept:
    top = None if record.top is None else places[record.top]
    _hold(top)
    return Kept(
        id=record.id,
        type=record.type,
        size=record.size,
        top=top,
        created_ns=record.created_ns,
        last_used_ns=record.last_used_ns,
        usage_count=record.usage_count,
        in_use=record.in_use,
        description=record.description,
    )


def _hold(top: StoredLayer | None) -> None:
    if top is not None:
        top.references += 1


def _check_numbers(numbers: Sequence[int], counters: Counters) -> None:
    """Containers are in the order of their numbers, and the next one has a larger one."""
    if any(number >= after for number, after in pairwise((*numbers, counters.next_container))):
        raise _senseless("containers that are not in the order of their numbers")


def _senseless(breach: str) -> StateError:
    return StateError(f"a document with {breach}")
