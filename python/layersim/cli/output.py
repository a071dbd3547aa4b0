"""Standard output: plain text for pipes, safe text for terminals, JSON where it is asked for."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

_LAYOUT = "\n\t"


class Output:
    """Where a command writes what it found.

    Parameters
    ----------
    stream : text file
        Usually ``sys.stdout``.
    as_json : bool
        Whether the user asked for JSON.
    """

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self.as_json = as_json

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads along."""
        return self._stream.isatty()

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

    def records(self, records: Iterable[Mapping[str, object]]) -> None:
        """Write JSON lines: one object per line."""
        for record in records:
            self.document(record)

    def document(self, document: Mapping[str, object]) -> None:
        """Write one JSON object on one line; times are ISO 8601, bytes that are no text are surrogate escapes."""
        self.raw(f"{json.dumps(document, default=_spelled)}\n".encode())


def harmless(text: str, *, kept: str = "") -> str:
    """Return a text that cannot drive a terminal: what is not printable becomes an escape, but for `kept`.

    Names in archives are whatever their makers liked: escape sequences, line ends, bytes that are no text.
    """
    return "".join(rune if rune.isprintable() or rune in kept else ascii(rune)[1:-1] for rune in text)


def _spelled(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")
