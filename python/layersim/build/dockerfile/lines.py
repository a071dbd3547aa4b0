"""Logical lines: directives, comments, and lines that are continued on the next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile.blanks import SPACES
from layersim.build.dockerfile.continuation import CONTINUED
from layersim.build.dockerfile.faults import UnreadableError
from layersim.build.dockerfile.instructions import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.build.dockerfile.dialect import Dialect

LONGEST_LINE = 65_535
"""Bytes of one line; the engines read no further than a longer one."""

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*", re.ASCII)
_DIRECTIVES = {20: frozenset(("escape", "syntax")), 29: frozenset(("escape", "syntax", "check"))}
_SURROGATES = re.compile("[\ud800-\udfff]")


def text_of(data: bytes | str) -> str:
    """Return a Dockerfile's text; a byte that is no UTF-8 becomes a replacement character, one for each."""
    text = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text).removeprefix("\ufeff")


class LineReader:
    """Reads the logical lines of one file, in order."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self._raw = text.split("\n")
        if not self._raw[-1]:
            self._raw.pop()
        self._is_too_long = len(text) > LONGEST_LINE // 4 and self._cut_off()
        self._lines = self._raw if "\r" not in text else [_trimmed(line, dialect) for line in self._raw]
        self._generation = dialect.generation
        self._is_top = True
        self.escape = "\\"
        self.directives: dict[str, str] = {}
        self.remarks: list[Remark] = []
        self.at = 0

    def _cut_off(self) -> bool:
        """Drop what follows a line that is too long, and say whether there was one."""
        for number, line in enumerate(self._raw):
            if len(line) > LONGEST_LINE // 4 and len(line.encode()) > LONGEST_LINE:
                del self._raw[number:]
                return True
        return False

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Give each logical line that holds an instruction, with the number of its first line."""
        lines = self._lines
        count = len(lines)
        while self.at < count:
            line = lines[self.at].lstrip(SPACES)
            self.at += 1
            if self._is_top:
                self._is_top = self._directive(line)
            if not line or line[0] == "#":
                continue
            start = self.at
            if line[-1] in self.escape + " \t" and (found := CONTINUED[self.escape].search(line)):
                line = self._continued(line[: found.start()])
            yield line, start
        if self._is_too_long:
            raise UnreadableError(f"dockerfile line greater than max allowed size of {LONGEST_LINE}")

    def _directive(self, line: str) -> bool:
        """Take a line as a directive, and say whether more may follow."""
        found = _DIRECTIVE.fullmatch(line)
        name = found[1].lower() if found else ""
        if found is None or name not in _DIRECTIVES[self._generation]:
            return False
        if name in self.directives:
            raise UnreadableError(f"only one {name} parser directive can be used")
        self.directives[name] = found[2]
        if name == "escape":
            if found[2] not in ("\\", "`"):
                raise UnreadableError(f"invalid escape token '{found[2]}' does not match ` or \\")
            self.escape = found[2]
        return True

    def _continued(self, first: str) -> str:
        """Join a line with those that continue it."""
        parts, has_blank = [first], False
        while self.at < len(self._lines):
            line = self._lines[self.at]
            self.at += 1
            begin = line.lstrip(SPACES)[:1]
            if begin == "#":
                continue
            if not begin:
                has_blank = True
                continue
            found = CONTINUED[self.escape].search(line)
            if not found:
                parts.append(line)
                break
            parts.append(line[: found.start()])
        joined = "".join(parts).lstrip(SPACES)
        if has_blank:
            self.remarks.append(Remark(self.at, f"Empty continuation line found in: {joined}"))
        return joined

    def body(self, terminator: str, *, strips_tabs: bool) -> str:
        """Read the lines of a heredoc up to the one that ends it.

        Raises
        ------
        UnreadableError
            No line ends it.
        """
        start = self.at
        for number in range(start, len(self._lines)):
            line = self._raw[number].rstrip("\r\n")
            if (line.lstrip("\t") if strips_tabs else line) == terminator:
                self.at = number + 1
                return "".join(f"{line}\n" for line in self._raw[start:number])
        self.at = len(self._lines)
        raise UnreadableError("unterminated heredoc")


def _trimmed(line: str, dialect: Dialect) -> str:
    """Return a line without its carriage returns: 20.10 takes one off, later engines all."""
    return line.removesuffix("\r") if dialect.is_old else line.rstrip("\r")
