"""Rows that print as Docker's tables: values and columns first, and text by `str`."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from layersim.table.html import html_table
from layersim.table.rows import Rows
from layersim.table.tab_writer import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from layersim.profiles.form import Form, Style

_Row = TypeVar("_Row")
_LONGEST_HTML = 60


class Table(Rows[_Row]):
    """Frozen rows, and the text that Docker's command line prints for them.

    ``str(table)`` is that text to the character, without the newline that ends it, so that `print` shows
    what Docker shows; `text` takes the options of the command line. `to_dict` gives the columns as numpy
    arrays. What reads Arrow takes a table as it is, for instance ``polars.DataFrame(table)``.

    Parameters
    ----------
    rows : sequence
        The values.
    form : Form
        How a row is written.
    style : Style
        The moment it is written at, and the options.
    kind : type
        The class of the rows, a dataclass: its fields are the columns, also where there is no row.
    """

    def __init__(self, rows: Sequence[_Row], form: Form[_Row], style: Style, *, kind: type[_Row]) -> None:
        super().__init__(rows, kind)
        self._form = form
        self._style = style

    def __str__(self) -> str:
        """Return the text that Docker prints."""
        return self.text()

    def text(
        self, *, no_trunc: bool = False, human: bool = True, quiet: bool = False, zone: tzinfo | None = None
    ) -> str:
        """Return the text for these options of the command line.

        Parameters
        ----------
        no_trunc : bool, default False
            Full ids and texts.
        human : bool, default True
            Sizes and ages to be read; else bytes and points in time.
        quiet : bool, default False
            Ids alone.
        zone : tzinfo, optional
            Where points in time are told; the local zone of this process by default.
        """
        style = replace(self._style, no_trunc=no_trunc, human=human, zone=zone)
        if quiet:
            return "\n".join(line for row in self for line in self._form.ids(row, style))
        if self._form.whole is not None and not no_trunc:
            return self._form.whole(self._rows, style)
        lines = [line for row in self for line in self._form.cells(row, style)]
        return aligned([self._form.headers(style), *lines], self._form.measure)

    def _repr_html_(self) -> str:
        """Return the cells of the text as an HTML table; a long one is cut, and says so."""
        cells = (line for row in self._rows for line in self._form.cells(row, self._style))
        lines = list(islice(cells, _LONGEST_HTML + 1))
        there_are = "there is 1 row" if len(self) == 1 else f"there are {len(self):,} rows"
        note = f"the first {_LONGEST_HTML} lines; {there_are}" if len(lines) > _LONGEST_HTML else ""
        return html_table(self._form.headers(self._style), lines[:_LONGEST_HTML], note)
