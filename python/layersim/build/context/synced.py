"""What BuildKit's side has of a directory since the last build: what looks the same is not sent again (ADR 0014)."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from layersim._core import View
from layersim.build.context.dialect import is_legacy, is_old_buildkit
from layersim.build.context.directory import walk_directory
from layersim.build.context.reading import SyncedTexts, is_fresh
from layersim.build.context.tree import Sent, SentTree
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from layersim._core import Layer
    from layersim.build.context.asked import Asked
    from layersim.build.context.dialect import Dialect
    from layersim.build.context.directory import Walked
    from layersim.build.context.ignore import Ignore

SOURCES = {
    "local source for dockerfile": "local source for dockerfile",
    "local source for dockerignore": "local source for context",
    "local source for context": "local source for context",
}
"""What the build cache has records of, for each directory, and what BuildKit calls each."""


def source_key(name: str, place: str) -> str:
    """Return what a record is found by that counts a directory's context; of no directory its name."""
    return f"{name}, {place}" if place else name


class SentName(NamedTuple):
    """What is kept of a name that was sent: a file, with its digest, or a directory, without one."""

    path: str
    mode: int
    size: int
    mtime_ns: int
    device: int
    target: str
    first: str
    digest: bytes


class SyncedTree(SentTree):
    """What a directory sends, beside what BuildKit has of it already.

    Parameters
    ----------
    root : bytes
        The directory on the host.
    names : Mapping of str to Sent
        By path, relative to the root.
    before : SyncedTree, optional
        What was sent last. Of a file that looks as it did then, the digest is taken over.
    listed_ns : int
        When it was listed, in nanoseconds since 1970.

    Notes
    -----
    A file looks the same with its mode, size, time and links; its bytes may be others, as in a real engine. A directory
    counts with the mode that it had when it first came.
    """

    def __init__(
        self, root: bytes, names: Mapping[str, Sent], before: SyncedTree | None = None, listed_ns: int = 0
    ) -> None:
        super().__init__(root, names)
        self._listed_ns = listed_ns
        self._asked: frozenset[str] = frozenset()
        # Files that look as they did, but for what no builder looks at.
        self._doubtful: set[str] = set()
        # Where layers have the bytes of a digest.
        self._kept: dict[bytes, tuple[Layer, str]] = {}
        if before is not None:
            self._take_over(before)

    @classmethod
    def restored(cls, rows: Iterable[SentName]) -> Self:
        """Return what was sent before, of which no layer is known that has it."""
        found = list(rows)
        names = {
            one.path: Sent(one.mode, one.size, one.mtime_ns, st_rdev=one.device, target=one.target) for one in found
        }
        tree = cls(b"", names)
        tree.known = {one.path: one.digest for one in found if one.digest}
        tree._first_names = {one.path: one.first for one in found if one.first}
        tree._asked = frozenset(names)
        return tree

    def rows(self) -> Iterator[SentName]:
        """Yield what `restored` makes it of."""
        for path in sorted(self._asked | self.known.keys()):
            one = self.names.get(path)
            digest = self.known.get(path, b"")
            if one is not None and (digest or stat.S_ISDIR(one.st_mode)):
                mode, first = self.modes.get(path, one.st_mode), self.first_name(path)
                yield SentName(path, mode, one.st_size, one.st_mtime_ns, one.st_rdev, one.target, first, digest)

    def _take_over(self, before: SyncedTree) -> None:
        for path, digest in before.known.items():
            then, now = before.names[path], self.names.get(path)
            if now is None or _looks(now) != _looks(then) or before.first_name(path) != self.first_name(path):
                continue
            if path in before.fresh and now.st_ctime_ns == then.st_ctime_ns:
                continue
            self.known[path] = digest
            if path in before._doubtful or (now.st_ctime_ns, now.st_ino) != (then.st_ctime_ns, then.st_ino):
                self._doubtful.add(path)
        self._kept = {digest: before._kept[digest] for digest in self.known.values() if digest in before._kept}
        for path in before._asked:
            then, now = before.names[path], self.names.get(path)
            if now is not None and stat.S_ISDIR(now.st_mode) and stat.S_ISDIR(then.st_mode):
                mode = before.modes.get(path, then.st_mode)
                if mode != now.st_mode:
                    self.modes[path] = mode

    @cached_property
    def fresh(self) -> frozenset[str]:
        """Files that were written just before they were listed, so that a later write may have the same time."""
        return frozenset(path for path in self.known if is_fresh(self.names[path].st_mtime_ns, self._listed_ns))

    def settle(self, asked: Asked) -> None:
        """Forget what a build has not asked for: it is gone on the other side."""
        if asked.names is self._asked:
            return
        self._asked = asked.names
        gone = (self.known.keys() | self.modes.keys()) - asked.names
        for path in gone:
            self.known.pop(path, None)
            self.modes.pop(path, None)
        self._doubtful -= gone
        if gone:
            self.sums.clear()

    def read_bytes(self, path: str, /) -> bytes:
        """Return the bytes that were sent of a file: if it has others since, those that a layer has kept.

        Raises
        ------
        BuildError
            It cannot be read, or changes meanwhile.
        """
        name = path.strip("/")
        digest = self.known.get(name)
        kept = self._bytes_kept(digest) if name in self._doubtful else None
        if kept is not None:
            return kept
        data = super().read_bytes(path)
        if digest is not None and hashlib.sha256(data).digest() != digest:
            del self.known[name]
            self._doubtful.discard(name)
            self.sums.clear()
            raise BuildError(f"{name!r} changed while it was read")
        return data

    def recheck(self, paths: Iterable[str]) -> bool:
        """Hash files again whose bytes may be others by now and are kept nowhere; tell whether any has changed."""
        doubtful = [path for path in paths if path in self._doubtful and self._bytes_kept(self.known[path]) is None]
        now = dict(zip(doubtful, self.hashed(doubtful, None), strict=True))
        has_changed = any(self.known[path] != digest for path, digest in now.items())
        self.known |= now
        self._doubtful.difference_update(doubtful)
        if has_changed:
            self.sums.clear()
        return has_changed

    def keep(self, layer: Layer) -> None:
        """Remember that a layer has what was taken from here."""
        self._kept |= {self.known[path]: (layer, dest) for path, dest in self.taken.items() if path in self.known}
        self.taken.clear()

    def _bytes_kept(self, digest: bytes | None) -> bytes | None:
        place = self._kept.get(digest) if digest is not None else None
        if place is None:
            return None
        layer, path = place
        try:
            data = View([layer]).read_bytes(path)
        except OSError:
            return None  # another source came into its place
        return data if hashlib.sha256(data).digest() == digest else None


