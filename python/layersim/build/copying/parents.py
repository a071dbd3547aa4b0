"""Which names below a source are copied: all, all but ``--exclude``, or those that ``--parents`` leads to."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.context.checksum import Counted, all_counted
from layersim.build.context.ignore import Ignore
from layersim.build.context.patterns import clean, is_wild
from layersim.build.context.selection import select
from layersim.build.context.tree import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layersim.build.context import Dialect, Selection
    from layersim.build.context.tree import Tree

_PIVOT = "/./"


@dataclass(frozen=True)
class Wanted:
    """What is copied, by paths relative to the source.

    Attributes
    ----------
    takes : callable
        Whether a name is copied.
    may_hold : callable
        Whether a directory that is not copied itself may hold something that is.
    """

    takes: Callable[[str], bool]
    may_hold: Callable[[str], bool]


def everything(excludes: Ignore | None) -> Wanted:
    """Return what takes all names but those of ``--exclude``."""
    if excludes is None:
        return Wanted(lambda _path: True, lambda _path: True)
    return Wanted(lambda path: not excludes.excludes(path), excludes.may_hold)


def split_at_pivot(word: str) -> tuple[str, str]:
    """Return the part of a word before the first ``/./``, which ``--parents`` leaves out, and the part after it."""
    while word.startswith("./"):
        word = word[2:].lstrip("/")
    before, pivot, after = f"/{word.lstrip('/')}".partition(_PIVOT)
    return (before, after) if pivot else ("", word)


def pivoted(selection: Selection, dialect: Dialect, excludes: Ignore | None) -> tuple[list[str], Wanted]:
    """Return where the paths begin that ``--parents`` keeps, one place or all that a pattern matches; what is taken."""
    start, pattern = split_at_pivot(selection.word)
    includes = Ignore([clean("/" + pattern).lstrip("/") or "**"], dialect)

    def takes(path: str) -> bool:
        return includes.excludes(path) and not (excludes is not None and excludes.excludes(path))

    wanted = Wanted(takes, lambda _path: True)
    if not is_wild(start):
        return [resolve(selection.tree, start)], wanted
    found = select(selection.tree, start, dialect, from_stage=selection.keeps_owner).sources
    return [source.path for source in found if source.is_dir], wanted


def counted_without(selection: Selection, excludes: Ignore) -> Iterator[list[Counted]]:
    """Yield for each source the entries that count when some are not copied; of a file no pattern is asked."""
    wanted = everything(excludes)
    for source, entries in zip(selection.sources, all_counted(selection), strict=True):
        if source.is_dir:
            yield [entries[0], *_wanted(selection.tree, Counted(source.path, "", source.status), wanted)]
        else:
            yield entries


def counted_with_parents(selection: Selection, dialect: Dialect, excludes: Ignore | None) -> Iterator[list[Counted]]:
    """Yield the entries that count with ``--parents``, those that lead to what is wanted among them."""
    starts, wanted = pivoted(selection, dialect, excludes)
    for start in starts:
        yield list(_wanted(selection.tree, Counted(start, "", selection.tree.lstat(start or "/")), wanted))


def _wanted(tree: Tree, directory: Counted, wanted: Wanted) -> Iterator[Counted]:
    """Yield what is copied out of a directory, parents first."""
    for name in tree.listdir("/" + directory.path):
        path, sub = (f"{start}/{name}".lstrip("/") for start in (directory.path, directory.name))
        entry = Counted(path, sub, tree.lstat(path))
        is_wanted = wanted.takes(sub)
        if not stat.S_ISDIR(entry.status.st_mode):
            inside: list[Counted] = []
        else:
            inside = list(_wanted(tree, entry, wanted)) if is_wanted or wanted.may_hold(sub) else []
        if is_wanted or inside:
            yield entry
        yield from inside
