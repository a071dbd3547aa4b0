"""The documents of an OCI image layout on their way out, field by field in the order of the specification's types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim._core import Member, sha256
from layersim.image.document import decode_untyped, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Layer
    from layersim.image import Image, Reference
    from layersim.image.document import Json

LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_PLATFORM = ("architecture", "os", "os.version", "os.features", "variant")


@dataclass(frozen=True)
class Stored:
    """A blob of a layout: what it is, its digest and its size in bytes."""

    media_type: str
    digest: str
    size: int

    @property
    def json(self) -> dict[str, Json]:
        """Its descriptor."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}

    @property
    def path(self) -> str:
        """Where it is in the layout."""
        return f"blobs/sha256/{self.digest[7:]}"


def plain(layer: Layer) -> Stored:
    """Return the blob that an uncompressed layer is."""
    return Stored(LAYER, layer.diff_id, layer.tar_length)


def manifest_of(image: Image, layers: Sequence[Stored]) -> tuple[bytes, Stored]:
    """Return the manifest of an image whose layers are stored as these blobs, and the blob that it is."""
    config = Stored(_CONFIG, image.config_digest, len(image.raw_config))
    document = encode(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": config.json,
            "layers": [layer.json for layer in layers],
        }
    )
    return document, Stored(_MANIFEST, sha256(document), len(document))


def named(descriptor: dict[str, Json], reference: Reference) -> dict[str, Json]:
    """Return a descriptor with a tag: the full name for containerd, the tag alone for whoever reads OCI layouts."""
    annotations: Json = {
        "io.containerd.image.name": reference.full,
        "org.opencontainers.image.ref.name": reference.tag,
    }
    return descriptor | {"annotations": annotations}


def platform_of(image: Image) -> dict[str, Json]:
    """Return the platform that a config says it is for, as far as it says so, as the field of a descriptor."""
    raw = decode_untyped(image.raw_config, image.id)
    platform: dict[str, Json] = {name: raw[name] for name in _PLATFORM if raw.get(name)}
    return {"platform": platform} if platform else {}


def layout_members(
    blobs: dict[str, Member],
    manifests: Sequence[dict[str, Json]],
    extra: Sequence[Member] = (),
    *,
    mtime: int = 0,
    layout: Member | None = None,
) -> list[Member]:
    """Return all members of a layout, by name; `extra` comes between `index.json` and `oci-layout` and after.

    Parameters
    ----------
    blobs : dict
        By path.
    manifests : sequence of dict
        The descriptors of `index.json`.
    extra : sequence of Member
        What stands beside the layout's own files: `manifest.json`, `repositories`.
    mtime : int
        Of the directory ``blobs``.
    layout : Member, optional
        The file `oci-layout`, where an engine spells it in its own way.
    """
    index = encode({"schemaVersion": 2, "mediaType": _INDEX, "manifests": list(manifests)})
    return [
        Member.directory("blobs", mtime=mtime),
        Member.directory("blobs/sha256"),
        *(blobs[path] for path in sorted(blobs)),
        Member.file("index.json", index),
        *extra[:1],
        layout or Member.file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'),
        *extra[1:],
    ]
