"""Names that are nearly right: what the newer builders ask when they know no such instruction or flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOO_FAR = 3


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return the question, or nothing when no name is near.

    Of names that are equally near the engines take any; here it is the first.
    """
    near = nearest(word, sorted(names))
    return f" (did you mean {near}?)" if near else ""


def nearest(word: str, names: Iterable[str]) -> str:
    """Return the first of the names that are nearest to a word but not the word itself; empty when none is near."""
    far = ((_distance(word, name), name) for name in names if abs(len(word) - len(name)) < _TOO_FAR)
    distance, name = min(far, key=lambda one: one[0], default=(_TOO_FAR, ""))
    return name if 0 < distance < _TOO_FAR else ""


def _distance(one: str, other: str) -> int:
    """Return Levenshtein's distance of two words."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], number
        for at, wanted in enumerate(other, 1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (letter != wanted))
    return row[-1]
