"""An image as an archive holds it, before an engine registers it; and how its layers are fetched together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from layersim._core import sha256
from layersim.errors import ArchiveError, DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layersim._core import Archive, Layer, Limits
    from layersim.image import Descriptor, ImageConfig, Reference


@dataclass(frozen=True)
class ArchivedImage:
    """A config with its verified layers, base first, and the tags to give it.

    Attributes
    ----------
    content : tuple of Descriptor
        All blobs that are reached from the index or manifest that a tag points at, that one first, as often as they
        are listed; none for an archive that has no such documents.
    stored_layers : tuple of Descriptor
        The layers as the archive stores them, packed or not, base first; none for an image that comes from no archive.
    """

    config: ImageConfig
    raw_config: bytes
    layers: tuple[Layer, ...]
    references: tuple[Reference, ...] = ()
    parent: str | None = None
    content: tuple[Descriptor, ...] = ()
    stored_layers: tuple[Descriptor, ...] = ()

    @cached_property
    def id(self) -> str:
        """The digest of the config's bytes."""
        return sha256(self.raw_config)


@dataclass(frozen=True)
class Found:
    """An image whose documents are read and checked; its layers are still to be fetched."""

    config: ImageConfig
    raw_config: bytes
    members: tuple[str, ...]
    digests: tuple[str | None, ...]
    references: tuple[Reference, ...]
    parent: str | None = None


def fetch_layers(
    source: Archive, found: Sequence[Found], limits: Limits | None, progress: Callable[[int, int], object] | None
) -> list[ArchivedImage]:
    """Load the layers of all images in one go, each once however many images name it."""
    wanted: dict[tuple[str, str], str | None] = {}
    for image in found:
        for member, diff_id, digest in zip(image.members, image.config.diff_ids, image.digests, strict=True):
            require(source, member)
            wanted[member, diff_id] = digest
    members, diff_ids = [key[0] for key in wanted], [key[1] for key in wanted]
    load = partial(source.layers, limits=limits, progress=progress)
    loaded = _load(load, members, diff_ids, list(wanted.values()))
    layers = dict(zip(wanted, loaded, strict=True))
    return [_join(image, layers) for image in found]


def require(source: Archive, member: str) -> None:
    """Raise `ArchiveError` unless the archive has this member."""
    if member not in source:
        raise ArchiveError(f"missing in the archive: {member[:300]!r}")


def _join(image: Found, layers: dict[tuple[str, str], Layer]) -> ArchivedImage:
    own = tuple(layers[key] for key in zip(image.members, image.config.diff_ids, strict=True))
    return ArchivedImage(image.config, image.raw_config, own, image.references, image.parent)


def _load(
    load: Callable[..., list[Layer]], members: list[str], diff_ids: list[str], digests: list[str | None]
) -> list[Layer]:
    try:
        return load(members, diff_ids, digests=digests)
    except DigestMismatchError as error:
        if error.expected not in diff_ids:
            raise
        place = diff_ids.index(error.expected)
        raise DigestMismatchError(
            f"{members[place]!r}: invalid diffID for layer {place}: expected {error.expected}, got {error.actual}",
            error.expected,
            error.actual,
        ) from error
