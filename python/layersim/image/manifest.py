"""Manifests, indexes and descriptors of an OCI image layout, and `manifest.json` of a docker-archive."""

from __future__ import annotations

import re

import msgspec

from layersim.errors import DigestFormatError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_PLATFORM = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_.-]+){1,2}", re.ASCII)
# What an architecture without a variant means.
_USUAL_VARIANTS = {"arm": "v7", "arm64": "v8", "amd64": "v1"}
_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
_MANIFESTS = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
_CONFIGS = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
}


class Platform(msgspec.Struct, frozen=True):
    """What machine an image is for."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Return the platform that a text such as ``linux/arm64`` or ``linux/arm/v7`` means.

        Raises
        ------
        ValueError
            It is not two or three words with slashes between them.
        """
        if not _PLATFORM.fullmatch(text):
            raise ValueError(f"expected a platform such as 'linux/arm64' or 'linux/arm/v7', got {text[:80]!r}")
        return cls(*text.lower().split("/"))

    def allows(self, wanted: Platform) -> bool:
        """Whether what says this of itself runs on `wanted`; what it does not say is no obstacle."""
        said = Platform(self.os or wanted.os, self.architecture or wanted.architecture, self.variant)
        same_variant = not (self.variant and wanted.variant) or said._level == wanted._level
        return (said.os, said.architecture) == (wanted.os, wanted.architecture) and same_variant

    def is_same(self, wanted: Platform) -> bool:
        """Whether the variants are equal too; one that is not named is the usual one of the architecture."""
        return self._level == wanted._level

    @property
    def _level(self) -> str | None:
        return self.variant or _USUAL_VARIANTS.get(self.architecture or "")

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        parts = (self.os or "?", self.architecture or "?", self.variant)
        return "/".join(part for part in parts if part)


class Descriptor(msgspec.Struct, frozen=True, rename={"media_type": "mediaType"}):
    """A pointer to a blob: what it is, its digest as stored, and how many bytes it has."""

    digest: str
    size: int
    media_type: str | None = None
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def is_index(self) -> bool:
        """Whether it points to an index of further manifests."""
        return self.media_type in _INDEXES

    @property
    def is_manifest(self) -> bool:
        """Whether it may point to a manifest of one image; descriptors without a media type may, too."""
        return not self.media_type or self.media_type in _MANIFESTS

    @property
    def is_config(self) -> bool:
        """Whether it may point to the config of an image, and not to some other artifact."""
        return not self.media_type or self.media_type in _CONFIGS

    @property
    def is_attestation(self) -> bool:
        """Whether it points to a statement about an image instead of an image (layers.md section 8)."""
        unknown = self.platform is not None and self.platform.os == self.platform.architecture == "unknown"
        return unknown or "vnd.docker.reference.type" in (self.annotations or {})

    @property
    def blob(self) -> str:
        """The path of the blob in a layout.

        Raises
        ------
        DigestFormatError
            The digest is not SHA-256; anything else could name a file elsewhere.
        """
        if not _DIGEST.fullmatch(self.digest):
            raise DigestFormatError(f"expected sha256: and 64 hex digits, got {self.digest[:80]!r}")
        return f"blobs/sha256/{self.digest[7:]}"


class Manifest(msgspec.Struct, frozen=True):
    """One image: its config and its layers, base first; Go writes null for none."""

    config: Descriptor
    layers: list[Descriptor] = []


class Index(msgspec.Struct, frozen=True):
    """Several manifests, as a layout's `index.json` or one image for several platforms."""

    manifests: list[Descriptor]


class Document(msgspec.Struct, frozen=True, rename={"media_type": "mediaType"}):
    """A manifest or an index, whichever it is."""

    media_type: str | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    manifests: list[Descriptor] | None = None


class Layout(msgspec.Struct, frozen=True, rename={"version": "imageLayoutVersion"}):
    """The file `oci-layout`."""

    version: str


class ArchivedManifest(msgspec.Struct, frozen=True, rename="pascal"):
    """One image of a docker-archive: paths of its config and layers, base first."""

    config: str
    layers: list[str] | None = None
    repo_tags: list[str] | None = None
    parent: str | None = None
