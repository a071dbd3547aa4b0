"""Checking an archive of images: every hash, size, reference and count again, and all that is wrong, not the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.errors import LayerSimError
from layersim.layout.check_docker import DockerCheck
from layersim.layout.check_oci import OciCheck
from layersim.layout.docker_archive import MANIFEST
from layersim.layout.inspection import Breach, Inspection
from layersim.layout.oci import INDEX, LAYOUT
from layersim.layout.source import missing_signs, name_of, open_source

if TYPE_CHECKING:
    from layersim._core import Limits
    from layersim.layout.source import ArchiveSource

_ODDITIES = {"repeated": "another member has the same name", "spelled": "the name is not canonical"}


def check_archive(archive: ArchiveSource, *, limits: Limits | None = None) -> list[Breach]:
    """Check all that an archive of images says of itself.

    Parameters
    ----------
    archive : path, bytes-like or binary file
        A docker-archive or an OCI image layout: a tar, compressed or not, or the path of a directory. One that is
        both, as `docker save` writes since 25, is checked as both.
    limits : Limits, optional
        Bounds on what the archive may ask for.

    Returns
    -------
    list of Breach
        All that is wrong, in the order in which it was found; empty for an archive in order.

    Raises
    ------
    OSError
        The file cannot be read.

    Notes
    -----
    Digests of blobs, names that are digests, sizes in descriptors, diff ids, numbers of layers and steps, platforms,
    media types against first bytes, tags, and what `repositories` names. Blobs that nothing refers to are hashed too.

    Examples
    --------
    >>> from layersim import check_archive
    >>> for breach in check_archive(b"no archive"):
    ...     print(breach)
    unexpected EOF in a header block (at byte 0 of the archive)
    """
    try:
        source = open_source(archive, (MANIFEST, INDEX, LAYOUT), limits)
    except LayerSimError as error:
        return [Breach("", str(error))]
    found = Inspection(source, limits)
    for name, oddity in source.oddities():
        found.note(name, _ODDITIES[oddity])
    for name in source.names():
        if name not in source:
            found.note(name, "is a link to nothing in the archive")
    if MANIFEST in source:
        DockerCheck(found).run()
    if INDEX in source or LAYOUT in source:
        OciCheck(found).run()
    elif MANIFEST not in source:
        found.note("", str(missing_signs(name_of(archive), (MANIFEST, INDEX))))
    found.check_layers()
    found.check_blobs("blobs/sha256/")
    return found.breaches
