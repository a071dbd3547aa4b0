"""What `docker save` of 25 and newer writes from its own store: an OCI layout that older engines load, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import Member, sha256
from layersim.layout.oci_documents import (
    LAYER,
    layout_members,
    manifest_of,
    named,
    plain,
)
from layersim.layout.outgoing import manifest_file, manifest_item, parents, repositories
from layersim.layout.v1 import v1_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.image import Reference
    from layersim.image.document import Json
    from layersim.layout.outgoing import Leaving


def docker25_members(leaving: Sequence[Leaving]) -> list[Member]:
    """Return the members of the archive; equal images give equal bytes.

    Notes
    -----
    As the engine does, an image without a tag is left out of `index.json` unless it comes before all tagged ones;
    `manifest.json` names all. The time of ``blobs/sha256`` is that of the saving there, and 1970 here.

    Raises
    ------
    ValidationError
        An image has no layer.
    """
    blobs: dict[str, Member] = {}
    parent_of = parents(leaving)
    items: list[dict[str, Json]] = []
    index: list[dict[str, Json]] = []
    tops: dict[Reference, str] = {}
    for one in leaving:
        _add_blobs(blobs, one)
        manifest, descriptor = manifest_of(one.image, [plain(layer) for layer in one.image.layers])
        blobs[descriptor.path] = Member.file(descriptor.path, manifest)
        tagged = [named(descriptor.json, reference) for reference in one.references]
        index += tagged or ([] if index else [descriptor.json])
        tops |= dict.fromkeys(one.references, one.image.diff_ids[-1][7:])
        items.append(_item(one, parent_of.get(one.image.id)))
    extra = [manifest_file(items), *repositories(tops)]
    return layout_members(blobs, index, extra, mtime=leaving[-1].mtime if leaving else 0)


def _add_blobs(blobs: dict[str, Member], one: Leaving) -> None:
    """Put in layers, their v1 documents and the config; what is there already keeps its time, but for the config."""
    for v1 in v1_images(one.image, is_newer=True):
        path = f"blobs/sha256/{sha256(v1.document)[7:]}"
        blobs.setdefault(path, Member.file(path, v1.document, mtime=one.mtime))
    for layer in one.image.layers:
        path = plain(layer).path
        blobs.setdefault(path, Member.layer(path, layer, mtime=one.mtime))
    path = f"blobs/sha256/{one.image.config_digest[7:]}"
    blobs[path] = Member.file(path, one.image.raw_config, mtime=one.mtime)


def _item(one: Leaving, parent: str | None) -> dict[str, Json]:
    layers = {layer.diff_id: plain(layer) for layer in one.image.layers}
    sources: dict[str, Json] = {
        digest: {"mediaType": LAYER, "size": layers[digest].size, "digest": digest} for digest in sorted(layers)
    }
    paths = [layers[digest].path for digest in one.image.diff_ids]
    return manifest_item(one, f"blobs/sha256/{one.image.config_digest[7:]}", paths, parent) | {"LayerSources": sources}
