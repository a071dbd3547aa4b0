"""A whole engine on the disk, as one file or as a directory that is read lazily (docs/state.md)."""

from __future__ import annotations

from layersim.state.directory import demand_store, prepare, read_directory, write_directory
from layersim.state.file import is_state_file, read_file, write_file
from layersim.state.lock import StoreLock
from layersim.state.reading import Stores, restore
from layersim.state.writing import document_of

__all__ = [
    "StoreLock",
    "Stores",
    "demand_store",
    "document_of",
    "is_state_file",
    "prepare",
    "read_directory",
    "read_file",
    "restore",
    "write_directory",
    "write_file",
]
