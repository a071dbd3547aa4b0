"""From the stores of an engine to its document and the blobs beside it; one function a section."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim._core import Layer, Member, Packed, sha256
from layersim.state.document import (
    NO_BUILDS,
    BuildsRecord,
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from layersim._core import Upper
    from layersim.container import Container, Volume
    from layersim.state.stores import Stores
    from layersim.store import CacheRecord as Kept
    from layersim.store import ContentStore, ImageStore, LayerStore, StoredBlob, StoredImage

    _Key = tuple[str, int | None]

BLOBS = "blobs/sha256"
_BLOCK = 512
# What the size field of a tar header holds; beyond it an extended header of two blocks comes first.
_LARGEST = 8**11 - 1


@dataclass(frozen=True)
class Blob:
    """One blob of a state: a layer's tar, what a container has written, or what came with an image."""

    digest: str
    length: int
    source: Layer | Upper | Packed

    @property
    def hex(self) -> str:
        """The name of its file."""
        return self.digest.partition(":")[2]

    @property
    def is_at_hand(self) -> bool:
        """Whether this engine has read it; of a packed blob nobody knows, since it is copied from where it lies."""
        return not isinstance(self.source, Packed) and self.source.is_read

    def member(self) -> Member:
        """Return it as a member of a tar."""
        name = f"{BLOBS}/{self.hex}"
        if isinstance(self.source, Packed):
            return Member.packed(name, self.source)
        return Member.layer(name, self.source) if isinstance(self.source, Layer) else Member.upper(name, self.source)


@dataclass
class Shelf:
    """The blobs of a state, each once, and where each is in a file, counted from the end of the document."""

    blobs: dict[str, Blob] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    end: int = 0

    def put(self, digest: str, length: int, source: Layer | Upper | Packed) -> int:
        """Take a blob in, unless it is there; return its offset."""
        if digest not in self.blobs:
            header = _BLOCK if length <= _LARGEST else 3 * _BLOCK
            self.blobs[digest] = Blob(digest, length, source)
            self.offsets[digest] = self.end + header
            self.end += header + padded(length)
        return self.offsets[digest]


