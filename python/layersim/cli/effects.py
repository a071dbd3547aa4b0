"""Tables of declared effects, as JSON or TOML files: a pattern, and what `layersim.effect` takes."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layersim.build.running import effect, first_words, runs
from layersim.cli.failure import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim.build.running import Effect, RunStep, RunTable

_OCTAL = 8


def read_effects(path: str | None, *, or_sandbox: bool = False) -> RunTable:
    """Read a table of effects; without a file, one that declares nothing.

    Parameters
    ----------
    path : str or None
        The file, JSON or TOML.
    or_sandbox : bool, default False
        Whether the command could execute what is not declared.

    Raises
    ------
    InputError
        It cannot be read, or says what no effect can be.
    """
    try:
        parsed = _parsed(Path(path)) if path is not None else {}
        table = runs({pattern: _effect(pattern, words) for pattern, words in parsed.items()})
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(path or "", error) from error
    return replace(table, ways=partial(_ways, path=path, or_sandbox=or_sandbox))


def _ways(step: RunStep, *, path: str | None, or_sandbox: bool) -> str:
    """Say how the effect of a step is declared on the command line."""
    line = json.dumps({first_words(step): {"writes": {"/path": "40MB"}, "seconds": 1}})[1:-1]
    place = f"in {path}" if path is not None else "in a file for --effects"
    executed = ", or have it executed with --sandbox" if or_sandbox else ""
    return f'declare it {place}: {line}, or let all else do nothing with a last pattern: "*": {{}}{executed}'


def _parsed(path: Path) -> Mapping[str, object]:
    text = path.read_text("utf-8")
    table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    return _mapping(table)


def _effect(pattern: str, words: object) -> Effect:
    given: dict[str, Any] = {}
    for name, value in _mapping(words).items():
        if name not in _READERS:
            raise ValueError(f"{pattern}: {name}: expected one of {', '.join(_READERS)}")
        try:
            given[name] = _READERS[name](value)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{pattern}: {name}: {error}") from error
    try:
        return effect(**given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{pattern}: {error}") from error


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"expected names and values, got {value!r}")
    return value


def _by_path(read: Callable[[Any], object]) -> Callable[[object], object]:
    return lambda value: {path: read(one) for path, one in _mapping(value).items()}


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _size(value: object) -> int | str:
    return value if isinstance(value, str) else _whole(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {value!r}")
    return value


def _words(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of paths, got {value!r}")
    return [_text(one) for one in value]


def _pair(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) != len(("first", "second")):
        raise TypeError(f"expected two values, got {value!r}")
    return value


def _counted(value: object) -> tuple[int, int | str]:
    number, total = _pair(value)
    return _whole(number), _size(total)


def _mode(value: object) -> int:
    """Read permission bits; JSON has no octal numbers, so a text is one."""
    return int(value, _OCTAL) if isinstance(value, str) else _whole(value)


def _owner(value: object) -> int | tuple[int, int]:
    if not isinstance(value, list):
        return _whole(value)
    uid, gid = _pair(value)
    return _whole(uid), _whole(gid)


def _seconds(value: object) -> float:
    return value if isinstance(value, float) else float(_whole(value))


_READERS: Mapping[str, Callable[[Any], object]] = {
    "writes": _by_path(_size),
    "files": _by_path(_counted),
    "removes": _words,
    "mkdirs": _words,
    "symlinks": _by_path(_text),
    "modes": _by_path(_mode),
    "owners": _by_path(_owner),
    "uses": _words,
    "seconds": _seconds,
    "seed": _whole,
}
