"""The documents of images from before they had ids by content: `docker save` still writes one for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim._core import sha256
from layersim.errors import ValidationError
from layersim.image import instant
from layersim.image.document import decode_untyped, encode, encode_sorted
from layersim.image.runtime import written

if TYPE_CHECKING:
    from layersim.image import Image
    from layersim.image.document import Json

# Go marshals these in the order of the struct, not sorted.
_FIELDS = (
    "comment", "created", "container", "container_config", "docker_version", "author", "config",
    "architecture", "variant", "os",
)  # fmt: skip


@dataclass(frozen=True)
class V1Image:
    """What stood for one layer: its id, 64 hex digits, and its document."""

    id: str
    document: bytes


def v1_images(image: Image, *, is_newer: bool) -> list[V1Image]:
    """Return what stood for each layer, base first: the top says what the image is, the others next to nothing.

    Parameters
    ----------
    image : Image
        With layers.
    is_newer : bool
        Whether they are written as 25 and newer does. Where an image does not say when it was made, 20.10 writes
        Go's zero time, and 25 nothing.

    Raises
    ------
    ValidationError
        The image has no layer: Docker cannot save such an image either.
    """
    if not image.layers:
        raise ValidationError("empty export - not implemented", ["an image without layers cannot be saved"])
    raw = decode_untyped(image.raw_config, image.id)
    described = [_ancestor() for _ in image.layers[1:]] + [_top(raw, is_newer=is_newer)]
    images: list[V1Image] = []
    for fields, chain_id in zip(described, image.chain_ids, strict=True):
        parent = images[-1].id if images else ""
        v1_id = _id(fields, chain_id, parent)
        images.append(V1Image(v1_id, _document(fields, v1_id, parent, raw)))
    return images


def _ancestor() -> dict[str, Json]:
    return {"created": "1970-01-01T00:00:00Z", "container_config": dict(written(None))}


def _top(raw: dict[str, Json], *, is_newer: bool) -> dict[str, Json]:
    described = {name: raw[name] for name in _FIELDS if raw.get(name)}
    created = raw.get("created") or (None if is_newer else instant.UNKNOWN)
    described["created"] = created and instant.normalised(str(created))
    described["container_config"] = dict(written(raw.get("container_config"), is_newer=is_newer))
    if raw.get("config") is not None:
        described["config"] = dict(written(raw["config"], is_newer=is_newer))
    return {name: described[name] for name in _FIELDS if name in described}


def _id(described: dict[str, Json], chain_id: str, parent: str) -> str:
    document: dict[str, Json] = described | {"layer_id": chain_id}
    if parent:
        document["parent"] = f"sha256:{parent}"
    return sha256(encode_sorted(document))[7:]


def _document(described: dict[str, Json], v1_id: str, parent: str, raw: dict[str, Json]) -> bytes:
    head: dict[str, Json] = {"id": v1_id, "parent": parent} if parent else {"id": v1_id}
    tail: dict[str, Json] = {"os": raw["os"]} if raw.get("os") else {}
    return encode(head | described | tail)
