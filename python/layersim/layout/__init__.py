"""Archives of images, in and out: docker-archive and OCI image layout, told apart by what they hold."""

from __future__ import annotations

from layersim.image.manifest import Descriptor, Platform
from layersim.layout.archived import ArchivedImage
from layersim.layout.atomic import replacing
from layersim.layout.check import check_archive
from layersim.layout.form import Compression, Form, Layout, layout_for
from layersim.layout.inspection import Breach
from layersim.layout.oci import Wanted
from layersim.layout.outgoing import Leaving
from layersim.layout.payloads import Kept, Payload, manifest_for
from layersim.layout.read import read_archive
from layersim.layout.save import save_images

__all__ = [
    "ArchivedImage",
    "Breach",
    "Compression",
    "Descriptor",
    "Form",
    "Kept",
    "Layout",
    "Leaving",
    "Payload",
    "Platform",
    "Wanted",
    "check_archive",
    "layout_for",
    "manifest_for",
    "read_archive",
    "replacing",
    "save_images",
]
