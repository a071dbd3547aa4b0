"""What one engine keeps: layers by chain id, images by id and tag, and who holds whom."""

from __future__ import annotations

from layersim.store.images import ImageStore, StoredImage, find_named
from layersim.store.layers import LayerStore, StoredLayer

__all__ = ["ImageStore", "LayerStore", "StoredImage", "StoredLayer", "find_named"]
