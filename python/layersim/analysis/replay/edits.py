"""The edits of a series, whatever they were given as, and the files that it starts from."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from layersim._core import Layer, View
from layersim.analysis.replay.files import File
from layersim.analysis.replay.git import first_tree, history
from layersim.build.context.directory import read_directory
from layersim.build.context.ignore import Ignore
from layersim.build.context.reading import IGNORE_FILE
from layersim.build.context.tree import below, file_digests
from layersim.units import parse_size

if TYPE_CHECKING:
    from layersim.build.context.tree import Status, Tree
    from layersim.build.dockerfile import Dialect

Source: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Mapping[str, bytes | str | int]"
)
Edited: TypeAlias = "Iterable[str] | Mapping[str, bytes | str | int | None]"
Changes: TypeAlias = "str | os.PathLike[str] | Iterable[Edited]"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes
    ----------
    name : str
        What it is called: the paths, or the subject of a commit.
    changes : mapping
        Files by path; None for one that is removed.
    touched : tuple of str
        Paths whose content becomes another one, of the same size.
    """

    name: str
    changes: Mapping[str, File | None] = field(default_factory=dict)
    touched: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All that it changes."""
        return (*self.changes, *self.touched)

    def resolved(self, files: Mapping[str, File]) -> Mapping[str, File | None]:
        """Return the files after the edit.

        Raises
        ------
        ValueError
            A path is touched that is not there.
        """
        found = dict(self.changes)
        for path in self.touched:
            if path not in files:
                raise ValueError(f"expected the path of a file of the context, got {path!r}; a mapping adds files")
            found[path] = fresh(files[path].size)
        return found


def fresh(size: int) -> File:
    """Return a file whose content nothing else has."""
    return File(size, f"new {next(_numbers)}")


def read_files(source: Source, dialect: Dialect) -> dict[str, File]:
    """Return the files of a context: a directory, a tar, or a mapping to bytes, text or sizes."""
    if isinstance(source, Mapping):
        return {path.strip("/"): _file(value) for path, value in source.items()}
    if isinstance(source, str | os.PathLike) and Path(source).is_dir():
        tree: Tree = read_directory(os.fspath(source), Ignore([], dialect), dialect)
    else:
        tree = View([Layer.from_tar(source)])
    return _of_tree(tree, is_legacy=dialect.builder == "legacy")


def read_edits(changes: Changes, limit: int | None) -> list[Edit]:
    """Return the edits, oldest first.

    Raises
    ------
    ValueError
        A value is no size and no content, or there is no history.
    """
    if isinstance(changes, str | os.PathLike):
        return [Edit(subject, found) for subject, found in history(changes, limit)]
    return [_edit(one) for one in itertools.islice(changes, limit)]


def start_of(context: Source | None, changes: Changes, dialect: Dialect, limit: int | None) -> dict[str, File]:
    """Return the files that a series starts from; those before a history are the ones of its first commit."""
    if context is not None:
        return read_files(context, dialect)
    if not isinstance(changes, str | os.PathLike):
        raise TypeError("expected a context, for the changes are no history that has one")
    return first_tree(changes, limit)


def _edit(one: Edited) -> Edit:
    if isinstance(one, str):
        raise TypeError(f"expected the paths of an edit, or a mapping, got the text {one!r}")
    paths = [path.strip("/") for path in one]
    name = ", ".join(paths)
    if isinstance(one, Mapping):
        values = zip(paths, one.values(), strict=True)
        return Edit(name, {path: None if value is None else _file(value) for path, value in values})
    return Edit(name, touched=tuple(paths))


def _file(value: bytes | str | int) -> File:
    """Return the file of a size, or of bytes; a text such as ``40MB`` is a size."""
    if isinstance(value, bytes):
        return File.of(value)
    size = parse_size(value) if isinstance(value, str) else value
    if isinstance(value, str) and size is None:
        return File.of(value.encode(errors="surrogateescape"))
    if size is None or size < 0:
        raise ValueError(f"expected bytes, or a size such as 4096, got {value!r}")
    return fresh(size)


def _of_tree(tree: Tree, *, is_legacy: bool) -> dict[str, File]:
    entries = [(path, found) for path, found in below(tree, "") if not stat.S_ISDIR(found.st_mode)]
    regular = [path for path, found in entries if stat.S_ISREG(found.st_mode)]
    digests = dict(zip(regular, file_digests(tree, regular), strict=True))
    return {path: _of_entry(tree, path, found, digests.get(path), is_legacy=is_legacy) for path, found in entries}


def _of_entry(tree: Tree, path: str, found: Status, digest: bytes | None, *, is_legacy: bool) -> File:
    if digest is not None:
        data = tree.read_bytes(path) if path == IGNORE_FILE else None
        return File(found.st_size, f"{digest.hex()} {stat.S_IMODE(found.st_mode):o}", data)
    target = tree.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
    return File(len(target) if is_legacy else 0, f"{found.st_mode:o} {found.st_rdev} {target}")
