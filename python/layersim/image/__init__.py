"""Images as values: config, manifest, reference, and the image that joins them to layers."""

from __future__ import annotations

from layersim.image.config import ContainerConfig, HistoryEntry, ImageConfig, RootFS, parse_config
from layersim.image.grammar import Name, parse_name
from layersim.image.manifest import Descriptor, Platform
from layersim.image.reference import (
    Reference,
    has_tag,
    parse_new_tag,
    parse_reference,
    tag_of_name,
    tagged_or_as_it_is,
)
from layersim.image.value import Image

__all__ = [
    "ContainerConfig",
    "Descriptor",
    "HistoryEntry",
    "Image",
    "ImageConfig",
    "Name",
    "Platform",
    "Reference",
    "RootFS",
    "has_tag",
    "parse_config",
    "parse_name",
    "parse_new_tag",
    "parse_reference",
    "tag_of_name",
    "tagged_or_as_it_is",
]
