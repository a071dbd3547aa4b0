"""Checking an OCI image layout: every descriptor, from `index.json` down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from layersim.errors import LayerSimError
from layersim.image import parse_config
from layersim.image.manifest import Descriptor, Layout
from layersim.layout.oci import INDEX, LAYOUT

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
        self._seen: set[str] = set()

    def run(self) -> None:
        """Check the layout."""
        layout = self._found.decode(self._found.read(LAYOUT), Layout, LAYOUT)
        if layout is not None and layout.version.partition(".")[0] != "1":
            self._found.note(LAYOUT, f"imageLayoutVersion must be 1.x, not {layout.version[:40]!r}")
        self._check_index(self._found.read(INDEX), INDEX)

    def _check_index(self, raw: bytes | None, where: str) -> None:
        # Indexes may name indexes, without an end where digests are wrong: a list, not the stack, remembers them.
        waiting = [(raw, where)]
        while waiting:
            raw, where = waiting.pop(0)
            index = self._found.decode(raw, _Index, where)
            for place, item in enumerate(index.manifests if index else ()):
                named = f"{where}: manifests[{place}]"
                descriptor = self._descriptor(item, named)
                if descriptor is None or descriptor.digest in self._seen:
                    continue
                self._seen.add(descriptor.digest)
                if descriptor.is_index:
                    waiting.append((self._found.read(descriptor.blob), descriptor.blob))
                elif descriptor.is_manifest:
                    self._check_manifest(descriptor)

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

    def _check_manifest(self, descriptor: Descriptor) -> None:
        where = descriptor.blob
        manifest = self._found.decode(self._found.read(where), _Manifest, where)
        if manifest is None:
            return
        config = self._descriptor(manifest.config, f"{where}: config")
        layers = [self._descriptor(item, f"{where}: layers[{place}]") for place, item in enumerate(manifest.layers)]
        if config is None or not config.is_config or descriptor.is_attestation:
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
