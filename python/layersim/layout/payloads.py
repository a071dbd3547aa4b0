"""The blobs of an image as they came: what an engine keeps beside unpacked layers, and what such blobs say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from layersim._core import Layer, Packed
from layersim.image.document import decode
from layersim.image.manifest import Document
from layersim.layout.blobs import read_blob
from layersim.layout.source import DOCUMENT_LIMIT, mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from layersim._core import Archive
    from layersim.image.manifest import Descriptor

Payload: TypeAlias = bytes | Layer | Packed
"""A document; an uncompressed layer, which is its own blob; anything else where it is."""


class Kept(NamedTuple):
    """One blob with what it holds."""

    digest: str
    payload: Payload


class Told(NamedTuple):
    """A manifest that is kept, and what it names."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


def payloads_of(source: Archive, content: Iterable[Descriptor], layers: Mapping[str, Layer]) -> dict[str, Payload]:
    """Return the payloads of all blobs by digest, every one verified.

    Parameters
    ----------
    source : Archive
        Where they are.
    content : iterable of Descriptor
        What there is.
    layers : mapping of str to Layer
        The layers that were loaded, and so verified, by the digest of the blob.

    Raises
    ------
    DigestMismatchError
        A blob is not what its descriptor promises.
    """
    payloads: dict[str, Payload] = {}
    for descriptor in content:
        if descriptor.digest not in payloads:
            payloads[descriptor.digest] = _payload(source, descriptor, layers)
    return payloads


def packed_or_plain(source: Archive, member: str, digest: str, layer: Layer) -> Payload:
    """Return what keeps the bytes of a loaded layer's blob, whose digest it is."""
    return layer if digest == layer.diff_id else source.packed(member, digest)


def media_type_of(raw: bytes, digest: str) -> str:
    """Return what a manifest or an index says that it is; one that does not say so is OCI's."""
    document = decode(raw, Document, digest)
    kind = "index" if document.manifests is not None else "manifest"
    return document.media_type or f"application/vnd.oci.image.{kind}.v1+json"


def manifest_for(config: str, blobs: Iterable[Kept]) -> Told | None:
    """Return the first manifest below the first of the blobs that has this config; None where none is kept."""
    payloads = {blob.digest: blob.payload for blob in blobs}
    if not payloads:
        return None
    return next((told for told in _manifests(next(iter(payloads)), payloads) if told.config.digest == config), None)


def _payload(source: Archive, descriptor: Descriptor, layers: Mapping[str, Layer]) -> Payload:
    if descriptor.digest in layers:
        return packed_or_plain(source, descriptor.blob, descriptor.digest, layers[descriptor.digest])
    is_document = descriptor.is_index or descriptor.is_manifest or descriptor.is_config
    # A layer of another platform may have no media type.
    if is_document and descriptor.size <= DOCUMENT_LIMIT:
        return read_blob(source, descriptor)
    if (actual := source.sha256(descriptor.blob)) != descriptor.digest:
        raise mismatch(descriptor.blob, descriptor.digest, actual)
    return source.packed(descriptor.blob, descriptor.digest)


def _manifests(digest: str, payloads: Mapping[str, Payload]) -> Iterator[Told]:
    """Go through what is kept below an index or manifest; a digest names no document above it."""
    raw = payloads.get(digest)
    if not isinstance(raw, bytes):
        return
    document = decode(raw, Document, digest)
    for below in document.manifests or ():
        yield from _manifests(below.digest, payloads)
    if document.config is not None:
        yield Told(document.config, tuple(document.layers or ()))
