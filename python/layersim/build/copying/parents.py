"""Which names below a source are copied: all, all but ``--exclude``, or those that ``--parents`` leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.context.ignore import Ignore
from layersim.build.context.patterns import clean
from layersim.build.context.tree import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.build.context import Dialect, Selection

PIVOT = "/./"


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


def pivoted(selection: Selection, dialect: Dialect, excludes: Ignore | None) -> tuple[str, Wanted]:
    """Return where the paths begin that ``--parents`` keeps, and what is taken below."""
    before, pivot, after = ("/" + selection.word).rpartition(PIVOT)
    start, pattern = (before, after) if pivot else ("", selection.word)
    includes = Ignore([clean("/" + pattern).lstrip("/") or "**"], dialect)

    def takes(path: str) -> bool:
        return includes.excludes(path) and not (excludes is not None and excludes.excludes(path))

    return resolve(selection.tree, start), Wanted(takes, lambda _path: True)
