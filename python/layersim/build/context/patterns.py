"""Patterns as Go's ``filepath.Match`` reads them, as regular expressions."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from layersim.errors import BuildError

_SPECIAL = frozenset("*?[")
_IN_CLASS = frozenset("[&|~")


def clean(path: str) -> str:
    """Return a path as Go's ``filepath.Clean`` writes it: ``.`` for nothing, and never two slashes in front."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def is_wild(word: str) -> bool:
    """Tell whether a source has a wildcard that no backslash escapes."""
    at = 0
    while at < len(word):
        if word[at] == "\\":
            at += 1
        elif word[at] in _SPECIAL:
            return True
        at += 1
    return False


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the expression that matches what a pattern does.

    Raises
    ------
    BuildError
        For a malformed pattern.
    """
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "[":
            part, at = _class(pattern, at)
        elif letter == "\\":
            part, at = re.escape(_escaped(pattern, at)), at + 2
        else:
            part, at = {"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter), at + 1
        parts.append(part)
    return re.compile("".join(parts), re.DOTALL)


def _escaped(pattern: str, at: int) -> str:
    if at + 1 >= len(pattern):
        raise BuildError("syntax error in pattern")
    return pattern[at + 1]


def _class(pattern: str, start: int) -> tuple[str, int]:
    """Return the class that begins at a bracket, and where it ends."""
    at = start + 1
    is_negated = pattern[at : at + 1] == "^"
    at += is_negated
    ranges: list[str] = []
    while not ranges or pattern[at : at + 1] != "]":
        low, at = _bound(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _bound(pattern, at + 1)
        # A range from high to low holds nothing; so does this.
        ranges.append(f"[{_in_class(low)}-{_in_class(high)}]" if low <= high else "(?!)")
    inside = "|".join(ranges)
    return f"(?!{inside})." if is_negated else f"(?:{inside})", at + 1


def _in_class(letter: str) -> str:
    return "\\" + letter if letter in _IN_CLASS else re.escape(letter)


def _bound(pattern: str, at: int) -> tuple[str, int]:
    """Return one end of a range, and where the next thing begins."""
    if at >= len(pattern) or pattern[at] in "-]":
        raise BuildError("syntax error in pattern")
    if pattern[at] == "\\":
        return _escaped(pattern, at), at + 2
    if at + 1 >= len(pattern):
        raise BuildError("syntax error in pattern")
    return pattern[at], at + 1
