"""What an engine makes of an image that comes in: its id, and the blobs that are kept beside the unpacked layers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from layersim._core import Packed, sha256
from layersim.image import Descriptor
from layersim.image.document import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim._core import Layer
    from layersim.image.document import Json
    from layersim.layout import ArchivedImage, Payload

_OCI, _DOCKER = "application/vnd.oci.image", "application/vnd.docker"
_DOCKER_LAYERS = {
    f"{_OCI}.layer.v1.{oci}": f"{_DOCKER}.image.rootfs.diff.{docker}"
    for oci, docker in (("tar", "tar"), ("tar+gzip", "tar.gzip"), ("tar+zstd", "tar.zstd"))
}


class _Form(NamedTuple):
    """How a manifest is written: its own type, that of configs, that of layers packed anew, and the text."""

    manifest: str
    config: str
    packed: str
    indent: int | None = None
    begins_with_type: bool = False


_BY_OCI = (f"{_OCI}.manifest.v1+json", f"{_OCI}.config.v1+json", f"{_OCI}.layer.v1.tar+gzip")
_BY_DOCKER = (
    f"{_DOCKER}.distribution.manifest.v2+json",
    f"{_DOCKER}.container.image.v1+json",
    f"{_DOCKER}.image.rootfs.diff.tar.gzip",
)
_IMPORTED, _COMMITTED = _Form(*_BY_OCI), _Form(*_BY_OCI, indent=4, begins_with_type=True)
_BUILT, _UNPACKED = _Form(*_BY_DOCKER, indent=2), _Form(*_BY_DOCKER)
_FORMS = {"commit": _COMMITTED, "build": _BUILT}

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


def by_config(image: ArchivedImage, _way: str) -> Package:
    """Graph drivers: an image is its config; layers are kept unpacked alone (accounting.md section 10)."""
    return Package(image.id)


def by_manifest(image: ArchivedImage, way: str) -> Package:
    """Call an image by the index or manifest that its tag points at, and keep every blob below (section 2).

    An archive without manifests gets one as containerd's importer writes it, its layers as they are stored there.
    What an engine makes itself has layers packed with gzip: how many bytes these take depends on the program that
    packs them, so such sizes and ids are a model, not the engine's. The layers of what it is made from stay the blobs
    that they are. Commits and the legacy builder write manifests of OCI, BuildKit those of Docker, as it does where it
    adds no attestations.
    """
    if image.content:
        return Package(image.content[0].digest, image.content, image.payloads)
    if image.stored_layers:
        return _package(_UNPACKED, image, image.stored_layers, image.payloads)
    form = _FORMS.get(way, _IMPORTED)
    kept = image.kept_layers if form is not _BUILT else tuple(map(_as_docker, image.kept_layers))
    packed_type = _BUILT.packed if image.is_copied else form.packed
    own = [_made(layer, packed_type) for layer in image.layers[len(kept) :]]
    payloads: dict[str, Payload] = {described.digest: packed for described, packed in own if packed is not None}
    config = sha256(image.raw_config)
    return _package(form, image, kept + tuple(one for one, _ in own), payloads | {config: image.raw_config})


def _package(
    form: _Form, image: ArchivedImage, layers: tuple[Descriptor, ...], payloads: Mapping[str, Payload]
) -> Package:
    config = _described(form.config, image.raw_config)
    head: list[tuple[str, Json]] = [("schemaVersion", 2), ("mediaType", form.manifest)]
    written: list[Json] = [_written(layer) for layer in layers]
    # Of no layers Go writes null, unless the list was made.
    told: Json = written if written or form.indent is None else None
    document = dict(head[::-1] if form.begins_with_type else head) | {"config": _written(config), "layers": told}
    raw = encode(document, indent=form.indent)
    manifest = _described(form.manifest, raw)
    return Package(manifest.digest, (manifest, config, *layers), {**payloads, manifest.digest: raw})


def _as_docker(layer: Descriptor) -> Descriptor:
    """Return a layer with Docker's name of its type; BuildKit changes no bytes of it."""
    return replace(layer, media_type=_DOCKER_LAYERS.get(layer.media_type or "", layer.media_type))


def _written(descriptor: Descriptor) -> dict[str, Json]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _described(media_type: str, raw: bytes) -> Descriptor:
    return Descriptor(digest=sha256(raw), size=len(raw), media_type=media_type)


def _made(layer: Layer, media_type: str) -> tuple[Descriptor, Packed | None]:
    """Pack a layer with gzip; one known by digest and size alone stands for its own blob."""
    if layer.is_synthetic:
        return Descriptor(digest=layer.diff_id, size=layer.size, media_type=media_type), None
    packed = Packed.again(layer, "gzip")
    return Descriptor(digest=packed.digest, size=packed.size, media_type=media_type), packed
