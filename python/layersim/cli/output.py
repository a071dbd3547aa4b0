"""Standard output: plain text for pipes, safe text for terminals, and data in the format that was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from layersim.cli.failure import InputError
from layersim.cli.formats import arrow_stream, csv_text, records_of, spelled
from layersim.units import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from layersim.table import Rows

_LAYOUT = "\n\t"


class Output:
    """Where a command writes what it found.

    Parameters
    ----------
    stream : text file
        Usually ``sys.stdout``.
    written_as : str
        One of `layersim.cli.formats.FORMATS`: what the user asked for.

    Raises
    ------
    InputError
        Bytes were asked for, and a person would have to read them.
    """

    def __init__(self, stream: TextIO, *, written_as: str) -> None:
        self._stream = stream
        self._written_as = written_as
        if written_as == "arrow" and self.is_terminal:
            raise InputError(
                "standard output", "an Arrow stream is no text for a terminal; send it to a file or a pipe"
            )

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads along."""
        return self._stream.isatty()

    @property
    def as_json(self) -> bool:
        """Whether the user asked for JSON."""
        return self._written_as == "json"

    @property
    def as_data(self) -> bool:
        """Whether the user asked for anything but text."""
        return self._written_as != "table"

    def text(self, text: str) -> None:
        """Write lines of text, if any; on a terminal, control characters of names inside become escapes."""
        if not text:
            return
        shown = harmless(text, kept=_LAYOUT) if self.is_terminal else text
        self.raw(f"{shown.removesuffix(chr(10))}\n".encode(errors="surrogateescape"))

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines of text, none at all if there are none."""
        for line in lines:
            self.text(line)

    def raw(self, content: bytes) -> None:
        """Write bytes as they are."""
        self._stream.flush()
        rest = memoryview(content)
        while rest:
            rest = rest[self._stream.buffer.write(rest) :]  # an unbuffered stream takes what the pipe has room for

    def rows(self, rows: Rows[Any]) -> None:
        """Write rows as data, in the format that was asked for."""
        if self._written_as == "arrow":
            self.raw(arrow_stream(rows))
        elif self._written_as == "csv":
            self.raw(csv_text(rows, harmless if self.is_terminal else str).encode(errors="surrogateescape"))
        else:
            self.records(records_of(rows))

    def records(self, records: Iterable[Mapping[str, object]]) -> None:
        """Write JSON lines: one object per line."""
        for record in records:
            self.document(record)

    def document(self, document: Mapping[str, object]) -> None:
        """Write one JSON object on one line; times are ISO 8601, bytes that are no text are surrogate escapes."""
        self.raw(f"{json.dumps(document, default=spelled)}\n".encode())
