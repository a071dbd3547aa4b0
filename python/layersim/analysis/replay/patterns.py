"""Paths and globs of effects, and source words of COPY, as functions of a path alone."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from layersim.build.context.patterns import clean, compiled, is_wild

if TYPE_CHECKING:
    from collections.abc import Callable

_ANY_DEPTH = "**"


@lru_cache(maxsize=1024)
def glob(pattern: str) -> re.Pattern[str]:
    """Return what matches the paths that an absolute path or glob of an effect names, and no path below them."""
    return re.compile(_expression(pattern), re.DOTALL)


@lru_cache(maxsize=1024)
def glob_below(pattern: str) -> re.Pattern[str]:
    """Return what matches the paths that a glob names, and all below them."""
    return re.compile(f"{_expression(pattern)}(?:/.*)?", re.DOTALL)


def _expression(pattern: str) -> str:
    words = [word for word in pattern.split("/") if word]
    parts = [_component(word, is_last=at == len(words)) for at, word in enumerate(words, start=1)]
    return "".join(parts)


def _component(word: str, *, is_last: bool) -> str:
    if word == _ANY_DEPTH:
        return f"(?:/[^/]+){'+' if is_last else '*'}"
    return f"/{compiled(word.replace('[!', '[^')).pattern}"


def sources(word: str) -> Callable[[str], tuple[str, bool] | None]:
    """Return what a source word of COPY or ADD names.

    Parameters
    ----------
    word : str
        After substitution.

    Returns
    -------
    callable
        Of a path relative to the root: None where the word does not name it; else the path relative to the directory
        that the word names, or the name of the file that it names, and whether it is this file.
    """
    if is_wild(word):
        return _wild(clean(word.lstrip("/")))
    name = posixpath.normpath("/" + word).lstrip("/")
    start = f"{name}/" if name else ""

    def named(path: str) -> tuple[str, bool] | None:
        if path == name:
            return posixpath.basename(name), True
        return (path[len(start) :], False) if path.startswith(start) else None

    return named


def _wild(pattern: str) -> Callable[[str], tuple[str, bool] | None]:
    fits, depth = compiled(pattern).fullmatch, pattern.count("/") + 1

    def named(path: str) -> tuple[str, bool] | None:
        parts = path.split("/")
        if len(parts) < depth or not fits("/".join(parts[:depth])):
            return None
        return (parts[-1], True) if len(parts) == depth else ("/".join(parts[depth:]), False)

    return named
