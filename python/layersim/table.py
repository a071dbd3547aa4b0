"""Rows that print as Docker's tables: a sequence of values first, and text by `str`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.profiles.form import Form, Style

_Row = TypeVar("_Row")
_NARROWEST, _GAP = 10, 3


class Table(Sequence[_Row], Generic[_Row]):
    """Frozen rows, and the text that Docker's command line prints for them.

    ``str(table)`` is that text to the character, without the newline that ends it, so that `print` shows
    what Docker shows; `text` takes the options of the command line.

    Parameters
    ----------
    rows : sequence
        The values.
    form : Form
        How a row is written.
    style : Style
        The moment it is written at, and the options.
    """

    def __init__(self, rows: Sequence[_Row], form: Form[_Row], style: Style) -> None:
        self._rows = rows
        self._form = form
        self._style = style

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> _Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_Row]: ...
    def __getitem__(self, index: int | slice) -> _Row | Sequence[_Row]:
        """Return one row, or several."""
        return self._rows[index]

    def __str__(self) -> str:
        """Return the text that Docker prints."""
        return self.text()

    def __repr__(self) -> str:
        """Show the rows."""
        return f"Table({list(self._rows)!r})"

    def text(self, *, no_trunc: bool = False, human: bool = True, quiet: bool = False) -> str:
        """Return the text for these options of the command line.

        Parameters
        ----------
        no_trunc : bool, default False
            Full ids and texts.
        human : bool, default True
            Sizes and ages to be read; else bytes and points in time.
        quiet : bool, default False
            Ids alone.
        """
        style = replace(self._style, no_trunc=no_trunc, human=human)
        if quiet:
            return "\n".join(line for row in self for line in self._form.ids(row, style))
        if self._form.whole is not None and not no_trunc:
            return self._form.whole(self, style)
        lines = [line for row in self for line in self._form.cells(row, style)]
        return aligned([self._form.headers(style), *lines], self._form.measure)


def aligned(lines: Sequence[Sequence[str]], measure: Callable[[str], int]) -> str:
    """Return lines of cells as Docker's tab writer sets them.

    A column is as wide as its widest cell and three blanks, at least ten in all; the last cell of a
    line belongs to no column. A cell with a newline in it ends its line there, and with the line all
    columns that the line does not reach.
    """
    text = "\n".join("\t".join(line) for line in lines)
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
