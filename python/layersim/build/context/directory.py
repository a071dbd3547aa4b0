"""A directory of the host as a builder's client sends it: listed, ignored, described; no bytes are read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from layersim._core import list_directories
from layersim.build.context.dialect import is_legacy, is_old_buildkit
from layersim.build.context.tree import Sent, SentTree
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim._core import Listing
    from layersim.build.context.dialect import Dialect
    from layersim.build.context.ignore import Ignore

_IMPLIED = Sent(stat.S_IFDIR | 0o755, is_implied=True)

Described: TypeAlias = tuple[str, Sent, int]
"""A name, what is known of it, and the error of the system where nothing is."""

_Row: TypeAlias = tuple[str, int, int, int, int, int, int, int, int, int, str, bytes]


@dataclass(frozen=True)
class Walked:
    """A directory as it was found by one walk.

    Attributes
    ----------
    root : str
        Where it is.
    rules : tuple
        What decided what is sent.
    names : mapping of str to Sent
        What is sent, by path, parents first and names sorted.
    listings : mapping of str to Listing
        The directories that were looked into.
    described : mapping of str to list
        What was made of each listing.
    """

    root: str
    rules: tuple[object, ...]
    names: Mapping[str, Sent]
    listings: Mapping[str, Listing]
    described: Mapping[str, list[Described]]


def read_directory(root: str, ignore: Ignore, dialect: Dialect) -> SentTree:
    """List what a directory sends.

    Raises
    ------
    BuildError
        For what cannot be listed or described, naming it.
    """
    return SentTree(os.fsencode(root), walk_directory(root, ignore, dialect).names)


def walk_directory(root: str, ignore: Ignore, dialect: Dialect, before: Walked | None = None) -> Walked:
    """List what a directory sends, as far as it has changed.

    Parameters
    ----------
    root : str
        The directory.
    ignore : Ignore
        What keeps names out; no directory is listed that it excludes as a whole.
    dialect : Dialect
        The builder.
    before : Walked, optional
        What an earlier walk found. It is what is returned if nothing has changed since.

    Raises
    ------
    BuildError
        For what cannot be listed or described, naming it.
    """
    rules = (ignore.patterns, dialect.builder, dialect.generation)
    own = _status(root)
    listings: dict[str, Listing] = {}
    if before is not None and before.root == root:
        places = [os.fsencode(f"{root}/{directory}") for directory in before.listings]
        listings = dict(zip(before.listings, list_directories(places, capabilities=is_legacy(dialect)), strict=True))
        if before.rules == rules and before.names[""] == own and listings == before.listings:
            return before
    walk = _Walk(root, ignore, dialect, listings, before)
    walk.names[""] = own
    walk.into("", 1)
    return Walked(root, rules, walk.names, walk.listings, walk.rows)


class _Walk:
    def __init__(
        self, root: str, ignore: Ignore, dialect: Dialect, listed: Mapping[str, Listing], before: Walked | None
    ) -> None:
        self.root, self.ignore = root, ignore
        self.names: dict[str, Sent] = {}
        self.listings: dict[str, Listing] = {}
        self.rows: dict[str, list[Described]] = {}
        self.is_legacy = is_legacy(dialect)
        # The walk of 20.10 in BuildKit sends an excluded directory as soon as it looks into it.
        self.sends_entered = is_old_buildkit(dialect)
        self._listed, self._before = listed, before

    def into(self, directory: str, depth: int) -> None:
        """Take what is in a directory, whose entries have `depth` components."""
        start = f"{directory}/" if directory else ""
        excludes = self.ignore.at_depth(depth)
        for name, sent, errno in self._described(directory):
            path = start + name
            if not excludes(path):
                if errno:
                    raise _unreadable(path, errno)
                self._take(path, sent, depth)
            elif stat.S_ISDIR(sent.st_mode) and self.ignore.may_hold(path):
                self._look_into(path, sent, depth)

    def _described(self, directory: str) -> list[Described]:
        """List a directory, unless that was done; what has not changed is described by the same values as before."""
        listing = self._listed.get(directory)
        if listing is None:
            place = os.fsencode(f"{self.root}/{directory}")
            (listing,) = list_directories([place], capabilities=self.is_legacy)
        if listing.errno:
            raise _unreadable(directory or ".", listing.errno)
        self.listings[directory] = listing
        known = self._before
        if known is not None and known.listings.get(directory) == listing:
            self.rows[directory] = known.described[directory]
        else:
            self.rows[directory] = [_described(row) for row in listing.rows()]
        return self.rows[directory]

    def _take(self, path: str, sent: Sent, depth: int) -> None:
        if stat.S_ISSOCK(sent.st_mode):
            return
        self.names[path] = sent
        if stat.S_ISDIR(sent.st_mode):
            self.into(path, depth + 1)

    def _look_into(self, path: str, sent: Sent, depth: int) -> None:
        """List an excluded directory; it is sent if something in it is, in the legacy builder without its mode."""
        before = len(self.names)
        self.names[path] = _IMPLIED if self.is_legacy else sent
        self.into(path, depth + 1)
        if len(self.names) == before + 1 and not self.sends_entered:
            del self.names[path]


def _described(row: _Row) -> Described:
    name, errno, mode, size, mtime_ns, ctime_ns, nlink, dev, ino, rdev, target, capability = row
    return name, Sent(mode, size, mtime_ns, ctime_ns, nlink, dev, ino, rdev, 0, 0, target, capability), errno


def _status(root: str) -> Sent:
    try:
        found = Path(root).stat()
    except OSError as error:
        raise _unreadable(".", error.errno or 0) from error
    return Sent(
        found.st_mode,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_nlink,
        found.st_dev,
        found.st_ino,
        found.st_rdev,
    )


def _unreadable(path: str, errno: int) -> BuildError:
    error = OSError(errno, os.strerror(errno))
    if isinstance(error, PermissionError):
        return BuildError(f"no permission to read from {path!r}")
    return BuildError(f"cannot read {path!r} of the context: {error.strerror}")
