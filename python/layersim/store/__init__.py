"""What one engine keeps: layers by chain id, blobs by digest, images by id and tag, build cache; and who holds whom."""

from __future__ import annotations

from layersim.store.build_cache import BuildCache, CacheRecord
from layersim.store.content import NO_CONTENTS, Contents, ContentStore, StoredBlob
from layersim.store.images import ImageStore, StoredImage, find_named
from layersim.store.layers import LayerStore, StoredLayer
from layersim.store.ledger import Ledger, check_total

__all__ = [
    "NO_CONTENTS",
    "BuildCache",
    "CacheRecord",
    "ContentStore",
    "Contents",
    "ImageStore",
    "LayerStore",
    "Ledger",
    "StoredBlob",
    "StoredImage",
    "StoredLayer",
    "check_total",
    "find_named",
]
