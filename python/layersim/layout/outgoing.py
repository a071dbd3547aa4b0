"""What the writers of all layouts share: images with the tags to give them, and the parts that several layouts have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from layersim._core import Member
from layersim.image import instant
from layersim.image.document import encode, encode_sorted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.image import Image, Reference
    from layersim.image.document import Json
    from layersim.layout.payloads import Kept


class Leaving(NamedTuple):
    """An image on its way out, with the tags that it is asked for by.

    Attributes
    ----------
    image : Image
        What goes out.
    references : sequence of Reference
        Its tags.
    blobs : tuple of Kept
        What its engine keeps of it as it came, the index or manifest that it is called by first; none where that is
        not all.
    """

    image: Image
    references: Sequence[Reference]
    blobs: tuple[Kept, ...] = ()

    @property
    def mtime(self) -> int:
        """When the image says that it was made, in seconds since 1970; what was before counts as that."""
        return max(0, instant.unix_seconds(self.image.config.created))


def parents(leaving: Sequence[Leaving]) -> dict[str, str]:
    """Return child id to what archives call its parent, of the images whose parents go out too."""
    digests = {one.image.id: one.image.config_digest for one in leaving}
    kept = (one.image for one in leaving if one.image.parent in digests.keys() - {one.image.id})
    return {image.id: digests[image.parent] for image in kept if image.parent is not None}


def manifest_item(one: Leaving, config: str, layers: Sequence[str], parent: str | None) -> dict[str, Json]:
    """Return what `manifest.json` says of an image."""
    item: dict[str, Json] = {
        "Config": config,
        "RepoTags": [str(reference) for reference in one.references] or None,
        "Layers": list(layers),
    }
    return item | ({"Parent": parent} if parent else {})


def repositories(tops: dict[Reference, str]) -> list[Member]:
    """Return the file that says which layer each tag points to, as it was before `manifest.json`; none without tags."""
    tagged: dict[str, dict[str, Json]] = {}
    for reference, top in tops.items():
        tagged.setdefault(reference.repository, {})[reference.tag] = top
    if not tagged:
        return []
    document: dict[str, Json] = {name: dict(sorted(tags.items())) for name, tags in tagged.items()}
    return [Member.file("repositories", encode_sorted(document) + b"\n")]


def manifest_file(items: Sequence[dict[str, Json]], end: bytes = b"\n") -> Member:
    """Return the file `manifest.json`."""
    return Member.file("manifest.json", encode(list(items)) + end)
