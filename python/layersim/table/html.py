"""Lines of cells as an HTML table, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.units import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# As `html.escape` does; its module would bring the names of two thousand characters into every process.
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def html_table(headers: Sequence[str], lines: Iterable[Sequence[str]], note: str = "") -> str:
    """Return an HTML table of cells, and a note below it, if any.

    Whatever stands in a cell is shown and does nothing: markup and control characters are escaped.
    """
    below = f"\n<p>{_shown(note)}</p>" if note else ""
    head = f"<thead>\n{_line(headers, 'th')}</thead>\n"
    body = f"<tbody>\n{''.join(_line(line, 'td') for line in lines)}</tbody>\n"
    return f"<table>\n{head}{body}</table>{below}"


def _line(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{_shown(cell)}</{tag}>' for cell in cells)}</tr>\n"


def _shown(text: str) -> str:
    return harmless(text).translate(_MARKUP)
