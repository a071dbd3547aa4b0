"""Patterns of substitutions: ``*`` and ``?``, matched in time that grows with the length of both texts alone.

The engines turn a pattern into a regular expression, in which a wildcard stops at the end of a line. Here the places
that a match may have reached are the bits of one number, and each token of the pattern moves them all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layersim.build.dockerfile.faults import SubstitutionError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY: Final = "any"
_ONE: Final = "one"
_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def without_prefix(value: str, pattern: str, *, is_longest: bool) -> str:
    """Return a value without the shortest or longest beginning that a pattern matches."""
    end = _Places(value).end(_tokens(pattern), 0, is_longest=is_longest)
    return value if end is None else value[end:]


def without_suffix(value: str, pattern: str, *, is_longest: bool) -> str:
    """Return a value without the shortest or longest end that a pattern matches."""
    return without_prefix(value[::-1], _reversed(pattern), is_longest=is_longest)[::-1]


def replaced(value: str, pattern: str, text: str, *, is_all: bool) -> str:
    """Return a value in which what a pattern matches is replaced, the first time or each time.

    Only where all matches are replaced, ``$`` in the text means something: what Go's package regexp makes of it.
    """
    tokens = _tokens(pattern)
    places = _Places(value)
    starts = _Places(value[::-1]).ends_from_anywhere(tokens[::-1])
    pieces: list[str] = []
    copied, at, last_end = 0, 0, -1
    while (start := _next_start(starts, at, len(value))) is not None:
        end = places.end(tokens, start, is_longest=True)
        if end is None:
            break
        if end > start or start != last_end:
            found = value[start:end]
            pieces += [value[copied:start], _filled(text, found) if is_all else text]
            copied, last_end = end, end
        if not is_all:
            break
        at = end if end > start else end + 1
    return "".join([*pieces, value[copied:]])


def _next_start(starts: int, at: int, length: int) -> int | None:
    """Return the first place at or after another at which a match can begin; bits count from the value's end."""
    below = starts & ((1 << max(length - at + 1, 0)) - 1)
    return length - (below.bit_length() - 1) if below else None


def _filled(text: str, found: str) -> str:
    """Fill a template: group 0 is what was found, and there are no others."""
    return _TEMPLATE.sub(lambda part: "$" if part[1] else found if (part[2] or part[3]) == "0" else "", text)


def _tokens(pattern: str) -> list[str]:
    """Return the wildcards and characters of a pattern.

    Raises
    ------
    SubstitutionError
        An escape stands before a character that needs none.
    """
    tokens = []
    letters = iter(pattern)
    for letter in letters:
        if letter != "\\":
            tokens.append({"*": _ANY, "?": _ONE}.get(letter, letter))
            continue
        escaped = next(letters, "\ufffd")
        if escaped not in "}/*?\\":
            message = f"invalid pattern ({pattern}) in substitution: invalid escape '\\{escaped}'"
            raise SubstitutionError(message)
        tokens.append(escaped)
    return tokens


def _reversed(pattern: str) -> str:
    """Reverse a pattern, each escape before its own character."""
    return "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))


class _Places:
    """The places between the characters of a value, as bits."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._all = (1 << len(value)) - 1
        self._lines = self._all & ~self._of("\n")

    def _of(self, letter: str) -> int:
        """Return the places that a character follows."""
        found, at = 0, self._value.find(letter)
        while at >= 0:
            found |= 1 << at
            at = self._value.find(letter, at + 1)
        return found

    def end(self, tokens: Sequence[str], start: int, *, is_longest: bool) -> int | None:
        """Return where the shortest or longest match that begins at a place ends."""
        reached = self._reached(tokens, 1 << start)
        if not reached:
            return None
        return (reached.bit_length() if is_longest else (reached & -reached).bit_length()) - 1

    def ends_from_anywhere(self, tokens: Sequence[str]) -> int:
        """Return the places at which some match ends."""
        return self._reached(tokens, (self._all << 1) | 1)

    def _reached(self, tokens: Sequence[str], places: int) -> int:
        followed: dict[str, int] = {_ONE: self._lines}
        for token in tokens:
            if not places:
                break
            if token == _ANY:
                places = self._spread(places)
                continue
            if token not in followed:
                followed[token] = self._of(token)
            places = (places & followed[token]) << 1
        return places

    def _spread(self, places: int) -> int:
        """Return all places that can be reached within a line, twice as far in each step."""
        lines, step = self._lines, 1
        while step <= len(self._value):
            places |= (places & lines) << step
            lines &= lines >> step
            step <<= 1
        return places
