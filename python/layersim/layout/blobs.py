"""The blobs of an OCI image layout: read only when they are what their descriptors promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import sha256
from layersim.errors import ArchiveError
from layersim.image.document import decode
from layersim.image.manifest import Index, Manifest
from layersim.layout.source import DOCUMENT_LIMIT, mismatch, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim._core import Archive
    from layersim.image.manifest import Descriptor

# An index may name indexes; real ones are at most two deep.
DEEPEST = 8
# Descriptors below one target; a multi-platform image of 20 platforms and 100 layers has 4,000.
_MOST = 1 << 16


def read_blob(source: Archive, descriptor: Descriptor) -> bytes:
    """Return a document, verified by size and digest."""
    check_size(source, descriptor)
    raw = source.read(descriptor.blob, limit=DOCUMENT_LIMIT)
    if (actual := sha256(raw)) != descriptor.digest:
        raise mismatch(descriptor.blob, descriptor.digest, actual)
    return raw


def check_size(source: Archive, descriptor: Descriptor) -> None:
    """Raise `ArchiveError` unless the blob is there and as long as promised."""
    require(source, descriptor.blob)
    if (actual := source.size(descriptor.blob)) != descriptor.size:
        raise ArchiveError(f"{descriptor.blob}: its descriptor promises {descriptor.size} bytes, it has {actual}")


def content_of(source: Archive, target: Descriptor) -> tuple[Descriptor, ...]:
    """Return what is reached from a descriptor and is there, itself first, each as often as it is listed.

    Documents are verified by digest, layers by size.
    """
    content: list[Descriptor] = []
    for descriptor in _reached(source, target, DEEPEST):
        content.append(descriptor)
        if len(content) > _MOST:
            raise ArchiveError(f"{target.blob}: more than {_MOST} descriptors below one")
    return tuple(content)


def _reached(source: Archive, descriptor: Descriptor, depth: int) -> Iterator[Descriptor]:
    if descriptor.blob not in source:
        return
    check_size(source, descriptor)
    yield descriptor
    if descriptor.is_index:
        if not depth:
            raise ArchiveError(f"{descriptor.blob}: indexes name indexes more than {DEEPEST} deep")
        for below in decode(read_blob(source, descriptor), Index, descriptor.blob).manifests:
            yield from _reached(source, below, depth - 1)
    elif descriptor.is_manifest:
        manifest = decode(read_blob(source, descriptor), Manifest, descriptor.blob)
        for below in (manifest.config, *manifest.layers):
            if below.blob in source:
                check_size(source, below)
                yield below
