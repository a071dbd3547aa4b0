"""What an engine makes of an image that comes in: its id, and the blobs that are kept beside the unpacked layers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from layersim._core import Packed, sha256
from layersim.image import Descriptor
from layersim.image.document import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim._core import Layer
    from layersim.image.document import Json
    from layersim.layout import ArchivedImage, Payload

_OCI = "application/vnd.oci.image"
_MANIFEST, _CONFIG, _GZIP_LAYER = f"{_OCI}.manifest.v1+json", f"{_OCI}.config.v1+json", f"{_OCI}.layer.v1.tar+gzip"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"


_NONE: Mapping[str, Payload] = MappingProxyType({})


class Package(NamedTuple):
    """An image as an engine keeps it.

    Attributes
    ----------
    id : str
        What the engine calls it.
    blobs : tuple of Descriptor
        What it reaches, as often as it is listed.
    payloads : mapping of str to bytes, Layer or Packed
        What the blobs are, by digest, as far as that is known.
    """

    id: str
    blobs: tuple[Descriptor, ...] = ()
    payloads: Mapping[str, Payload] = _NONE


def by_config(image: ArchivedImage) -> Package:
    """Graph drivers: an image is its config; layers are kept unpacked alone (accounting.md section 10)."""
    return Package(image.id)


def by_manifest(image: ArchivedImage) -> Package:
    """Call an image by the index or manifest that its tag points at, and keep every blob below (section 2).

    An archive without manifests gets one as containerd's importer writes it, its layers as they are stored there.
    What an engine makes itself has layers packed with gzip: how many bytes these take depends on the program that
    packs them, so such sizes and ids are a model, not the engine's. The layers of a parent stay the blobs that they
    are.
    """
    if image.content:
        return Package(image.content[0].digest, image.content, image.payloads)
    if image.stored_layers:
        config = _described(_DOCKER_CONFIG, image.raw_config)
        return _package(_DOCKER_MANIFEST, config, image.stored_layers, image.payloads)
    own = [_made(layer) for layer in image.layers[len(image.kept_layers) :]]
    config = _described(_CONFIG, image.raw_config)
    payloads: dict[str, Payload] = {described.digest: packed for described, packed in own if packed is not None}
    layers = image.kept_layers + tuple(described for described, _ in own)
    return _package(_MANIFEST, config, layers, payloads | {config.digest: image.raw_config})


def _package(
    media_type: str, config: Descriptor, layers: tuple[Descriptor, ...], payloads: Mapping[str, Payload]
) -> Package:
    document: dict[str, Json] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _written(config),
        "layers": [_written(layer) for layer in layers],
    }
    raw = encode(document)
    manifest = _described(media_type, raw)
    return Package(manifest.digest, (manifest, config, *layers), {**payloads, manifest.digest: raw})


def _written(descriptor: Descriptor) -> dict[str, Json]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _described(media_type: str, raw: bytes) -> Descriptor:
    return Descriptor(digest=sha256(raw), size=len(raw), media_type=media_type)


def _made(layer: Layer) -> tuple[Descriptor, Packed | None]:
    """Pack a layer with gzip; one known by digest and size alone stands for its own blob."""
    if layer.is_synthetic:
        return Descriptor(digest=layer.diff_id, size=layer.size, media_type=_GZIP_LAYER), None
    packed = Packed.again(layer, "gzip")
    return Descriptor(digest=packed.digest, size=packed.size, media_type=_GZIP_LAYER), packed
