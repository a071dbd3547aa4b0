"""Heredocs: which of them a line announces, and their bodies below it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile.faults import SubstitutionError, UnreadableError
from layersim.build.dockerfile.instructions import Heredoc
from layersim.build.dockerfile.substitution import Reader, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile.substitution import Segment

_ANNOUNCED = re.compile(r"(\d*)<<(-?+)[\t\n\f\r ]*+([^<]+)", re.ASCII)
_BLANKS_INSIDE = re.compile(r"(<<[\t\f\r ]+)")
_LONGEST_NUMBER = 9
_NOTHING: Mapping[str, str] = {}


def announced(line: str) -> list[Heredoc]:
    """Return the heredocs of a line, still without bodies.

    Raises
    ------
    UnreadableError
        The word after ``<<`` cannot be read.
    """
    keeps = frozenset(("quotes", "escapes", "unset"))
    try:
        words = split(_glued(Reader(line, _NOTHING, "\\", keeps=keeps).to_the_end()))
    except SubstitutionError:
        return []
    try:
        found = [heredoc(word) for word in words if "<<" in word]
    except SubstitutionError as error:
        raise UnreadableError(str(error)) from error
    return [doc for doc in found if doc is not None]


def _glued(segments: list[Segment]) -> list[Segment]:
    """Return segments in which blanks after ``<<`` do not split."""
    return [
        (piece, is_quoted or bool(number % 2))
        for text, is_quoted in segments
        for number, piece in enumerate(_BLANKS_INSIDE.split(text) if not is_quoted else [text])
    ]


def heredoc(word: str) -> Heredoc | None:
    """Return the heredoc that a word announces, if it does.

    Raises
    ------
    SubstitutionError
        Its own word cannot be read.
    """
    found = _ANNOUNCED.fullmatch(word)
    if found is None:
        return None
    name, quoted = _word(found[3]), _word(found[3], "quotes")
    if name is None or quoted is None:
        return None
    expands = _quotes(name) == _quotes(quoted)
    descriptor = int(found[1]) if found[1] and len(found[1]) <= _LONGEST_NUMBER else 0
    return Heredoc(name, expands=expands, strips_tabs=bool(found[2]), descriptor=descriptor)


def _word(text: str, *keeps: str) -> str | None:
    """Return a text without quotes, if it is one word."""
    words = split(Reader(text, _NOTHING, "\\", keeps=frozenset(("unset", *keeps))).to_the_end())
    return words[0] if len(words) == 1 else None


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')
