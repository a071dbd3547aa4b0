"""Which blobs of a directory store need not be written again: those that are there, with the right bytes.

A save that believed a name and a length would leave a damaged blob in its store for ever, so what this engine could
write itself is hashed when it is first found there. What a file system says of a file that was hashed or written is
remembered; as long as it says the same, the file is not hashed again.
"""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from layersim.errors import DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import TypeAlias

    from layersim.state.writing import Blob

    _Look: TypeAlias = tuple[int, int, int, int, int]


class KnownBlobs:
    """What one engine knows of the blobs of the store that it was last saved in."""

    def __init__(self) -> None:
        self._looks: dict[str, _Look] = {}

    def sort(self, folder: Path, blobs: Iterable[Blob], *, verify: bool) -> tuple[list[Blob], list[Blob]]:
        """Return the blobs that are not there, and those that are there with other bytes.

        Parameters
        ----------
        folder : Path
            Where they are to be.
        blobs : iterable of Blob
            Those of a state.
        verify : bool
            Whether all that are there are hashed: not those alone which this engine has at hand and has not seen there.
        """
        absent: list[Blob] = []
        doubtful: list[Blob] = []
        for blob in blobs:
            look = _look(folder / blob.hex)
            if look is None or look[2] != blob.length:
                absent.append(blob)
            elif verify or (blob.is_at_hand and self._looks.get(blob.digest) != look):
                doubtful.append(blob)
        return absent, [blob for blob, actual in self._hashed(folder, doubtful) if actual != blob.digest]

    def prove(self, folder: Path, blobs: Iterable[Blob]) -> None:
        """Hash blobs that were written in the place of broken ones.

        Raises
        ------
        DigestMismatchError
            What one was written from is broken, too.
        """
        for blob, actual in self._hashed(folder, list(blobs)):
            if actual != blob.digest:
                path = str(folder / blob.hex)
                raise DigestMismatchError(
                    f"{path!r} was changed: expected {blob.digest}, got {actual}", blob.digest, actual
                )

    def keep(self, folder: Path, blobs: Iterable[Blob]) -> None:
        """Remember blobs that were written just now."""
        looks = {blob.digest: _look(folder / blob.hex) for blob in blobs}
        self._looks |= {digest: look for digest, look in looks.items() if look is not None}

    def _hashed(self, folder: Path, blobs: list[Blob]) -> list[tuple[Blob, str]]:
        """Return blobs with the digests of their files, and remember those that are right."""
        looks = {blob.digest: _look(folder / blob.hex) for blob in blobs}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            hashed = list(zip(blobs, pool.map(lambda blob: digest_of(folder / blob.hex), blobs), strict=True))
        right = {blob.digest: looks[blob.digest] for blob, actual in hashed if actual == blob.digest}
        self._looks |= {digest: look for digest, look in right.items() if look is not None}
        return hashed


def digest_of(path: Path) -> str:
    """Return the digest of a file, which is never in memory as a whole."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _look(path: Path) -> _Look | None:
    """Return what changes when a file does; None where there is no regular file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
