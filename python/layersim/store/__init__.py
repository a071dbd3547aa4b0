"""What one engine keeps: layers by chain id, blobs by digest, images by id and tag, and who holds whom."""

from __future__ import annotations

from layersim.store.content import ContentStore, StoredBlob
from layersim.store.images import ImageStore, StoredImage
from layersim.store.layers import LayerStore, StoredLayer
from layersim.store.ledger import Ledger

__all__ = ["ContentStore", "ImageStore", "LayerStore", "Ledger", "StoredBlob", "StoredImage", "StoredLayer"]
