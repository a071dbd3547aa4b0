"""Reading an OCI image layout: which image each name of `index.json` means on a platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.errors import ArchiveError, InvalidReferenceError, ValidationError
from layersim.image import parse_config, parse_reference
from layersim.image.document import decode
from layersim.image.manifest import Descriptor, Index, Layout, Manifest, Platform
from layersim.layout.archived import Found
from layersim.layout.blobs import DEEPEST, check_size, content_of, read_blob
from layersim.layout.source import DOCUMENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layersim._core import Archive
    from layersim.image import Reference

LAYOUT, INDEX = "oci-layout", "index.json"
_NAME = "org.opencontainers.image.ref.name"
_FULL_NAME = "io.containerd.image.name"


@dataclass(frozen=True)
class Wanted:
    """Which images are wanted where there are several.

    Attributes
    ----------
    platform : Platform
        What they are to be for.
    is_asked : bool
        Whether images for other platforms are left out even where there is nothing to choose from.
    with_blobs : bool, default False
        Whether their blobs are wanted as they came, too: then those of other platforms are verified as well.
    """

    platform: Platform
    is_asked: bool = False
    with_blobs: bool = False


def read_index(source: Archive, wanted: Wanted) -> list[Found]:
    """Return the images of a layout, documents checked, layers not yet loaded.

    Each name of `index.json` gives one image, the first for the platform where there are several. Many tools give a
    name that is a tag alone, such as ``latest``, or one that no engine takes: then the image has no reference.

    Parameters
    ----------
    source : Archive
        The layout.
    wanted : Wanted
        Which image to take where there are several.

    Returns
    -------
    list of Found
        In the order of the index, what has several names once.

    Raises
    ------
    ValidationError, ArchiveError, DigestMismatchError
        A document breaks its rules, a blob is missing or not what its descriptor promises, no image is for the
        platform.
    """
    if LAYOUT in source:
        _check_version(decode(source.read(LAYOUT, limit=DOCUMENT_LIMIT), Layout, LAYOUT))
    index = decode(source.read(INDEX, limit=DOCUMENT_LIMIT), Index, INDEX)
    chooser = _Chooser(source, wanted.platform, is_strict=wanted.is_asked)
    tops = [chooser.named(group) for group in _by_name(index.manifests)]
    chosen = [(top, manifest) for top in tops if top is not None and (manifest := chooser.descend(top)) is not None]
    if chooser.offered and not chosen:
        raise chooser.nothing_for(INDEX)
    return [_find(source, *image) for image in _merged(chosen)]


def _check_version(layout: Layout) -> None:
    if layout.version.partition(".")[0] != "1":
        breach = f"imageLayoutVersion must be 1.x, not {layout.version[:40]!r}"
        raise ValidationError(f"{LAYOUT}: {breach}", [breach])


def _by_name(descriptors: Iterable[Descriptor]) -> Iterable[list[Descriptor]]:
    """Group descriptors of one name; those without a name stand for themselves."""
    names: dict[str, list[Descriptor]] = {}
    for place, descriptor in enumerate(descriptors):
        if not descriptor.is_attestation:
            names.setdefault(name_of(descriptor) or f"#{place}", []).append(descriptor)
    return names.values()


@dataclass
class _Chooser:
    """Chooses among images for platforms, and remembers the platforms of those that it passed over."""

    source: Archive
    wanted: Platform
    is_strict: bool
    offered: dict[str, None] = field(default_factory=dict)

    def named(self, group: list[Descriptor]) -> Descriptor | None:
        """Return the one of a name's descriptors to follow; None when all are for other platforms, and that counts."""
        if len(group) == 1 and (group[0].is_index or not self.is_strict):
            return group[0]
        return self._best(group) or (None if self.is_strict else group[0])

    def descend(self, top: Descriptor) -> Descriptor | None:
        """Return the manifest below a descriptor; None when all are for other platforms, and another name may do."""
        descriptor = top
        for _ in range(DEEPEST):
            if not descriptor.is_index:
                return descriptor
            chosen = self._best(decode(read_blob(self.source, descriptor), Index, descriptor.blob).manifests)
            if chosen is None:
                if self.is_strict:
                    return None
                raise self.nothing_for(descriptor.blob)
            descriptor = chosen
        raise ArchiveError(f"{top.blob}: indexes name indexes more than {DEEPEST} deep")

    def nothing_for(self, place: str) -> ArchiveError:
        """Return the error that says what there is instead of what was wanted."""
        return ArchiveError(f"{place}: no image for {self.wanted}; there is {', '.join(self.offered) or 'none at all'}")

    def _best(self, descriptors: Iterable[Descriptor]) -> Descriptor | None:
        """Return the first for the platform and its very variant, else the first for the platform, else an index."""
        images = [descriptor for descriptor in descriptors if not descriptor.is_attestation]
        platforms = [self._platform(image) for image in images]
        fit = [
            (not platform.is_same(self.wanted), place)
            for place, platform in enumerate(platforms)
            if platform is not None and platform.allows(self.wanted)
        ]
        if fit:
            return images[min(fit)[1]]
        self.offered |= dict.fromkeys(str(platform) for platform in platforms if platform is not None)
        return next((image for image in images if image.is_index), None)

    def _platform(self, descriptor: Descriptor) -> Platform | None:
        """Return what an entry is for; where it does not say so, the config of its image does."""
        if descriptor.platform is not None:
            # An entry that names a platform must name all of it.
            said = descriptor.platform
            return Platform(said.os or "unknown", said.architecture or "unknown", said.variant)
        if not descriptor.is_manifest:
            return None
        config = decode(read_blob(self.source, descriptor), Manifest, descriptor.blob).config
        return decode(read_blob(self.source, config), Platform, config.blob) if config.is_config else None


def _merged(
    chosen: Iterable[tuple[Descriptor, Descriptor]],
) -> Iterable[tuple[Descriptor, Descriptor, tuple[Reference, ...]]]:
    """Join what has several names: the first descriptor, the manifest, and all names."""
    merged: dict[tuple[str, str], tuple[Descriptor, Descriptor, tuple[Reference, ...]]] = {}
    for top, manifest in chosen:
        key = top.digest, manifest.digest
        first, _, references = merged.get(key, (top, manifest, ()))
        merged[key] = first, manifest, references + _references(top)
    return merged.values()


def _find(source: Archive, top: Descriptor, descriptor: Descriptor, references: tuple[Reference, ...]) -> Found:
    if not descriptor.is_manifest:
        raise ArchiveError(f"{descriptor.blob}: expected an image manifest, got {descriptor.media_type!r}")
    manifest = decode(read_blob(source, descriptor), Manifest, descriptor.blob)
    raw = read_blob(source, manifest.config)
    config = parse_config(raw, manifest.config.blob)
    if len(manifest.layers) != len(config.diff_ids):
        breach = f"{len(manifest.layers)} layers in the manifest, {len(config.diff_ids)} diff_ids in the config"
        raise ValidationError(f"{descriptor.blob}: {breach}", [breach])
    for layer in manifest.layers:
        check_size(source, layer)
    return Found(
        config=config,
        raw_config=raw,
        members=tuple(layer.blob for layer in manifest.layers),
        digests=tuple(layer.digest for layer in manifest.layers),
        references=references,
        target=top,
        content=content_of(source, top),
    )


def name_of(descriptor: Descriptor) -> str | None:
    """Return the name that an entry of `index.json` has, the full one where there are two."""
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
