"""Where an archive's members come from: the core reads tars and directories alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from layersim._core import Archive
from layersim.errors import ArchiveError, DigestMismatchError

if TYPE_CHECKING:
    import os

    from layersim._core import Limits

    ArchiveSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

# Docker itself knows no bound; real configs and manifests stay below a tenth of this.
DOCUMENT_LIMIT = 16 << 20


def open_source(archive: ArchiveSource, signs: tuple[str, ...], limits: Limits | None = None) -> Archive:
    """Open an archive: a path, its bytes, or a binary file.

    Raises
    ------
    ArchiveError
        It is no tar, or a directory without any of the files `signs`.
    """
    if isinstance(archive, bytes | bytearray | memoryview):
        return Archive.from_bytes(archive, limits=limits)
    if hasattr(archive, "read"):
        return Archive.from_bytes(archive.read(), limits=limits)
    path = Path(archive)
    # Any directory may be named by mistake: a large one is not listed for nothing.
    if path.is_dir() and not any((path / sign).exists() for sign in signs):
        raise missing_signs(name_of(archive), signs)
    return Archive.open(path, limits=limits)


def require(source: Archive, member: str) -> None:
    """Raise `ArchiveError` unless the archive has this member."""
    if member not in source:
        raise ArchiveError(f"missing in the archive: {member[:300]!r}")


def name_of(archive: ArchiveSource) -> str:
    """Return what a message calls an archive."""
    if isinstance(archive, bytes | bytearray | memoryview):
        return "the archive"
    return str(getattr(archive, "name", archive))


def missing_signs(name: str, signs: tuple[str, ...]) -> ArchiveError:
    """Return the error for what is no archive of images."""
    looked = ", then ".join(map(repr, signs))
    return ArchiveError(
        f"{name!r} is neither a docker-archive nor an OCI image layout: looked for {looked}, found neither"
    )


def mismatch(name: str, expected: str, actual: str) -> DigestMismatchError:
    """Return the error for bytes that are not what was promised."""
    return DigestMismatchError(f"{name!r}: expected {expected}, got {actual}", expected, actual)
