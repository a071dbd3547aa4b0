"""What a series of edits costs: a row for each build, and one for each Dockerfile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.image.instant import to_datetime
from layersim.profiles.form import Form, Style
from layersim.table import Table
from layersim.units import ellipsis, human_size

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDEST_NAME = 40


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One build of one Dockerfile after one edit.

    Attributes
    ----------
    variant : str
        The Dockerfile.
    edit : int
        Which edit it was, from 1; 0 for the first build, before any.
    name : str
        What was edited.
    cached, rebuilt : int
        Steps that were found in the cache, and steps that ran.
    rebuilt_size : int
        Bytes of the layers that were made anew.
    seconds : float
        What the steps that ran took.
    push_size : int
        Bytes of the layers of the image that no image pushed before has.
    pull_size : int
        Bytes that a node fetches which holds the image before it; for the first image all of it.
    size : int
        Bytes of the image; 0 if the build failed.
    ran : tuple of str
        The lines of the steps that ran.
    error : str
        Why the build failed; empty if it did not.
    """

    variant: str
    edit: int
    name: str
    cached: int
    rebuilt: int
    rebuilt_size: int
    seconds: float
    push_size: int
    pull_size: int
    size: int
    ran: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """What all edits cost one Dockerfile, the first build left out.

    Attributes
    ----------
    variant : str
        The Dockerfile.
    edits : int
        How many builds.
    unchanged : int
        Builds in which every step was found in the cache.
    failed : int
        Builds that failed.
    cached, rebuilt : int
        Steps.
    rebuilt_size : int
        Bytes of layers.
    seconds : float
        What the steps that ran took.
    push_size, pull_size : int
        Bytes to a registry, and from it to a node that follows.
    """

    variant: str
    edits: int
    unchanged: int
    failed: int
    cached: int
    rebuilt: int
    rebuilt_size: int
    seconds: float
    push_size: int
    pull_size: int


class Replay(Table[ReplayRow]):
    """Builds of a series of edits: a table of `ReplayRow`, Dockerfile by Dockerfile, each in the order of the edits.

    Parameters
    ----------
    rows : sequence of ReplayRow
        All builds.
    """

    def __init__(self, rows: Sequence[ReplayRow]) -> None:
        super().__init__(rows, _ROWS, Style(now=to_datetime(0)), kind=ReplayRow)

    @property
    def summary(self) -> Table[ReplaySummary]:
        """A row for each Dockerfile, in the order in which they were given."""
        variants: dict[str, list[ReplayRow]] = {}
        for row in self:
            variants.setdefault(row.variant, []).append(row)
        rows = [_summed(variant, [row for row in found if row.edit]) for variant, found in variants.items()]
        return Table(rows, _SUMMARIES, Style(now=to_datetime(0)), kind=ReplaySummary)


def _summed(variant: str, rows: Sequence[ReplayRow]) -> ReplaySummary:
    return ReplaySummary(
        variant,
        edits=len(rows),
        unchanged=sum(not row.rebuilt and not row.error for row in rows),
        failed=sum(bool(row.error) for row in rows),
        cached=sum(row.cached for row in rows),
        rebuilt=sum(row.rebuilt for row in rows),
        rebuilt_size=sum(row.rebuilt_size for row in rows),
        seconds=sum(row.seconds for row in rows),
        push_size=sum(row.push_size for row in rows),
        pull_size=sum(row.pull_size for row in rows),
    )


def _bytes(style: Style, *sizes: int) -> list[str]:
    return [human_size(size) if style.human else str(size) for size in sizes]


def _row_cells(row: ReplayRow, style: Style) -> list[Sequence[str]]:
    name = row.name if style.no_trunc else ellipsis(row.name, _WIDEST_NAME)
    steps = str(row.cached), str(row.rebuilt)
    sizes = _bytes(style, row.rebuilt_size, row.push_size, row.pull_size)
    return [(row.variant, str(row.edit), name or "-", *steps, f"{row.seconds:g}", *sizes, row.error)]


def _summary_cells(row: ReplaySummary, style: Style) -> list[Sequence[str]]:
    counts = [str(count) for count in (row.edits, row.unchanged, row.failed, row.cached, row.rebuilt)]
    return [(row.variant, *counts, f"{row.seconds:g}", *_bytes(style, row.rebuilt_size, row.push_size, row.pull_size))]


_ROWS: Form[ReplayRow] = Form(
    lambda _: ("VARIANT", "EDIT", "CHANGED", "CACHED", "RAN", "SECONDS", "REBUILT", "PUSH", "PULL", "ERROR"),
    _row_cells,
    lambda row, _: [row.variant],
)
_SUMMARIES: Form[ReplaySummary] = Form(
    lambda _: ("VARIANT", "EDITS", "UNCHANGED", "FAILED", "CACHED", "RAN", "SECONDS", "REBUILT", "PUSH", "PULL"),
    _summary_cells,
    lambda row, _: [row.variant],
)
