"""Archives of images, in and out: docker-archive and OCI image layout, told apart by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.image.manifest import Platform
from layersim.layout.archived import ArchivedImage, fetch_layers
from layersim.layout.atomic import replacing
from layersim.layout.docker_archive import MANIFEST, read_manifest
from layersim.layout.docker_save import write_docker_archive
from layersim.layout.oci import INDEX, read_index
from layersim.layout.source import missing_signs, name_of, open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim._core import Limits
    from layersim.layout.source import ArchiveSource

__all__ = ["ArchivedImage", "Platform", "read_archive", "replacing", "write_docker_archive"]


def read_archive(
    archive: ArchiveSource,
    *,
    platform: Platform,
    limits: Limits | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[ArchivedImage]:
    """Read all images of an archive, verified; nothing is returned unless everything is right.

    Parameters
    ----------
    archive : path, bytes-like or binary file
        A docker-archive or an OCI image layout: a tar, compressed or not, or the path of a directory.
    platform : Platform
        Which image to take where an index offers several.
    limits : Limits, optional
        Bounds on what an archive may ask for.
    progress : callable, optional
        Called with bytes done and bytes in all while layers load.

    Raises
    ------
    ArchiveError
        It holds neither format, or what it holds is broken.
    ValidationError, DigestMismatchError, InvalidReferenceError
        A document breaks its rules, bytes are not what was promised, a tag is none.
    """
    signs = (MANIFEST, INDEX)
    source = open_source(archive, signs, limits)
    # Since version 25 `docker save` writes both formats into one archive; `docker load` looks here first, too.
    if MANIFEST in source:
        found = read_manifest(source)
    elif INDEX in source:
        found = read_index(source, platform)
    else:
        raise missing_signs(name_of(archive), signs)
    return fetch_layers(source, found, limits, progress)
