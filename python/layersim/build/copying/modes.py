"""``--chmod``: octal, and in newer engines the words of ``chmod``."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from layersim.build.context.dialect import is_old_buildkit
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.build.context import Dialect

PERMISSIONS, RWX, SPECIAL = 0o7777, 0o777, 0o7000
_UMASK = 0o022
"""What the engine takes from the mode of a directory that it makes; what it copies gets the whole mode."""
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=][rwxXst]*|[-+=][ugo])+)")
_ACTION = re.compile(r"([-+=])([rwxXst]*|[ugo])(?![rwxXstugo])")
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 4, "w": 2, "x": 1}


class Mode:
    """What ``--chmod`` makes of modes.

    Attributes
    ----------
    of : callable
        The permission bits of a copied entry, given its ``st_mode``.
    made : int or None
        Those of the directories that are made on the way, if they get any.
    """

    def __init__(self, of: Callable[[int], int], made: int | None = None) -> None:
        self.of = of
        self.made = made


def read_mode(text: str | None, dialect: Dialect) -> Mode:
    """Return what a ``--chmod`` says; without one modes stay.

    Raises
    ------
    BuildError
        In BuildKit's words, for one that is no mode.
    """
    if text is None:
        return Mode(lambda mode: mode & PERMISSIONS)
    if is_old_buildkit(dialect):
        return _old(text)
    if text[:1].isdigit():
        return _octal(text)
    clauses = [_parsed(clause) for clause in text.split(",")]
    return Mode(lambda mode: _changed(mode, clauses))


def counted_mode(text: str) -> str:
    """Return a ``--chmod`` as BuildKit's keys have it: an octal number without the zeros before it."""
    return f"{int(text, 8):o}" if re.fullmatch("[0-7]+", text) else text


def _old(text: str) -> Mode:
    """As 20.10: what is not octal is no mode, and only ``rwx`` change."""
    if not re.fullmatch("[0-7]+", text):
        return Mode(lambda mode: mode & PERMISSIONS)
    bits = int(text, 8) & RWX
    return Mode(lambda mode: mode & SPECIAL | bits)


def _octal(text: str) -> Mode:
    if not re.fullmatch("[0-7]+", text) or int(text, 8) > PERMISSIONS:
        raise BuildError(f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777")
    bits = int(text, 8)
    return Mode(lambda _mode: bits, bits & RWX & ~_UMASK)


def _parsed(clause: str) -> tuple[str, list[tuple[str, str]]]:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        raise BuildError("invalid syntax")
    return found[1], _ACTION.findall(found[2])


def _changed(mode: int, clauses: list[tuple[str, list[tuple[str, str]]]]) -> int:
    for who, actions in clauses:
        for operator, words in actions:
            mode = _applied(mode, who, operator, words)
    return mode & PERMISSIONS


def _applied(mode: int, who: str, operator: str, words: str) -> int:
    classes = "ugo" if "a" in who or not who else who
    bits = _named(mode, classes, words)
    # "=" for nobody in particular takes nothing away.
    if operator == "+" or (operator == "=" and not who and words):
        return mode | bits
    if operator == "-":
        return mode & ~bits
    cleared = sum(0o7 << _SHIFTS[name] for name in set(classes))
    if words not in _SHIFTS:
        cleared |= _set_ids(classes)
    return mode & ~cleared | bits


def _set_ids(classes: str) -> int:
    return (stat.S_ISUID if "u" in classes else 0) | (stat.S_ISGID if "g" in classes else 0)


def _named(mode: int, classes: str, words: str) -> int:
    """Return the bits that the words mean for some classes."""
    if words in _SHIFTS:
        own = mode >> _SHIFTS[words] & 0o7
    else:
        own = sum(_BITS.get(word, 0) for word in set(words))
        own |= 1 if "X" in words and (stat.S_ISDIR(mode) or mode & 0o111) else 0
    bits = 0
    for name in set(classes):
        bits |= own << _SHIFTS[name]
    if "s" in words:
        bits |= _set_ids(classes)
    return bits | (stat.S_ISVTX if "t" in words and set(classes) - {"o"} else 0)
