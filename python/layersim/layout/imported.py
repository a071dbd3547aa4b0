"""The manifest that containerd makes for an image of a docker-archive, which has none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.image.document import encode

if TYPE_CHECKING:
    from layersim.image.document import Json
    from layersim.image.manifest import Descriptor
    from layersim.layout.archived import ArchivedImage

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"


def imported_manifest(image: ArchivedImage) -> bytes:
    """Return the manifest of an image whose layers are stored as in its docker-archive.

    Its digest is the id that an engine with containerd's store gives the image.
    """
    config: Json = {"mediaType": _CONFIG, "digest": image.id, "size": len(image.raw_config)}
    layers: Json = [_descriptor(layer) for layer in image.stored_layers]
    return encode({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers})


def _descriptor(stored: Descriptor) -> Json:
    return {"mediaType": stored.media_type, "digest": stored.digest, "size": stored.size}
