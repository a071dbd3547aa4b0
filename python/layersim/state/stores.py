"""What an engine keeps, as it is saved and restored together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from layersim.container import ContainerStore, VolumeStore
    from layersim.store import BuildCache, ContentStore, ImageStore, LayerStore


class Stores(NamedTuple):
    """The stores of one engine; all of them are empty before a state is restored."""

    layers: LayerStore
    contents: ContentStore
    images: ImageStore
    volumes: VolumeStore
    containers: ContainerStore
    build_cache: BuildCache
