"""Checking a docker-archive: what `manifest.json` and `repositories` say, against what is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from layersim._core import sha256
from layersim.errors import InvalidReferenceError
from layersim.image import parse_config
from layersim.image.manifest import ArchivedManifest, Descriptor
from layersim.image.parenthood import is_parent
from layersim.layout.docker_archive import MANIFEST, tag_of

if TYPE_CHECKING:
    from layersim.image import ImageConfig, Reference
    from layersim.layout.inspection import Inspection

_REPOSITORIES = "repositories"
_NAMED_BY_DIGEST = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?", re.ASCII)


class _Sources(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of an item that only archives of Docker 25 and newer have."""

    layer_sources: dict[str, object] | None = None


class DockerCheck:
    """Follows what the images of a docker-archive name."""

    def __init__(self, found: Inspection) -> None:
        self._found = found
        self._tops: dict[Reference, str] = {}
        self._owners: dict[Reference, str] = {}
        self._parents: list[tuple[str, str, str]] = []
        self._configs: dict[str, ImageConfig | None] = {}

    def run(self) -> None:
        """Check the archive."""
        raw = self._found.read(MANIFEST)
        if raw is not None and raw.strip() == b"null":
            self._found.note(MANIFEST, "invalid manifest, manifest cannot be null (but can be [])")
            raw = None
        for place, item in enumerate(self._found.decode(raw, list[object], MANIFEST) or ()):
            where = f"{MANIFEST}: [{place}]"
            manifest = self._found.typed(item, ArchivedManifest, where)
            if manifest is not None:
                self._check_image(manifest, where)
                self._check_sources(item, manifest, where)
        for where, image, parent in self._parents:
            self._check_parent(where, image, parent)
        if _REPOSITORIES in self._found.source:
            self._check_repositories()

    def _check_image(self, manifest: ArchivedManifest, where: str) -> None:
        layers = manifest.layers or []
        for place, member in enumerate(layers):
            if member not in self._found.source:
                self._found.note(f"{where}: Layers[{place}]", f"missing in the archive: {member[:300]!r}")
        for tag in manifest.repo_tags or ():
            self._check_tag(tag, manifest, where)
        if manifest.config not in self._found.source:
            self._found.note(f"{where}: Config", f"missing in the archive: {manifest.config[:300]!r}")
        elif (raw := self._found.read(manifest.config)) is not None:
            self._check_config(manifest, raw, where)

    def _check_parent(self, where: str, image: str, parent: str) -> None:
        if parent not in self._configs:
            self._found.note(where, f"its parent is no image of the archive: {parent[:80]!r}")
            return
        theirs, own = self._configs[parent], self._configs[image]
        if parent != image and theirs is not None and own is not None and not is_parent(theirs, own):
            self._found.note(where, f"image {parent} is not a valid parent for {image}")

    def _check_tag(self, tag: str, manifest: ArchivedManifest, where: str) -> None:
        try:
            reference = tag_of(tag)
        except InvalidReferenceError as error:
            self._found.note(f"{where}: RepoTags", str(error))
            return
        # What is listed twice is one image, and so is one config under two names.
        config = manifest.config
        owner = self._found.digest(config) if config in self._found.source else config
        if self._owners.setdefault(reference, owner) != owner:
            self._found.note(f"{where}: RepoTags", f"{reference} is the tag of another image, too")
        self._tops[reference] = manifest.layers[-1] if manifest.layers else ""

    def _check_config(self, manifest: ArchivedManifest, raw: bytes, where: str) -> None:
        actual, named = sha256(raw), _NAMED_BY_DIGEST.fullmatch(manifest.config)
        self._configs[actual] = None
        if manifest.parent:
            self._parents.append((where, actual, manifest.parent))
        if named and actual != f"sha256:{named[1]}":
            self._found.note(manifest.config, f"expected sha256:{named[1]}, got {actual}")
        with self._found.noting(manifest.config):
            config = self._configs[actual] = parse_config(raw, manifest.config)
            diff_ids = config.diff_ids
            layers = manifest.layers or []
            if len(layers) != len(diff_ids):
                lengths = f"expected {len(layers)}, got {len(diff_ids)}"
                self._found.note(where, f"invalid manifest, layers length mismatch: {lengths}")
            for place, (member, diff_id) in enumerate(zip(layers, diff_ids, strict=False)):
                if member in self._found.source:
                    self._found.want_layer(member, diff_id, f"{where}: Layers[{place}]")

    def _check_sources(self, item: object, manifest: ArchivedManifest, where: str) -> None:
        sources = self._found.typed(item, _Sources, where)
        for key, raw in ((sources and sources.layer_sources) or {}).items():
            place = f"{where}: LayerSources[{key[:80]!r}]"
            descriptor = self._found.typed(raw, Descriptor, place)
            member = f"blobs/sha256/{key.removeprefix('sha256:')}"
            if descriptor is None:
                continue
            if member not in (manifest.layers or ()):
                self._found.note(place, "is no layer of the image")
            elif member in self._found.source:
                self._check_source(descriptor, member, place)

    def _check_source(self, descriptor: Descriptor, member: str, place: str) -> None:
        if (size := self._found.source.size(member)) != descriptor.size:
            self._found.note(place, f"promises {descriptor.size} bytes, {member} has {size}")
        if (actual := self._found.digest(member)) != descriptor.digest:
            self._found.note(place, f"promises {descriptor.digest[:80]}, {member} is {actual}")

    def _check_repositories(self) -> None:
        raw = self._found.read(_REPOSITORIES)
        named = self._found.decode(raw, dict[str, dict[str, str]], _REPOSITORIES) or {}
        for repository, tags in named.items():
            for tag, top in tags.items():
                self._check_repository(f"{repository}:{tag}", top)

    def _check_repository(self, text: str, top: str) -> None:
        where = f"{_REPOSITORIES}: {text[:300]}"
        paths = [path for path in (f"{top}/layer.tar", f"blobs/sha256/{top}") if path in self._found.source]
        if not paths:
            self._found.note(where, f"names a layer that is not there: {top[:300]!r}")
        with self._found.noting(where):
            reference = tag_of(text)
            if reference not in self._tops:
                self._found.note(where, f"is no tag in {MANIFEST}")
            elif paths and self._tops[reference] not in paths:
                self._found.note(where, f"names {paths[0]}, the top layer in {MANIFEST} is {self._tops[reference]}")
