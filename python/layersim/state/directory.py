"""A state as a directory: blobs by digest, each written once, and ``state.json``, which is replaced at the end."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from layersim._core import Blobs, write_blobs
from layersim.errors import StateError
from layersim.layout import replacing
from layersim.state.document import sealed, unsealed
from layersim.state.lock import NAME as LOCK
from layersim.state.writing import BLOBS

if TYPE_CHECKING:
    from layersim.state.document import Document
    from layersim.state.known import KnownBlobs
    from layersim.state.writing import Shelf

NAME = "state.json"


def prepare(folder: Path) -> bool:
    """Make a directory for a store where there is none, and say whether it was made.

    Raises
    ------
    StateError
        It holds something else.
    """
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    if not (folder / LOCK).exists() and any(folder.iterdir()):
        raise StateError(f"{str(folder)!r} holds something else: a store is made in an empty directory, or a new one")
    return is_new


def abandon(folder: Path, *, is_new: bool) -> None:
    """Remove what a failed save has left of a store that has no state yet; who calls this holds its lock.

    Parameters
    ----------
    folder : Path
        The store.
    is_new : bool
        Whether the directory itself goes, too.
    """
    if (folder / NAME).exists():
        return
    # What the system does not let go stays, as after a kill: no store, and the next save goes on with it.
    with suppress(OSError):
        _sweep(folder / BLOBS, set())
        for made in (folder / BLOBS, (folder / BLOBS).parent):
            made.rmdir()
    with suppress(OSError):
        (folder / LOCK).unlink()
        if is_new:
            folder.rmdir()


def write_directory(folder: Path, document: Document, shelf: Shelf, known: KnownBlobs, *, verify: bool = False) -> int:
    """Bring a store up to date; who calls this holds its lock.

    Killed before ``state.json`` is replaced, the store has its old state, and some blobs that the next save sweeps.

    Parameters
    ----------
    folder : Path
        The store.
    document : Document
        What to say.
    shelf : Shelf
        The blobs that it names.
    known : KnownBlobs
        Which blobs need no proof any more.
    verify : bool
        Whether every blob that is there is proven again.

    Returns
    -------
    int
        Bytes written; a blob that was there is not written again.

    Raises
    ------
    DigestMismatchError, ContentMissingError
        A blob is broken, and so is what it was to be written from.
    """
    blobs = folder / BLOBS
    blobs.mkdir(parents=True, exist_ok=True)
    absent, broken = known.sort(blobs, shelf.blobs.values(), verify=verify)
    written = write_blobs(blobs, [blob.source for blob in (*absent, *broken)])
    known.prove(blobs, broken)
    data = sealed(document)
    with replacing(folder / NAME) as file:
        file.write(data)
    _sweep(blobs, {blob.hex for blob in shelf.blobs.values()})
    known.keep(blobs, absent)
    return written + len(data)


def read_directory(folder: Path) -> tuple[Document, Blobs]:
    """Read the document of a store; the blobs stay where they are.

    Raises
    ------
    StateError
        It is no store, or broken.
    """
    document, taken, rest = unsealed(demand_store(folder).read_bytes(), str(folder / NAME))
    found = (folder / NAME).stat().st_size
    if (taken, rest) != (found, 0):
        raise StateError(f"{str(folder / NAME)!r} was changed: expected {taken} bytes, found {found}")
    return document, Blobs.in_folder(folder / BLOBS)


def is_store(folder: Path) -> bool:
    """Whether a directory was made to be a store, and has a state."""
    return (folder / LOCK).is_file() and (folder / NAME).is_file()


def demand_store(folder: Path) -> Path:
    """Return the document of a store.

    Raises
    ------
    StateError
        There is none.
    """
    path = folder / NAME
    if not path.is_file():
        raise StateError(f"{str(folder)!r} is no saved engine: a directory without {NAME!r}")
    return path


def _sweep(blobs: Path, wanted: set[str]) -> None:
    """Remove what the state does not name: blobs of older states, and what a killed process left behind."""
    with os.scandir(blobs) as entries:
        unwanted = [entry.path for entry in entries if entry.name not in wanted and not entry.is_dir()]
    for path in unwanted:
        Path(path).unlink(missing_ok=True)
