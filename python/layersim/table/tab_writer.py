"""Cells set in columns as Docker's tab writer sets them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NARROWEST, _GAP = 10, 3


def aligned(lines: Sequence[Sequence[str]], measure: Callable[[str], int]) -> str:
    """Return lines of cells as Docker's tab writer sets them.

    A column is as wide as its widest cell and three blanks, at least ten in all; the last cell of a
    line belongs to no column. A cell with a newline in it ends its line there, and with the line all
    columns that the line does not reach. A vertical tab ends a cell as a tab does; a form feed ends the
    line and all columns, whether the next line reaches them or not.
    """
    text = "\n".join("\t".join(line) for line in lines).replace("\v", "\t")
    return "\n".join(_set_in_columns(part, measure) for part in text.split("\f"))


def _set_in_columns(text: str, measure: Callable[[str], int]) -> str:
    rows = [line.split("\t") for line in text.split("\n")]
    sizes = [[measure(cell) for cell in row[:-1]] for row in rows]
    widths = _column_widths(sizes)
    return "\n".join(map(_padded, rows, sizes, widths))


def _padded(row: list[str], sizes: list[int], widths: list[int]) -> str:
    cells = [cell + " " * (width - size) for cell, size, width in zip(row[:-1], sizes, widths, strict=True)]
    return "".join(cells) + row[-1]


def _column_widths(sizes: list[list[int]]) -> list[list[int]]:
    """Return for each row the widths of its columns; a column is an unbroken run of rows that have a cell there."""
    widths: list[list[int]] = [[] for _ in sizes]
    for column in range(max(map(len, sizes))):
        reaches = [len(row) > column for row in sizes]
        places = range(len(sizes))
        for is_column, run in groupby(places, key=reaches.__getitem__):
            members = list(run) if is_column else []
            width = max([_NARROWEST, *(sizes[place][column] + _GAP for place in members)])
            for place in members:
                widths[place].append(width)
    return widths
