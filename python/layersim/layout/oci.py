"""Reading an OCI image layout: `index.json`, manifests and blobs, all verified by digest and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import sha256
from layersim.errors import ArchiveError, InvalidReferenceError, ValidationError
from layersim.image import parse_config, parse_reference
from layersim.image.document import decode
from layersim.image.manifest import Descriptor, Index, Layout, Manifest, Platform
from layersim.layout.archived import Found, require
from layersim.layout.source import DOCUMENT_LIMIT, mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layersim._core import Archive
    from layersim.image import Reference

LAYOUT, INDEX = "oci-layout", "index.json"
_NAME = "org.opencontainers.image.ref.name"
_FULL_NAME = "io.containerd.image.name"
# An index may name indexes; real ones are at most two deep.
_DEEPEST = 8


def read_index(source: Archive, platform: Platform) -> list[Found]:
    """Return the images of a layout, documents checked, layers not yet loaded.

    Each name of `index.json` gives one image, the first for `platform` where there are several. Many tools give a
    name that is a tag alone, such as ``latest``, or one that no engine takes: then the image has no reference.

    Returns
    -------
    list of Found
        In the order of the index, each manifest once.

    Raises
    ------
    ValidationError, ArchiveError, DigestMismatchError
        A document breaks its rules, a blob is missing or not what its descriptor promises.
    """
    if LAYOUT in source:
        _check_version(decode(source.read(LAYOUT, limit=DOCUMENT_LIMIT), Layout, LAYOUT))
    index = decode(source.read(INDEX, limit=DOCUMENT_LIMIT), Index, INDEX)
    chosen = [_descend(source, descriptor, platform) for descriptor in _named(source, index.manifests, platform)]
    merged: dict[str, tuple[Descriptor, tuple[Reference, ...]]] = {}
    for top, manifest in chosen:
        _, references = merged.get(manifest.digest, (manifest, ()))
        merged[manifest.digest] = manifest, references + _references(top)
    return [_find(source, manifest, references) for manifest, references in merged.values()]


def _check_version(layout: Layout) -> None:
    if layout.version.partition(".")[0] != "1":
        breach = f"imageLayoutVersion must be 1.x, not {layout.version[:40]!r}"
        raise ValidationError(f"{LAYOUT}: {breach}", [breach])


def _named(source: Archive, descriptors: Iterable[Descriptor], platform: Platform) -> list[Descriptor]:
    """One descriptor per name; those without a name stand for themselves."""
    names: dict[str, list[Descriptor]] = {}
    for place, descriptor in enumerate(descriptors):
        if not descriptor.is_attestation:
            names.setdefault(_name(descriptor) or f"#{place}", []).append(descriptor)
    return [
        group[0] if len(group) == 1 else _for_platform(source, group, platform) or group[0] for group in names.values()
    ]


def _for_platform(source: Archive, descriptors: Iterable[Descriptor], platform: Platform) -> Descriptor | None:
    images = (descriptor for descriptor in descriptors if not descriptor.is_attestation)
    return next((image for image in images if _is_for(source, image, platform)), None)


def _is_for(source: Archive, descriptor: Descriptor, platform: Platform) -> bool:
    """Whether an entry is for a platform; where it does not say so, the config of its image does."""
    if descriptor.platform is not None:
        return descriptor.platform.matches(platform)
    if not descriptor.is_manifest:
        return False
    config = decode(_blob(source, descriptor), Manifest, descriptor.blob).config
    return config.is_config and decode(_blob(source, config), Platform, config.blob).allows(platform)


def _descend(source: Archive, top: Descriptor, platform: Platform) -> tuple[Descriptor, Descriptor]:
    """Return the descriptor with its name, and that of the manifest below it for the wanted platform."""
    descriptor = top
    for _ in range(_DEEPEST):
        if not descriptor.is_index:
            return top, descriptor
        images = decode(_blob(source, descriptor), Index, descriptor.blob).manifests
        chosen = _for_platform(source, images, platform) or next((image for image in images if image.is_index), None)
        if chosen is None:
            raise ArchiveError(f"{descriptor.blob}: no image for {platform.os}/{platform.architecture}")
        descriptor = chosen
    raise ArchiveError(f"{top.blob}: indexes name indexes more than {_DEEPEST} deep")


def _find(source: Archive, descriptor: Descriptor, references: tuple[Reference, ...]) -> Found:
    if not descriptor.is_manifest:
        raise ArchiveError(f"{descriptor.blob}: expected an image manifest, got {descriptor.media_type!r}")
    manifest = decode(_blob(source, descriptor), Manifest, descriptor.blob)
    raw = _blob(source, manifest.config)
    config = parse_config(raw, manifest.config.blob)
    if len(manifest.layers) != len(config.diff_ids):
        breach = f"{len(manifest.layers)} layers in the manifest, {len(config.diff_ids)} diff_ids in the config"
        raise ValidationError(f"{descriptor.blob}: {breach}", [breach])
    for layer in manifest.layers:
        _check_size(source, layer)
    members = tuple(layer.blob for layer in manifest.layers)
    return Found(config, raw, members, tuple(layer.digest for layer in manifest.layers), references)


def _blob(source: Archive, descriptor: Descriptor) -> bytes:
    _check_size(source, descriptor)
    raw = source.read(descriptor.blob, limit=DOCUMENT_LIMIT)
    if (actual := sha256(raw)) != descriptor.digest:
        raise mismatch(descriptor.blob, descriptor.digest, actual)
    return raw


def _check_size(source: Archive, descriptor: Descriptor) -> None:
    require(source, descriptor.blob)
    if (actual := source.size(descriptor.blob)) != descriptor.size:
        raise ArchiveError(f"{descriptor.blob}: its descriptor promises {descriptor.size} bytes, it has {actual}")


def _name(descriptor: Descriptor) -> str | None:
    annotations = descriptor.annotations or {}
    return annotations.get(_FULL_NAME) or annotations.get(_NAME)


def _references(descriptor: Descriptor) -> tuple[Reference, ...]:
    """Return what the image is to be called: nothing where its name says a tag alone, or is none of Docker's."""
    annotations = descriptor.annotations or {}
    full, name = annotations.get(_FULL_NAME), annotations.get(_NAME)
    text = full or name
    if not text or (not full and not {"/", ":"} & set(text)):
        return ()
    try:
        return (parse_reference(text),)
    except InvalidReferenceError:
        return ()
