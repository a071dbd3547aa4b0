"""Archives of images, in and out: docker-archive and OCI image layout, told apart by what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layersim.errors import ArchiveError
from layersim.image.manifest import Platform
from layersim.layout.archived import ArchivedImage, fetch_layers
from layersim.layout.atomic import replacing
from layersim.layout.docker_archive import MANIFEST, read_manifest
from layersim.layout.docker_save import write_docker_archive
from layersim.layout.oci import INDEX, read_index
from layersim.layout.source import open_source

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from layersim._core import Limits

__all__ = ["ArchivedImage", "Platform", "read_archive", "replacing", "write_docker_archive"]


def read_archive(
    path: str | os.PathLike[str],
    *,
    platform: Platform,
    limits: Limits | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[ArchivedImage]:
    """Read all images of an archive, verified; nothing is returned unless everything is right.

    Parameters
    ----------
    path : path
        A docker-archive or an OCI image layout: a tar, compressed or not, or a directory.
    platform : Platform
        Which image to take where an index offers several.
    limits : Limits, optional
        Bounds on what an archive may ask for.
    progress : callable, optional
        Called with bytes done and bytes in all while layers load.

    Raises
    ------
    ArchiveError
        The path holds neither format, or what it holds is broken.
    ValidationError, DigestMismatchError, InvalidReferenceError
        A document breaks its rules, bytes are not what was promised, a tag is none.
    """
    source = open_source(Path(path), limits)
    # Since version 25 `docker save` writes both formats into one archive; `docker load` looks here first, too.
    if MANIFEST in source:
        found = read_manifest(source)
    elif INDEX in source:
        found = read_index(source, platform)
    else:
        raise ArchiveError(
            f"{str(path)!r} is neither a docker-archive nor an OCI image layout: "
            f"looked for {MANIFEST!r}, then {INDEX!r}, found neither"
        )
    return fetch_layers(source, found, limits, progress)
