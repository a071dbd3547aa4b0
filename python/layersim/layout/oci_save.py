"""Writing an OCI image layout: blobs by digest, layers plain or compressed, tags and platforms in the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import Member
from layersim.layout.oci_documents import LAYER, Stored, layout_members, manifest_of, named, plain, platform_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layersim._core import Layer, Packed
    from layersim.image.document import Json
    from layersim.layout.outgoing import Leaving


def oci_members(leaving: Sequence[Leaving], packed: Mapping[str, Packed], compression: str | None) -> list[Member]:
    """Return the members of the layout; equal images give equal bytes.

    Parameters
    ----------
    leaving : sequence of Leaving
        The images.
    packed : mapping of str to Packed
        The compressed layers by diff id; none where layers go out as they are.
    compression : {"gzip", "zstd"} or None
        How they are compressed.
    """
    blobs: dict[str, Member] = {}
    index: list[dict[str, Json]] = []
    for one in leaving:
        layers = [_add_layer(blobs, layer, packed.get(layer.diff_id), compression) for layer in one.image.layers]
        manifest, descriptor = manifest_of(one.image, layers)
        blobs[descriptor.path] = Member.file(descriptor.path, manifest)
        config = f"blobs/sha256/{one.image.config_digest[7:]}"
        blobs[config] = Member.file(config, one.image.raw_config)
        platform = platform_of(one.image)
        tagged = [named(descriptor.json, reference) for reference in one.references]
        index += [top | platform for top in tagged or [descriptor.json]]
    return layout_members(blobs, index)


def _add_layer(blobs: dict[str, Member], layer: Layer, packed: Packed | None, compression: str | None) -> Stored:
    if packed is None:
        stored = plain(layer)
        blobs.setdefault(stored.path, Member.layer(stored.path, layer))
        return stored
    stored = Stored(f"{LAYER}+{compression}", packed.digest, packed.size)
    blobs.setdefault(stored.path, Member.packed(stored.path, packed))
    return stored
