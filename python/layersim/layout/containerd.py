"""What `docker save` of an engine with the containerd image store writes: the blobs of its images as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import Layer, Member
from layersim.layout.oci_documents import layout_members, named
from layersim.layout.outgoing import manifest_file, manifest_item
from layersim.layout.payloads import manifest_for, media_type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.image.document import Json
    from layersim.layout.outgoing import Leaving
    from layersim.layout.payloads import Kept

# containerd's exporter writes what nobody is to change.
_MODE = 0o444


def containerd_members(leaving: Sequence[Leaving]) -> list[Member]:
    """Return the members of an archive of images all of whose blobs are kept; to the byte what the engine writes.

    Beside the layout stands `manifest.json`, for engines without such a store: of the image for the engine's own
    platform alone, while the blobs of all are there.
    """
    blobs = {blob.digest: blob for one in leaving for blob in one.blobs}
    index = [top for one in leaving for top in _tops(one)]
    items = [_item(one) for one in leaving]
    members = {f"blobs/sha256/{digest[7:]}": blob for digest, blob in blobs.items()}
    return layout_members(
        {path: _member(path, blob) for path, blob in members.items()},
        index,
        [manifest_file(items, end=b"")],
        layout=Member.file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}', mode=_MODE),
    )


def _tops(one: Leaving) -> list[dict[str, Json]]:
    """Return what the index says of an image: once for each of its tags."""
    target = one.blobs[0]
    raw = target.payload if isinstance(target.payload, bytes) else b"{}"
    described: dict[str, Json] = {
        "mediaType": media_type_of(raw, target.digest),
        "digest": target.digest,
        "size": len(raw),
    }
    return [named(described, reference) for reference in one.references] or [described]


def _item(one: Leaving) -> dict[str, Json]:
    told = manifest_for(one.image.config_digest, one.blobs)
    layers = [layer.blob for layer in told.layers] if told else []
    return manifest_item(one, f"blobs/sha256/{one.image.config_digest[7:]}", layers, None)


def _member(path: str, blob: Kept) -> Member:
    if isinstance(blob.payload, bytes):
        return Member.file(path, blob.payload, mode=_MODE)
    if isinstance(blob.payload, Layer):
        return Member.layer(path, blob.payload, mode=_MODE)
    return Member.packed(path, blob.payload, mode=_MODE)
