"""Checking an OCI image layout: every descriptor, from `index.json` down."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from layersim.errors import LayerSimError
from layersim.image import parse_config
from layersim.image.document import decode
from layersim.image.manifest import Descriptor, Layout, Manifest
from layersim.layout.blobs import DEEPEST
from layersim.layout.oci import INDEX, LAYOUT, name_of
from layersim.layout.source import DOCUMENT_LIMIT

if TYPE_CHECKING:
    from layersim.image import ImageConfig
    from layersim.layout.inspection import Inspection

_COMPRESSIONS = {"gzip": "gzip", "zstd": "zstd", "tar": "uncompressed"}


class _Index(msgspec.Struct):
    manifests: list[object]


class _Manifest(msgspec.Struct):
    config: object
    layers: list[object]


class OciCheck:
    """Follows the descriptors of a layout; each document once, however often it is named."""

    def __init__(self, found: Inspection) -> None:
        self._found = found
        self._seen: set[tuple[object, ...]] = set()
        self._indexes: dict[str, set[str]] = {}

    def run(self) -> None:
        """Check the layout."""
        layout = self._found.decode(self._found.read(LAYOUT), Layout, LAYOUT)
        if layout is not None and layout.version.partition(".")[0] != "1":
            self._found.note(LAYOUT, f"imageLayoutVersion must be 1.x, not {layout.version[:40]!r}")
        # Indexes may name indexes, without an end where digests are wrong: a list, not the stack, remembers them.
        waiting = [INDEX]
        for where in waiting:
            self._indexes[where] = self._check_index(where)
            waiting += sorted(self._indexes[where] - self._indexes.keys() - set(waiting))
        self._check_depth()

    def _check_index(self, where: str) -> set[str]:
        """Check an index and the manifests that it names; return the blobs of the indexes that it names."""
        below = set()
        index = self._found.decode(self._found.read(where), _Index, where)
        named = {f"{where}: manifests[{place}]": item for place, item in enumerate(index.manifests if index else ())}
        descriptors = {place: self._descriptor(item, place) for place, item in named.items()}
        for descriptor in descriptors.values():
            if descriptor is None or self._is_seen(descriptor):
                continue
            if descriptor.is_index:
                below.add(descriptor.blob)
            elif descriptor.is_manifest:
                self._check_manifest(descriptor, is_image=where == INDEX or descriptor.platform is not None)
        if index is not None:
            typed = {place: self._found.typed(item, Descriptor, place) for place, item in named.items()}
            self._check_choice(where, {place: one for place, one in typed.items() if one is not None})
        return below

    def _check_choice(self, where: str, descriptors: dict[str, Descriptor]) -> None:
        """Check that there is something to choose: each name of the layout, and each index below, offers an image."""
        images = {place: one for place, one in descriptors.items() if not one.is_attestation}
        # One without a name is its own group; below `index.json` names mean nothing, and what no platform fits is left.
        served = {name_of(one) for one in images.values() if _leads_on(one)} - {None}
        for place, one in images.items():
            is_followed = one.platform is not None or (where == INDEX and name_of(one) not in served)
            if is_followed and not _leads_on(one):
                self._found.note(place, f"neither an index nor a manifest of an image: {one.media_type!r}")
        if where != INDEX and not any(one.platform or one.is_index or self._has_config(one) for one in images.values()):
            self._found.note(where, "names no image")

    def _check_depth(self) -> None:
        """Go down from `index.json` by all ways at once, as far as loading goes."""
        level = {INDEX}
        for _ in range(DEEPEST):
            level = {below for blob in level for below in self._indexes.get(blob, ())}
        if level:
            self._found.note(INDEX, f"indexes name indexes more than {DEEPEST} deep: {min(level)}")

    def _has_config(self, descriptor: Descriptor) -> bool:
        """Whether a manifest is one of an image, and not of something else that is kept in the same way."""
        if not descriptor.is_manifest:
            return False
        with suppress(LayerSimError):
            blob = descriptor.blob
            if blob in self._found.source:
                raw = self._found.source.read(blob, limit=DOCUMENT_LIMIT)
                return decode(raw, Manifest, blob).config.is_config
        return True  # what is wrong with it is told where it is checked

    def _is_seen(self, descriptor: Descriptor) -> bool:
        """Whether a blob was looked at as what this says that it is; remember it."""
        kind = descriptor.is_index, descriptor.is_manifest, descriptor.is_attestation, descriptor.platform
        key = (descriptor.digest, *kind)
        is_seen = key in self._seen and not descriptor.is_index
        self._seen.add(key)
        return is_seen

    def _descriptor(self, item: object, where: str) -> Descriptor | None:
        """Return a descriptor whose blob is there; what is wrong with either is a breach."""
        descriptor = self._found.typed(item, Descriptor, where)
        if descriptor is None:
            return None
        source = self._found.source
        try:
            blob = descriptor.blob
        except LayerSimError as error:
            self._found.note(where, str(error))
            return None
        if blob not in source:
            self._found.note(where, f"missing in the archive: {blob!r}")
            return None
        if (size := source.size(blob)) != descriptor.size:
            self._found.note(where, f"its descriptor promises {descriptor.size} bytes, {blob} has {size}")
        return descriptor

    def _check_manifest(self, descriptor: Descriptor, *, is_image: bool) -> None:
        where = descriptor.blob
        manifest = self._found.decode(self._found.read(where), _Manifest, where)
        if manifest is None:
            return
        config = self._descriptor(manifest.config, f"{where}: config")
        layers = [self._descriptor(item, f"{where}: layers[{place}]") for place, item in enumerate(manifest.layers)]
        if config is None or not (config.is_config or is_image) or descriptor.is_attestation:
            return
        raw = self._found.read(config.blob)
        with self._found.noting(config.blob):
            parsed = parse_config(raw or b"", config.blob)
            self._check_platform(descriptor, parsed, where)
            self._check_image(parsed, layers, where)

    def _check_platform(self, descriptor: Descriptor, config: ImageConfig, where: str) -> None:
        named = descriptor.platform
        pairs = {"os": config.os, "architecture": config.architecture}
        for name, value in pairs.items():
            said = named and getattr(named, name)
            if said and value and said != value:
                self._found.note(where, f"its descriptor says {name} {said!r}, its config {value!r}")

    def _check_image(self, config: ImageConfig, layers: list[Descriptor | None], where: str) -> None:
        if len(layers) != len(config.diff_ids):
            self._found.note(
                where, f"{len(layers)} layers in the manifest, {len(config.diff_ids)} diff_ids in the config"
            )
        for place, (layer, diff_id) in enumerate(zip(layers, config.diff_ids, strict=False)):
            if layer is None:
                continue
            self._found.want_layer(layer.blob, diff_id, f"{where}: layers[{place}]", layer.digest)
            self._check_compression(layer, f"{where}: layers[{place}]")

    def _check_compression(self, layer: Descriptor, where: str) -> None:
        ending = (layer.media_type or "").replace("+", ".").rpartition(".")[2]
        promised, actual = _COMPRESSIONS.get(ending), self._found.source.compression(layer.blob)
        if promised is not None and promised != actual:
            self._found.note(where, f"its media type {layer.media_type!r} promises {promised}, the blob is {actual}")


def _leads_on(descriptor: Descriptor) -> bool:
    return descriptor.is_index or descriptor.is_manifest
