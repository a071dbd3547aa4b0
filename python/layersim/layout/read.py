"""Reading an archive of images in whichever layout it is, all of it verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from layersim.errors import ArchiveError
from layersim.layout.archived import fetch_layers
from layersim.layout.docker_archive import MANIFEST, read_manifest
from layersim.layout.oci import INDEX, Wanted, read_index
from layersim.layout.source import missing_signs, name_of, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layersim._core import Archive, Limits
    from layersim.image.manifest import Platform
    from layersim.layout.archived import ArchivedImage, Found
    from layersim.layout.source import ArchiveSource


def read_archive(
    archive: ArchiveSource,
    *,
    wanted: Wanted,
    prefers: Literal["manifest", "index"] = "manifest",
    limits: Limits | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[ArchivedImage]:
    """Read all images of an archive, verified; nothing is returned unless everything is right.

    Parameters
    ----------
    archive : path, bytes-like or binary file
        A docker-archive or an OCI image layout: a tar, compressed or not, or the path of a directory.
    wanted : Wanted
        Which image to take where an index offers several.
    prefers : {"manifest", "index"}
        Which document is read of an archive that holds both, as `docker save` writes since 25: stores of graph
        drivers read `manifest.json`, containerd's `index.json`.
    limits : Limits, optional
        Bounds on what an archive may ask for.
    progress : callable, optional
        Called with bytes done and bytes in all while layers load.

    Raises
    ------
    ArchiveError
        It holds neither format, or what it holds is broken, or none of its images is for the platform asked for.
    ValidationError, DigestMismatchError, InvalidReferenceError
        A document breaks its rules, bytes are not what was promised, a tag is none.
    """
    signs = (MANIFEST, INDEX)
    source = open_source(archive, signs, limits)
    first, second = signs if prefers == "manifest" else reversed(signs)
    if first in source:
        found = _read(source, first, wanted)
    elif second in source:
        found = _read(source, second, wanted)
    else:
        raise missing_signs(name_of(archive), signs)
    return fetch_layers(source, found, limits, progress, with_blobs=wanted.with_blobs)


def _read(source: Archive, document: str, wanted: Wanted) -> list[Found]:
    if document == INDEX:
        return read_index(source, wanted)
    found = read_manifest(source)
    return _for_platform(found, wanted.platform) if wanted.is_asked else found


def _for_platform(found: Sequence[Found], platform: Platform) -> list[Found]:
    """Leave out images for other platforms."""
    chosen = [image for image in found if image.platform.allows(platform)]
    if found and not chosen:
        offered = ", ".join(sorted({str(image.platform) for image in found}))
        raise ArchiveError(f"{MANIFEST}: no image for {platform}; there is {offered}")
    return chosen
