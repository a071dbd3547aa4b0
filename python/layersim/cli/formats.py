"""Rows as data for other programs: JSON records, csv, and an Arrow stream."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layersim.table import Rows

FORMATS = ("table", "json", "csv", "arrow")


def records_of(rows: Rows[Any]) -> Iterator[dict[str, Any]]:
    """Yield each row as a mapping of names to values."""
    return ({name: getattr(row, name) for name in rows.columns} for row in rows)


def csv_text(rows: Rows[Any], shown: Callable[[str], str]) -> str:
    """Return rows as csv of RFC 4180: a line of names first; a tuple is its words with blanks between, None is empty.

    Parameters
    ----------
    rows : Rows
        What to write.
    shown : callable
        A text to what is to stand for it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows.columns)
    writer.writerows([shown(_cell(value)) for value in record.values()] for record in records_of(rows))
    return text.getvalue()


def arrow_stream(rows: Rows[Any]) -> bytes:
    """Return rows as a stream of Arrow's interprocess format."""
    stream = io.BytesIO()
    with import_module("nanoarrow.ipc").StreamWriter.from_writable(stream) as writer:
        writer.write_stream(rows)
    return stream.getvalue()


def spelled(value: object) -> object:
    """Return what stands in JSON for a value that JSON does not know.

    Raises
    ------
    TypeError
        There is nothing.
    """
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return " ".join(value)
        case datetime():
            return str(spelled(value))
        case _:
            return str(value)
