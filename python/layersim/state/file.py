"""A state as one file: a tar with ``state.json`` first and the blobs after it, which is a directory store packed up."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

from layersim._core import Blobs, Member, write_archive
from layersim.errors import StateError
from layersim.state.document import SEAL_START, sealed, unsealed
from layersim.state.writing import padded

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.state.document import Document
    from layersim.state.writing import Shelf

NAME = "state.json"
_HEADER = 512
# Two blocks of zeros end a tar.
_END = 1024


def is_state_file(path: Path) -> bool:
    """Whether a file starts as a state does; a pipe or a device is not read for that."""
    if path.exists() and not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_HEADER + len(SEAL_START))
    return start.startswith(f"{NAME}\0".encode()) and start[_HEADER:] == SEAL_START


def write_file(target: Path, document: Document, shelf: Shelf) -> int:
    """Replace a file by a state; killed at any point, the target is the old or the new one.

    Returns
    -------
    int
        Bytes written.
    """
    members = [Member.file(NAME, sealed(document, shelf.end + _END))]
    members += [blob.member() for blob in shelf.blobs.values()]
    return write_archive(target, members)


def read_file(path: Path) -> tuple[Document, Blobs]:
    """Read the document of a state; the blobs stay where they are.

    Raises
    ------
    StateError
        It is no state, or broken.
    OSError
        It cannot be read.
    """
    name = str(path)
    if path.exists() and not path.is_file():
        raise StateError(f"{name!r} is no saved engine: it is no regular file")
    with path.open("rb") as file:
        length = _document_length(file.read(_HEADER), name)
        document, taken, rest = unsealed(file.read(length), name)
        found = file.seek(0, os.SEEK_END)
        base = _HEADER + padded(taken)
        if (taken, base + rest) != (length, found):
            raise StateError(f"{name!r} is cut short or was changed: expected {base + rest} bytes, found {found}")
        blobs = Blobs.in_file(path, base)
        is_one = os.path.samestat(os.fstat(file.fileno()), path.stat())
    # Another process may have saved meanwhile: then the blobs are those of the new file, and so is the document.
    return (document, blobs) if is_one else read_file(path)


def _document_length(header: bytes, name: str) -> int:
    """Return what the header of the first member says."""
    try:
        member = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise StateError(f"{name!r} is no saved engine: {error}") from error
    if member.name != NAME or member.size < 0:
        raise StateError(f"{name!r} is no saved engine: its first member is {member.name!r}, not {NAME!r}")
    return member.size
