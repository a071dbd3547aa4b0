"""An image as an archive holds it, before an engine registers it; and how its layers are fetched together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from layersim._core import sha256
from layersim.errors import DigestMismatchError
from layersim.image.manifest import Descriptor, Platform
from layersim.layout.payloads import packed_or_plain, payloads_of
from layersim.layout.source import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layersim._core import Archive, Layer, Limits
    from layersim.image import ImageConfig, Reference
    from layersim.layout.payloads import Payload

_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar"


@dataclass(frozen=True)
class ArchivedImage:
    """A config with its verified layers, and the tags to give it.

    Attributes
    ----------
    config : ImageConfig
        The typed config.
    raw_config : bytes
        The config, verbatim.
    layers : tuple of Layer
        Base first.
    references : tuple of Reference
        The tags to give it.
    parent : str or None
        Id of the image it was committed from, where the archive says so.
    target : Descriptor or None
        The index or manifest that the tags point at, of an OCI image layout.
    content : tuple of Descriptor
        What is reached from `target` and is there, itself first: below each index its manifests, below each manifest
        its config and its layers as stored; listed as often as they are listed, other platforms and attestations too.
    stored_layers : tuple of Descriptor
        The layers as a docker-archive stores them, base first; empty for an OCI image layout.
    kept_layers : tuple of Descriptor
        Of an image that an engine makes: the blobs of the layers that it stands on, base first.
    is_copied : bool
        Of an image that the legacy builder makes: whether its new layer is of a ``COPY`` or an ``ADD``.
    payloads : mapping of str to bytes, Layer or Packed
        The blobs by digest as they came, for an engine that keeps them.
    """

    config: ImageConfig
    raw_config: bytes
    layers: tuple[Layer, ...]
    references: tuple[Reference, ...] = ()
    parent: str | None = None
    target: Descriptor | None = None
    content: tuple[Descriptor, ...] = ()
    stored_layers: tuple[Descriptor, ...] = ()
    kept_layers: tuple[Descriptor, ...] = ()
    is_copied: bool = False
    payloads: Mapping[str, Payload] = field(default_factory=dict, compare=False, repr=False)

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
    target: Descriptor | None = None
    content: tuple[Descriptor, ...] = ()

    @property
    def platform(self) -> Platform:
        """What the config says that it is for."""
        return Platform(self.config.os, self.config.architecture, self.config.variant)


def fetch_layers(
    source: Archive,
    found: Sequence[Found],
    limits: Limits | None,
    progress: Callable[[int, int], object] | None,
    *,
    with_blobs: bool = False,
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
    stored: dict[tuple[str, str], Descriptor] = {}
    images = [_join(source, image, layers, stored) for image in found]
    if not with_blobs:
        return images
    return [replace(image, payloads=_payloads(source, one, image)) for one, image in zip(found, images, strict=True)]


def _join(
    source: Archive,
    image: Found,
    layers: dict[tuple[str, str], Layer],
    stored: dict[tuple[str, str], Descriptor],
) -> ArchivedImage:
    keys = list(zip(image.members, image.config.diff_ids, strict=True))
    if image.target is None:
        stored |= {key: _stored(source, *key) for key in keys if key not in stored}
    return ArchivedImage(
        config=image.config,
        raw_config=image.raw_config,
        layers=tuple(layers[key] for key in keys),
        references=image.references,
        parent=image.parent,
        target=image.target,
        content=image.content,
        stored_layers=tuple(stored[key] for key in keys) if image.target is None else (),
    )


def _payloads(source: Archive, found: Found, image: ArchivedImage) -> dict[str, Payload]:
    if image.target is not None:
        by_blob = {digest: layer for digest, layer in zip(found.digests, image.layers, strict=True) if digest}
        return payloads_of(source, image.content, by_blob)
    rows = zip(found.members, image.stored_layers, image.layers, strict=True)
    packed = {one.digest: packed_or_plain(source, member, one.digest, layer) for member, one, layer in rows}
    return packed | {image.id: image.raw_config}


def _stored(source: Archive, member: str, diff_id: str) -> Descriptor:
    """Describe a verified layer as it is stored: one without compression is what its diff id is the digest of."""
    compression = source.compression(member)
    if compression == "uncompressed":
        return Descriptor(diff_id, source.size(member), _LAYER_TYPE)
    return Descriptor(source.sha256(member), source.size(member), f"{_LAYER_TYPE}.{compression}")


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
