"""The forms of arguments: JSON arrays, names with values, and plain lists."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, NoReturn

import msgspec

from layersim.build.dockerfile.faults import UnreadableError
from layersim.build.dockerfile.golang import go_quote
from layersim.build.dockerfile.instructions import Command
from layersim.build.dockerfile.words import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.build.dockerfile.dialect import Dialect

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_STRINGS = msgspec.json.Decoder(tuple[str, ...])
_NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"


def json_words(text: str, dialect: Dialect) -> tuple[str, ...] | None:
    """Return the strings of a JSON array, or None if the text is none.

    Raises
    ------
    UnreadableError
        It is an array of other things than strings.
    """
    if text[:1] != "[":
        return None
    words = _plain_strings(text)
    return _odd_strings(text, dialect) if words is None else words


def _plain_strings(text: str) -> tuple[str, ...] | None:
    """Return the strings of a plain array of them, several times faster than `_odd_strings`."""
    if not text.isprintable():
        return None
    try:
        return _STRINGS.decode(text)
    except msgspec.MsgspecError:
        return None


def _odd_strings(text: str, dialect: Dialect) -> tuple[str, ...] | None:
    """Return the strings of an array as Go reads it."""
    try:
        # 20.10 does not look at what follows the array.
        found = _DECODER.raw_decode(text)[0] if dialect.is_old else _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in found):
        raise UnreadableError(_NOT_STRINGS)
    return tuple(word if word.isascii() else _LONE_SURROGATE.sub("\ufffd", word) for word in found)


def _number(text: str) -> float:
    """Read a number as Go does, where one that is too large spoils the whole document."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


def _constant(text: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_constant)


def command(text: str, dialect: Dialect) -> Command:
    """Return the command that a text is, in the JSON form or in that of a shell."""
    words = json_words(text, dialect)
    return Command((text,) if text else (), is_shell=True) if words is None else Command(words, is_shell=False)


def json_or_list(text: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the strings of a JSON array, or the words between blanks."""
    words = json_words(text, dialect)
    return blank_separated(text) if words is None else words


def blank_separated(text: str) -> tuple[str, ...]:
    """Return the words between blanks; quotes mean nothing here."""
    return tuple(text.split() if text.isprintable() else _BLANKS.split(text)) if text else ()


def key_values(text: str, keyword: str, escape: str) -> tuple[tuple[str, str], ...]:
    """Return the names and values of ENV or LABEL, in the form with ``=`` or in the old one of one name.

    Raises
    ------
    UnreadableError
        A value or a ``=`` is missing.
    """
    words = split_words(text, escape)
    if not words:
        return ()
    if "=" not in words[0]:
        return (_old_form(text, keyword),)
    return tuple(_pair(word) for word in words)


def _old_form(text: str, keyword: str) -> tuple[str, str]:
    parts = _BLANKS.split(text, maxsplit=1)
    if len(parts) == 1:
        raise UnreadableError(f"{keyword} must have two arguments")
    return parts[0], parts[1]


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise UnreadableError(f"Syntax error - can't find = in {go_quote(word)}. Must be of the form: name=value")
    return name, value


def defaults(words: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """Return the names of ARG, each with its default or None."""
    return tuple((name, value if equals else None) for name, equals, value in (word.partition("=") for word in words))
