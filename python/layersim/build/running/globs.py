"""Paths of an overlay by pattern, and the removal of what they name."""

from __future__ import annotations

import posixpath
import re
import stat
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim._core import Overlay

_MAGIC = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"


def absolute(path: str, cwd: str) -> str:
    """Return a path without `.` and `..`, from the root on."""
    return "/" + posixpath.normpath(posixpath.join("/", cwd, path)).lstrip("/")


def matching(fs: Overlay, pattern: str) -> list[str]:
    """Return what there is of an absolute path or glob, sorted; links are taken as they are."""
    if not _MAGIC.search(pattern):
        return [pattern] if _is_there(fs, pattern) else []
    return sorted(set(_below(fs, "", pattern.strip("/").split("/"))))


def _below(fs: Overlay, place: str, words: list[str]) -> Iterator[str]:
    if not words:
        yield place
        return
    word, rest = words[0], words[1:]
    if word == _ANY_DEPTH:
        yield from _at_any_depth(fs, place, words)
    elif not _MAGIC.search(word):
        if _is_there(fs, f"{place}/{word}"):
            yield from _below(fs, f"{place}/{word}", rest)
    else:
        for name in _names(fs, place):
            if fnmatchcase(name, word):
                yield from _below(fs, f"{place}/{name}", rest)


def _at_any_depth(fs: Overlay, place: str, words: list[str]) -> Iterator[str]:
    rest = words[1:]
    yield from _below(fs, place, rest) if rest else ()
    for name in _names(fs, place):
        here = f"{place}/{name}"
        if not rest:
            yield here
        if is_directory(fs, here):
            yield from _at_any_depth(fs, here, words)


def _names(fs: Overlay, place: str) -> list[str]:
    """List a directory; what is none has no names."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return fs.listdir(place or "/")
    return []


def _is_there(fs: Overlay, path: str) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError):
        fs.lstat(path)
        return True
    return False


def is_directory(fs: Overlay, path: str) -> bool:
    """Whether a path is a directory itself, not a link to one."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return stat.S_ISDIR(fs.lstat(path).st_mode)
    return False


def remove_tree(fs: Overlay, path: str) -> None:
    """Remove a path with all that is in it, as `rm -rf` does; nothing for one that is not there."""
    waiting = [path]
    while waiting:
        place = waiting[-1]
        inner = [f"{place.rstrip('/')}/{name}" for name in fs.listdir(place)] if is_directory(fs, place) else None
        if inner:
            waiting += inner
            continue
        waiting.pop()
        with suppress(FileNotFoundError, NotADirectoryError):
            if inner is None:
                fs.unlink(place)
            elif place != "/":
                fs.rmdir(place)