class Synced:
    """What BuildKit has of one directory of one client.

    Parameters
    ----------
    place : str
        What it knows the directory by: `place_of`.

    Attributes
    ----------
    records : set of str
        The records of the build cache that it is in; it is gone with any of them.
    texts : SyncedTexts
        What it has of Dockerfiles.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.records: set[str] = set()
        self.texts = SyncedTexts()
        self._walked: Walked | None = None
        self._tree: SyncedTree | None = None

    def rows(self) -> Iterator[SentName]:
        """Yield the names that are there on the other side."""
        return iter(()) if self._tree is None else self._tree.rows()

    def restore(self, rows: Iterable[SentName]) -> None:
        """Take in what an engine had that was saved."""
        self._tree = SyncedTree.restored(rows)

    def tree(self, root: str, ignore: Ignore, dialect: Dialect) -> SyncedTree:
        """List what a directory sends; the same tree as before if nothing has changed.

        Raises
        ------
        BuildError
            For what cannot be listed or described, naming it.
        """
        listed_ns = time.time_ns()
        walked = self._walked = walk_directory(root, ignore, dialect, self._walked)
        before = self._tree
        if before is not None and before.names is walked.names and not before.fresh:
            return before
        return SyncedTree(os.fsencode(root), walked.names, before, listed_ns)

    def settle(self, tree: SyncedTree, asked: Asked, *, is_whole: bool) -> None:
        """Keep what was sent; what was not asked for is gone, unless the build did not come to its end."""
        if is_whole:
            tree.settle(asked)
        self._tree = tree


def place_of(source: object, dialect: Dialect) -> str:
    """Return what BuildKit knows a directory by, and an empty text for anything else.

    In 20.10 that is the path as it was given, later the absolute one; neither has its links followed.
    """
    if not isinstance(source, str | os.PathLike) or is_legacy(dialect) or not Path(source).is_dir():
        return ""
    given = os.fsdecode(source)
    return given if is_old_buildkit(dialect) else posixpath.normpath(Path(given).absolute())


def _looks(sent: Sent) -> tuple[object, ...]:
    return sent.st_mode, sent.st_size, sent.st_mtime_ns, sent.st_rdev, sent.target
