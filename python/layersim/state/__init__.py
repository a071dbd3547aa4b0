"""A whole engine on the disk, as one file or as a directory that is read lazily (docs/state.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.state.check import breaches_of, differing, members_of_file, unnamed_in_folder
from layersim.state.directory import abandon, demand_store, is_store, prepare, read_directory, write_directory
from layersim.state.file import is_state_file, read_file, write_file
from layersim.state.known import KnownBlobs
from layersim.state.lock import StoreLock
from layersim.state.reading import restore
from layersim.state.stores import Stores
from layersim.state.writing import document_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "KnownBlobs",
    "StoreLock",
    "Stores",
    "abandon",
    "breaches_of",
    "demand_store",
    "differing",
    "document_of",
    "is_state",
    "members_of_file",
    "prepare",
    "read_directory",
    "read_file",
    "restore",
    "unnamed_in_folder",
    "write_directory",
    "write_file",
]


def is_state(path: Path) -> bool:
    """Whether something on the disk looks like a saved engine: a file by its first bytes, a directory by its names.

    Raises
    ------
    OSError
        It cannot be read.
    """
    return is_store(path) if path.is_dir() else is_state_file(path)
