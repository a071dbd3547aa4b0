"""What a source word of COPY or ADD names: globs, links, and the ways out of the root."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.build.context.dialect import OLD, is_legacy
from layersim.build.context.patterns import clean, compiled, is_wild
from layersim.build.context.tree import LinkLoopError, below, below_file, resolve, status
from layersim.build.dockerfile.golang import go_quote
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim.build.context.dialect import Dialect
    from layersim.build.context.tree import Status, Tree


@dataclass(frozen=True)
class Source:
    """One thing to copy.

    Attributes
    ----------
    path : str
        Where it is, links followed, relative to the root; empty for the root.
    given : str
        As the word or its match names it: the last part is its name at the destination.
    status : Status
        What is there.
    """

    path: str
    given: str
    status: Status

    @property
    def name(self) -> str:
        """The name that a file gets in a directory."""
        return posixpath.basename(self.given)

    @property
    def is_dir(self) -> bool:
        """Whether its contents are copied."""
        return stat.S_ISDIR(self.status.st_mode)


@dataclass(frozen=True)
class Selection:
    """What one source word names.

    Attributes
    ----------
    tree : Tree
        Where from.
    word : str
        As written.
    sources : tuple of Source
        In the order in which they are copied; none for a pattern without a match.
    keeps_owner : bool
        Whether it is a stage or an image: owners are kept.
    is_download : bool
        Whether it is what was found at a URL: one file, which is not unpacked unless that is asked for.
    """

    tree: Tree = field(repr=False)
    word: str
    sources: tuple[Source, ...]
    keeps_owner: bool = False
    is_download: bool = False


def select(tree: Tree, word: str, dialect: Dialect, *, instruction: str = "COPY", from_stage: bool = True) -> Selection:
    """Find what a source word names.

    Parameters
    ----------
    tree : Tree
        The context, or the view of a stage or an image.
    word : str
        After substitution.
    dialect : Dialect
        The builder.
    instruction : str
        ``COPY`` or ``ADD``, for messages.
    from_stage : bool
        Whether `tree` is a stage or an image: owners are kept.

    Returns
    -------
    Selection
        Its sources, sorted by name where there is a wildcard.

    Raises
    ------
    BuildError
        In the builder's words, for a missing file, a loop of links, or a way out of the root.
    """
    finder = _Finder(tree, word, dialect, instruction, from_stage)
    found = finder.matches() if is_wild(word) else (finder.named(),)
    return Selection(tree, word, found, from_stage)


def find(tree: Tree, path: str, dialect: Dialect, *, from_stage: bool = True) -> Selection:
    """Find one path, in which no character is a wildcard; as `select`, but what is found has no name."""
    source = _Finder(tree, path, dialect, "RUN", from_stage).one(path)
    return Selection(tree, path, (Source(source.path, "", source.status),), from_stage)


@dataclass(frozen=True)
class _Finder:
    tree: Tree
    word: str
    dialect: Dialect
    instruction: str
    from_stage: bool

    @property
    def is_legacy(self) -> bool:
        return is_legacy(self.dialect)

    def named(self) -> Source:
        """Return the source that the word names, which has no wildcard; a backslash takes away nothing.

        BuildKit never finds one with a backslash: its client, for which that escapes, sends another file.
        """
        if not self.is_legacy and "\\" in self.word:
            relative = clean(self.word.lstrip("/"))
            raise self._missing(self.word, relative, relative)
        return self.one(self.word)

    def one(self, name: str) -> Source:
        """Return the source of a plain name."""
        relative = clean(name.lstrip("/"))
        if self.is_legacy and (relative == ".." or relative.startswith("../")):
            raise self._forbidden(self.word.removeprefix("./"))
        try:
            path = resolve(self.tree, relative)
        except LinkLoopError as error:
            raise self._loop(relative) from error
        found = status(self.tree, path)
        if found is None:
            raise self._missing(name, relative, path)
        return Source(path, clean("/" + relative).lstrip("/"), found)

    def matches(self) -> tuple[Source, ...]:
        """Return what a pattern matches, sorted; links are followed, on the way only by BuildKit."""
        pattern = clean(self.word.lstrip("/"))
        start, rest = ("", pattern) if self.is_legacy else _split(pattern)
        if "\\" in start:
            raise BuildError(f"lstat /{start}: no such file or directory")
        base = resolve(self.tree, start)
        found = status(self.tree, base)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return ()
        fits = compiled(rest).fullmatch
        cut = len(base) + 1 if base else 0
        depth = rest.count("/")
        return tuple(
            self.one(posixpath.join(start, path[cut:]))
            for path, _ in below(self.tree, base)
            if path.count("/", cut) == depth and fits(path[cut:])
        )

    def _forbidden(self, relative: str) -> BuildError:
        return BuildError(f"{self.instruction} failed: forbidden path outside the build context: {relative} ()")

    def _loop(self, relative: str) -> BuildError:
        if self.is_legacy:
            return self._forbidden(relative)
        if self.dialect.generation == OLD:
            return BuildError(f"failed to compute cache key: too many symlinks: /{relative}")
        return BuildError(f"failed to compute cache key: failed to calculate checksum of {relative!r}: too many links")

    def _missing(self, name: str, relative: str, path: str) -> BuildError:
        if self.is_legacy:
            if below_file(self.tree, path):
                raise self._forbidden(relative)
            relative = name.lstrip("/").removeprefix("./")
            where = "" if self.from_stage else "file not found in build context or excluded by .dockerignore: "
            return BuildError(f"{self.instruction} failed: {where}stat {relative}: file does not exist")
        if self.dialect.generation == OLD:
            return BuildError(f"failed to compute cache key: {go_quote('/' + path)} not found: not found")
        given = go_quote(clean("/" + relative))
        return BuildError(f"failed to compute cache key: failed to calculate checksum: {given}: not found")


def _split(pattern: str) -> tuple[str, str]:
    """Return the components before the first with a wildcard, and the others."""
    parts = pattern.split("/")
    at = next((at for at, part in enumerate(parts) if is_wild(part)), len(parts) - 1)
    return "/".join(parts[:at]), "/".join(parts[at:])
