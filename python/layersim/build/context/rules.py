"""One line of a ``.dockerignore``: what it matches, told by each engine's own matcher."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from layersim.build.context.dialect import OLD
from layersim.build.context.patterns import compiled
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable

_ESCAPED = {20: frozenset(".$"), 29: frozenset(".+()|{}$")}
_WILD = frozenset("*[]?^\\")

Shape = Literal["exact", "prefix", "suffix", "expression"]


@dataclass(frozen=True)
class Rule:
    """A pattern, cleaned.

    Attributes
    ----------
    text : str
        Without the ``!``.
    is_exception : bool
        Whether it takes back what lines before it exclude.
    parts : int
        Its components, as many as a parent must have that it is compared with (20.10).
    depth : int or None
        The one number of components that a path can have to be matched, if there is only one.
    matches : callable
        Whether it matches a path, its parents left aside.
    """

    text: str
    is_exception: bool
    parts: int
    depth: int | None
    matches: Callable[[str], bool]

    @classmethod
    def of(cls, pattern: str, generation: Literal[20, 29]) -> Rule:
        """Read a pattern that is cleaned already.

        Raises
        ------
        BuildError
            In the engine's words, for a malformed one.
        """
        is_exception = pattern.startswith("!")
        text = pattern[1:] if is_exception else pattern
        if not text:
            raise BuildError('illegal exclusion pattern: "!"')
        compiled(text)  # the engine checks the syntax with another matcher than it uses
        shape, expression = _translated(text, _ESCAPED[generation])
        matches = _simple(shape, text) if generation != OLD and shape != "expression" else _by(expression)
        parts = text.count("/") + 1
        is_deep = "**" in text or "[" in text or (generation == OLD and bool(frozenset("()|{}") & set(text)))
        return cls(text, is_exception, parts, None if is_deep else parts, matches)

    def without_trailing_glob(self) -> str:
        """Return the text without ``/**`` or ``/*`` at the end: the directory that it speaks of."""
        return self.text.removesuffix("/**").removesuffix("/*")

    def is_plain_exception(self) -> bool:
        """Whether it is no exception, or one whose directory has no wildcard."""
        return not (self.is_exception and _WILD & set(self.without_trailing_glob()))


def _by(expression: str) -> Callable[[str], bool]:
    try:
        found = re.compile(expression).fullmatch
    except re.error as error:
        raise BuildError("syntax error in pattern") from error
    return lambda path: found(path) is not None


def _simple(shape: Shape, text: str) -> Callable[[str], bool]:
    """Return the comparison of a pattern that is not worth an expression."""
    if shape == "prefix":
        prefix = text[:-2]
        return lambda path: path.startswith(prefix)
    if shape == "suffix":
        suffix = text[2:]
        whole = suffix.removeprefix("/") if suffix.startswith("/") else None
        return lambda path: path.endswith(suffix) or path == whole
    return text.__eq__


def _translated(text: str, escaped: frozenset[str]) -> tuple[Shape, str]:
    """Return how a pattern is compared, and the expression that the engine makes of it."""
    shape: Shape = "exact"
    parts: list[str] = []
    at = 0
    while at < len(text):
        start, letter = at, text[at]
        at += 1
        if text.startswith("**", start):
            at = start + 3 if text.startswith("/", start + 2) else start + 2
            is_last = at >= len(text)
            parts.append(".*" if is_last else "(?:.*/)?")
            shape = "prefix" if is_last and shape == "exact" else "expression"
            shape = "suffix" if start == 0 else shape
            continue
        if letter == "\\" and at < len(text):
            letter, at = "\\" + text[at], at + 1
        part, is_wild = _letter(letter, escaped)
        parts.append(part)
        shape = "expression" if is_wild else shape
    return shape, "".join(parts)


def _letter(letter: str, escaped: frozenset[str]) -> tuple[str, bool]:
    """Return the part of an expression that a letter becomes, and whether it needs one."""
    if letter in {"*", "?"}:
        return ("[^/]*" if letter == "*" else "[^/]"), True
    if letter in escaped:
        return "\\" + letter, False
    if len(letter) > 1:
        return re.escape(letter[1:]), True
    return ("\\\\" if letter == "\\" else letter), letter in "[]"
