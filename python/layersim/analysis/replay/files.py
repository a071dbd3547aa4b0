"""The files of a context while it changes, and sums over some of them that follow each change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from layersim.build.context.ignore import Ignore
from layersim.build.context.reading import IGNORE_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile import Dialect

Naming: TypeAlias = Callable[[str], str | None]
"""Gives the name under which a path counts, or None where it does not."""

_WEIGHT_BYTES = 16


class File(NamedTuple):
    """What counts of one file of a context.

    Attributes
    ----------
    size : int
        Bytes.
    ident : str
        The same for the same content, mode and kind, and for no other.
    data : bytes or None
        The content, where it is known.
    """

    size: int
    ident: str
    data: bytes | None = None

    @classmethod
    def of(cls, data: bytes, mode: int = 0o644) -> File:
        """Return the file of some bytes."""
        return cls(len(data), f"{hashlib.sha256(data).hexdigest()} {mode:o}", data)


@dataclass(slots=True, eq=False)
class Watch:
    """What there is of the files that have a name in `naming`.

    Attributes
    ----------
    naming : callable
        Path to the name that counts.
    total : int
        Changes with every name and content; equal again when they are.
    count, size : int
        How many files, and their bytes.
    """

    naming: Naming
    total: int = 0
    count: int = 0
    size: int = 0

    def add(self, name: str, file: File, sign: int) -> None:
        """Take a file in, or with -1 out."""
        self.total += sign * _weight(name, file.ident)
        self.count += sign
        self.size += sign * file.size


# What a name with a content adds to a sum: as random as its digest, so that no two sums of different files meet.
_weights: dict[tuple[str, str], int] = {}


def _weight(name: str, ident: str) -> int:
    found = _weights.get((name, ident))
    if found is None:
        text = f"{name}\0{ident}".encode(errors="surrogateescape")
        found = int.from_bytes(hashlib.blake2b(text, digest_size=_WEIGHT_BYTES).digest(), "little")
        _weights[name, ident] = found
    return found


@dataclass(eq=False)
class Files:
    """A context that changes.

    Attributes
    ----------
    files : dict
        All of them, also those that ``.dockerignore`` keeps out.
    dialect : Dialect
        The builder.
    """

    files: dict[str, File]
    dialect: Dialect
    _watches: list[Watch] = field(default_factory=list)
    _names: dict[str, list[tuple[Watch, str]] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ignore = self._read_ignore()
        self._names = {path: self._named(path) for path in self.files}

    def watch(self, naming: Naming) -> Watch:
        """Return a sum that follows all changes from now on."""
        watch = Watch(naming)
        for path, known in self._names.items():
            if known is not None and (name := naming(path)) is not None:
                known.append((watch, name))
                if path in self.files:
                    watch.add(name, self.files[path], 1)
        self._watches.append(watch)
        return watch

    def sent(self) -> list[str]:
        """Return the paths that no ``.dockerignore`` keeps out, sorted."""
        return sorted(path for path in self.files if not self._ignore.excludes(path))

    def forget(self) -> None:
        """Drop all sums."""
        self._watches.clear()
        self._names = {path: self._named(path) for path in self._names}

    def apply(self, changes: Mapping[str, File | None]) -> None:
        """Replace, add and (with None) remove files; the work is that of the changed paths."""
        for path, file in changes.items():
            before = self.files.pop(path, None)
            if file is not None:
                self.files[path] = file
            for watch, name in self._counted(path):
                if before is not None:
                    watch.add(name, before, -1)
                if file is not None:
                    watch.add(name, file, 1)
        if IGNORE_FILE in changes:
            self._ignore_anew()

    def _counted(self, path: str) -> list[tuple[Watch, str]]:
        if path not in self._names:
            self._names[path] = self._named(path)
        return self._names[path] or []

    def _named(self, path: str) -> list[tuple[Watch, str]] | None:
        """Return the sums that a path counts in, and its names there; None if it is ignored."""
        if self._ignore.excludes(path):
            return None
        return [(watch, name) for watch in self._watches if (name := watch.naming(path)) is not None]

    def _ignore_anew(self) -> None:
        self._ignore = self._read_ignore()
        for watch in self._watches:
            watch.total = watch.count = watch.size = 0
        self._names = {path: self._named(path) for path in self.files}
        for path, file in self.files.items():
            for watch, name in self._counted(path):
                watch.add(name, file, 1)

    def _read_ignore(self) -> Ignore:
        found = self.files.get(IGNORE_FILE)
        return Ignore.parse(found.data or b"" if found is not None else b"", self.dialect)
