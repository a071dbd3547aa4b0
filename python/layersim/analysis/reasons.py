"""Why engines disagree: one sentence for each figure, from the rules in which their profiles differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What containerd adds to a figure, whether or not the graph drivers agree on it.
_CONTAINERD = {
    "id": "containerd calls an image by the manifest or index that its tag points at, the others by its config",
    "size": "containerd counts packed content too, and unpacked layers in whole blocks with their directories",
    "content size": "only containerd keeps manifests, configs and packed layers",
    "shared size": "containerd shares packed content too, and counts whole blocks",
    "unique size": "containerd counts whole blocks, and manifest and config are an image's own",
    "reclaimable": "containerd counts packed content and whole blocks",
}
# Where the two graph drivers differ themselves.
_GRAPH = {
    "shared size": "since version 24 images that no list shows make layers shared too",
    "unique size": "since version 24 images that no list shows make layers shared too",
    "reclaimable": "up to version 28 all but what images in use hold alone, since 29.4 what unused images hold alone",
    "size": "layers came in by another way",
}


def reason_of(figure: str, said: Sequence[str]) -> str:
    """Return why engines differ in a figure, empty where they do not.

    Parameters
    ----------
    figure : str
        What was asked.
    said : sequence of str
        The answers of ``docker20``, ``overlay2`` and ``containerd``.
    """
    docker20, overlay2, containerd = said
    reasons = [_GRAPH.get(figure, "")] if docker20 != overlay2 else []
    reasons += [_CONTAINERD.get(figure, "")] if containerd != overlay2 else []
    return "; ".join(filter(None, reasons))
