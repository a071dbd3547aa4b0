"""Reading JSON as Go's decoder does where it differs from others: the case of keys, nulls in lists, deep nesting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

import msgspec

# Go refuses what is nested deeper.
_DEEPEST = 10_000
# Levels that a parser is given at once; Python's own refuse a thousand.
_AT_ONCE = 200
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_ZEROS: dict[object, object] = {str: "", int: 0, bool: False}


def shaped(value: object, kind: object) -> object:
    """Return a document with the keys of its type as the type spells them, and a zero value for each null of a list.

    Parameters
    ----------
    value : JSON
        As it was read.
    kind : type
        A struct, or a list, mapping or union of what may be there.
    """
    members = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
    if isinstance(value, dict):
        return next((_object(value, member) for member in members if _is_object(member)), value)
    if isinstance(value, list):
        found = next((member for member in members if get_origin(member) in {list, tuple}), None)
        return value if found is None else [_element(item, get_args(found)[0]) for item in value]
    return value


def _is_object(kind: object) -> bool:
    return _is_struct(kind) or get_origin(kind) in {dict, Mapping}


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _object(value: dict[str, object], kind: object) -> dict[str, object]:
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        return {key: _element(item, get_args(kind)[1]) for key, item in value.items()}
    spelled, found = _fields(kind), dict[str, object]()
    for key, item in value.items():
        name, field = spelled.get(_folded(key), (key, object))
        # A null changes nothing, whatever an equal key said before.
        if item is not None:
            found[name] = shaped(item, field)
    return found


def _element(value: object, kind: object) -> object:
    if value is not None or NoneType in get_args(kind):
        return shaped(value, kind)
    return {} if _is_object(kind) else _ZEROS.get(kind)


@lru_cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, tuple[str, object]]:
    """Return how the fields of a struct are spelled in JSON, and their types, by their names without case."""
    types = get_type_hints(kind)
    names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    return {_folded(spelled): (spelled, types[name]) for spelled, name in names}


def _folded(key: str) -> str:
    # What Go's folding takes for an ASCII letter: the Kelvin sign, which `lower` knows, and the long s.
    return key.replace("\u017f", "s").lower()


def shallow(text: str) -> str:
    """Return JSON in which null stands for what is nested too deep for the parser, once it is known to be JSON.

    Raises
    ------
    RecursionError
        It is nested deeper than Go reads.
    msgspec.DecodeError
        What is nested deep is no JSON.
    """
    depth, start, parts = 0, 0, [list[str]()]
    for token in _TOKEN.finditer(text):
        if token[0] in {"[", "{"}:
            depth += 1
            if depth > _DEEPEST:
                raise RecursionError
            if depth % _AT_ONCE == 0:
                parts[-1].append(text[start : token.start()])
                parts.append([])
                start = token.start()
        elif token[0] in {"]", "}"} and depth:
            if depth % _AT_ONCE == 0:
                inner = "".join([*parts.pop(), text[start : token.end()]])
                msgspec.json.decode(inner, type=msgspec.Raw)
                parts[-1].append("null")
                start = token.end()
            depth -= 1
    if len(parts) > 1:
        raise msgspec.DecodeError("Input data was truncated")
    return "".join([*parts[0], text[start:]])