def padded(length: int) -> int:
    """Return how long a member's data of so many bytes is in a tar."""
    return -(-length // _BLOCK) * _BLOCK


def document_of(
    profile: str, stores: Stores, cache_records: int, builds: BuildsRecord = NO_BUILDS
) -> tuple[Document, Shelf]:
    """Return what the stores hold at this moment.

    Parameters
    ----------
    profile : str
        The name of the engine's profile.
    stores : Stores
        What it keeps.
    cache_records : int
        How many the build cache ever had.
    builds : BuildsRecord
        What builds remember.
    """
    shelf = Shelf()
    real, synthetic = _layers(stores.layers)
    places = {place.chain_id: position for position, place in enumerate(stores.layers)}
    contents = {blob.digest: position for position, blob in enumerate(stores.contents)}
    kept = _kept_images(stores.images, stores.containers)
    positions = {id(image): position for position, image in enumerate(kept)}
    containers = stores.containers
    document = Document(
        profile=profile,
        layers=_layer_columns(real.values(), shelf),
        synthetic=SyntheticColumns(*_columns((layer.diff_id, layer.size) for layer in synthetic.values())),
        places=_place_columns(stores.layers, [*real, *synthetic], places),
        contents=_content_columns(stores.contents, shelf),
        images=tuple(_image(image, places, contents, positions, stores.images) for image in kept),
        volumes=tuple(_volume(volume, shelf) for volume in stores.volumes),
        containers=tuple(_container(one, positions[id(one.image)], shelf) for one in containers),
        build_cache=tuple(_cache_record(record, places) for record in stores.build_cache),
        counters=Counters(containers.next_number, containers.reserved, cache_records),
        builds=builds,
    )
    return document, shelf


def _layers(store: LayerStore) -> tuple[dict[_Key, Layer], dict[_Key, Layer]]:
    """Return the layers with content and those without, each once."""
    layers = {_key(place.layer): place.layer for place in store}
    real = {key: layer for key, layer in layers.items() if not layer.is_synthetic}
    return real, {key: layer for key, layer in layers.items() if layer.is_synthetic}


def _key(layer: Layer) -> _Key:
    """Return what layers are the same by: the size is all that two synthetic ones of one digest can differ in."""
    return layer.diff_id, layer.size if layer.is_synthetic else None


def _layer_columns(layers: Iterable[Layer], shelf: Shelf) -> LayerColumns:
    rows = (
        (
            layer.diff_id,
            layer.size,
            layer.tar_size,
            len(layer),
            layer.tar_length,
            shelf.put(layer.diff_id, layer.tar_length, layer),
        )
        for layer in layers
    )
    return LayerColumns(*_columns(rows))


def _place_columns(store: LayerStore, keys: Sequence[_Key], places: Mapping[str, int]) -> PlaceColumns:
    positions = {key: position for position, key in enumerate(keys)}
    rows = (
        (
            place.chain_id,
            positions[_key(place.layer)],
            -1 if place.parent is None else places[place.parent.chain_id],
            place.size,
        )
        for place in store
    )
    return PlaceColumns(*_columns(rows))


def _content_columns(store: ContentStore, shelf: Shelf) -> ContentColumns:
    if all(blob.payload is None for blob in store):
        return ContentColumns(*_columns((blob.digest, blob.size) for blob in store))
    return ContentColumns(*_columns((blob.digest, blob.size, *_payload(blob, shelf)) for blob in store))


def _payload(blob: StoredBlob, shelf: Shelf) -> tuple[int, bytes | None]:
    """Return the offset of a blob, or -1, and its bytes where it is a document."""
    if blob.payload is None or isinstance(blob.payload, bytes):
        return -1, blob.payload
    return shelf.put(blob.digest, blob.size, blob.payload), None


def _columns(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Return rows as columns; none where there are no rows."""
    return zip(*rows, strict=True)


def _kept_images(images: ImageStore, containers: Iterable[Container]) -> list[StoredImage]:
    """Return the images of the store, then those that only containers still know."""
    kept = {id(image): image for image in images}
    kept |= {id(container.image): container.image for container in containers if id(container.image) not in kept}
    return list(kept.values())


def _image(
    image: StoredImage,
    places: Mapping[str, int],
    contents: Mapping[str, int],
    positions: Mapping[int, int],
    store: ImageStore,
) -> ImageRecord:
    is_removed = store.lookup(image.id) is not image
    return ImageRecord(
        config=image.raw_config,
        created_s=image.created_s,
        id=None if image.id == sha256(image.raw_config) else image.id,
        top=places[image.top.chain_id] if image.top is not None else None,
        # The parent of a removed image may be gone; nothing asks for it any more, nor for its blobs.
        parent=positions.get(id(image.parent)),
        tags=image.tags,
        has_lost_parent=image.has_lost_parent,
        is_removed=is_removed,
        contents=() if is_removed else tuple(contents[blob.digest] for blob in image.contents.blobs),
        contents_size=image.contents.size,
        contents_own_size=image.contents.own_size,
    )


def _volume(volume: Volume, shelf: Shelf) -> VolumeRecord:
    upper = _upper(volume.upper(), shelf)
    return VolumeRecord(name=volume.name, created_ns=volume.created_ns, is_anonymous=volume.is_anonymous, upper=upper)


def _container(container: Container, image: int, shelf: Shelf) -> ContainerRecord:
    life, wishes = container.life, container.wishes
    return ContainerRecord(
        number=container.number,
        image=image,
        image_name=container.image_name,
        created_ns=container.created_ns,
        state=life.state,
        since_ns=life.since_ns,
        exit_code=life.exit_code,
        name=wishes.name,
        command=wishes.command,
        is_attached=wishes.is_attached,
        asked_volumes=wishes.volumes,
        volumes=tuple((path, volume.name) for path, volume in container.volumes.items()),
        upper=_upper(container.upper(), shelf),
    )


def _cache_record(record: Kept, places: Mapping[str, int]) -> CacheRecord:
    return CacheRecord(
        id=record.id,
        type=record.type,
        size=record.size,
        created_ns=record.created_ns,
        top=None if record.top is None else places[record.top.chain_id],
        last_used_ns=record.last_used_ns,
        usage_count=record.usage_count,
        in_use=record.in_use,
        description=record.description,
    )


def _upper(upper: Upper | None, shelf: Shelf) -> UpperRecord | None:
    if upper is None:
        return None
    return UpperRecord(
        digest=upper.digest,
        size_rw=upper.size_rw,
        allocated_rw=upper.allocated_rw,
        length=upper.length,
        offset=shelf.put(upper.digest, upper.length, upper),
    )
