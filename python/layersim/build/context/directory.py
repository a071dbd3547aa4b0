"""A directory of the host as a builder's client sends it: listed, ignored, described; no bytes are read."""

from __future__ import annotations

import os
import stat
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from layersim.build.context.dialect import is_legacy, is_old_buildkit
from layersim.build.context.tree import CAPABILITY, Sent, SentTree
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim.build.context.dialect import Dialect
    from layersim.build.context.ignore import Ignore

_NAME = attrgetter("name")
_IMPLIED = Sent(stat.S_IFDIR | 0o755, is_implied=True)


def read_directory(root: str, ignore: Ignore, dialect: Dialect) -> SentTree:
    """List what a directory sends.

    Raises
    ------
    BuildError
        For what cannot be listed or described, naming it.
    """
    walk = _Walk(root, ignore, dialect)
    walk.into("", 1)
    return SentTree(os.fsencode(root), {"": _sent(Path(root).stat()), **walk.names})


class _Walk:
    def __init__(self, root: str, ignore: Ignore, dialect: Dialect) -> None:
        self.root, self.ignore = root, ignore
        self.names: dict[str, Sent] = {}
        self.is_legacy = is_legacy(dialect)
        # The walk of 20.10 in BuildKit sends an excluded directory as soon as it looks into it.
        self.sends_entered = is_old_buildkit(dialect)

    def into(self, directory: str, depth: int) -> None:
        """Take what is in a directory, whose entries have `depth` components."""
        start = f"{directory}/" if directory else ""
        excludes = self.ignore.at_depth(depth)
        for entry in self._listed(directory):
            path = start + entry.name
            if not excludes(path):
                self._take(path, entry, depth)
            elif self.ignore.may_hold(path) and entry.is_dir(follow_symlinks=False):
                self._look_into(path, entry, depth)

    def _listed(self, directory: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(f"{self.root}/{directory}") as entries:
                return sorted(entries, key=_NAME)
        except OSError as error:
            raise _unreadable(directory or ".", error) from error

    def _take(self, path: str, entry: os.DirEntry[str], depth: int) -> None:
        described = self._described(path, entry)
        if stat.S_ISSOCK(described.st_mode):
            return
        self.names[path] = described
        if stat.S_ISDIR(described.st_mode):
            self.into(path, depth + 1)

    def _look_into(self, path: str, entry: os.DirEntry[str], depth: int) -> None:
        """List an excluded directory; it is sent if something in it is, in the legacy builder without its mode."""
        before = len(self.names)
        self.names[path] = _IMPLIED if self.is_legacy else self._described(path, entry)
        self.into(path, depth + 1)
        if len(self.names) == before + 1 and not self.sends_entered:
            del self.names[path]

    def _described(self, path: str, entry: os.DirEntry[str]) -> Sent:
        try:
            found = entry.stat(follow_symlinks=False)
            target = os.readlink(entry.path) if stat.S_ISLNK(found.st_mode) else ""
            # A client of the legacy builder sends capabilities; nobody else asks for them.
            capability = _capability(entry.path) if self.is_legacy and stat.S_ISREG(found.st_mode) else b""
        except OSError as error:
            raise _unreadable(path, error) from error
        return _sent(found, target, capability)


def _sent(found: os.stat_result, target: str = "", capability: bytes = b"") -> Sent:
    return Sent(
        found.st_mode,
        found.st_size,
        found.st_mtime_ns,
        found.st_nlink,
        found.st_dev,
        found.st_ino,
        found.st_rdev,
        0,
        0,
        target,
        capability,
    )


def _capability(path: str) -> bytes:
    try:
        return os.getxattr(path, CAPABILITY, follow_symlinks=False)
    except OSError:
        return b""  # it has none, or its file system knows none


def _unreadable(path: str, error: OSError) -> BuildError:
    if isinstance(error, PermissionError):
        return BuildError(f"no permission to read from {path!r}")
    return BuildError(f"cannot read {path!r} of the context: {error.strerror}")
