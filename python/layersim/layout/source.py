"""Where an archive's members come from: a tar (the core's `Archive`) or a directory of the same shape."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Protocol

from layersim._core import Archive, Layer, Limits, sha256
from layersim.errors import ArchiveError, ArchiveLimitError, DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# Docker itself knows no bound; real configs and manifests stay below a tenth of this.
DOCUMENT_LIMIT = 16 << 20


class Source(Protocol):
    """Named members; layers among them can be loaded, many at once."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is a member of this name."""
        ...

    def size(self, name: str) -> int:
        """Return the bytes of a member."""
        ...

    def read(self, name: str, *, limit: int = ...) -> bytes:
        """Return a member whole."""
        ...

    def sha256(self, name: str) -> str:
        """Return the digest of a member as stored."""
        ...

    def layers(
        self,
        names: Sequence[str],
        diff_ids: Sequence[str],
        *,
        digests: Sequence[str | None] | None = None,
        limits: Limits | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> list[Layer]:
        """Load layers and verify their diff ids, and where given the digests of the blobs as stored."""
        ...


def open_source(path: Path, limits: Limits | None = None) -> Source:
    """Open a tar, compressed or not, or a directory."""
    return Directory(path) if path.is_dir() else Archive.open(path, limits=limits)


class Directory:
    """The members of an unpacked archive; nothing outside the directory is ever read."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def __contains__(self, name: object) -> bool:
        """Whether there is a regular file of this name, symbolic links followed."""
        return isinstance(name, str) and self._find(name) is not None

    def size(self, name: str) -> int:
        """Return the bytes of a file."""
        return self._path(name).stat().st_size

    def read(self, name: str, *, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Return a file whole, if it is not larger than `limit` bytes."""
        if self.size(name) > limit:
            raise ArchiveLimitError(f"{name!r} has {self.size(name)} bytes, allowed are {limit}", limit=limit)
        return self._path(name).read_bytes()

    def sha256(self, name: str) -> str:
        """Return the digest of a file."""
        path = self._path(name)
        if not path.stat().st_size:
            return sha256(b"")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            view = memoryview(mapped)
            try:
                return sha256(view)
            finally:
                view.release()

    def layers(
        self,
        names: Sequence[str],
        diff_ids: Sequence[str],
        *,
        digests: Sequence[str | None] | None = None,
        limits: Limits | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> list[Layer]:
        """Load layers one after the other; `progress` hears how many bytes of how many are done."""
        done, total, loaded = 0, sum(map(self.size, names)), []
        for name, diff_id, digest in zip(names, diff_ids, digests or [None] * len(names), strict=True):
            if digest not in {None, diff_id} and (actual := self.sha256(name)) != digest:
                raise mismatch(name, str(digest), actual)
            loaded.append(Layer.from_tar(self._path(name), diff_id=diff_id, limits=limits))
            done += self.size(name)
            if progress is not None:
                progress(done, total)
        return loaded

    def _path(self, name: str) -> Path:
        path = self._find(name)
        if path is None:
            raise ArchiveError(f"no file {name!r} in {str(self._root)!r}")
        return path

    def _find(self, name: str) -> Path | None:
        # Unpacking an archive can leave links to anywhere, `..` included: what resolves to outside is not there.
        try:
            path = (self._root / name.lstrip("/")).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if path.is_relative_to(self._root) and path.is_file() else None


def mismatch(name: str, expected: str, actual: str) -> DigestMismatchError:
    """Return the error for bytes that are not what was promised."""
    return DigestMismatchError(f"{name!r}: expected {expected}, got {actual}", expected, actual)
