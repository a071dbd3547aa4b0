"""JSON documents of images: read into typed values, written byte for byte as Go's encoder does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from layersim.errors import ValidationError
from layersim.image.go_json import shallow, shaped

if TYPE_CHECKING:
    from collections.abc import Callable

    # What JSON can say.
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_T = TypeVar("_T")
_LONGEST_NUMBER = 20
_WRONG_BYTE = re.compile("[\udc80-\udcff]")
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(?P<half>u[dD][89a-fA-F]\w\w)|.)", re.ASCII)
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def decode(raw: bytes, kind: type[_T], name: str) -> _T:
    """Return a document as a typed value; fields that the type does not know are passed over.

    As Go reads them, keys match in any case, a null in a list is an empty value, and text that is no Unicode has
    U+FFFD in the place of what is wrong.

    Raises
    ------
    ValidationError
        It is not JSON, or a field has the wrong type; the message starts with `name`.
    """
    return typed(_read(raw, name), kind, name)


def typed(value: object, kind: type[_T], name: str) -> _T:
    """Return a document that was read, or a part of it, as a typed value.

    Raises
    ------
    ValidationError
        A field has the wrong type; the message starts with `name`.
    """
    return _or_invalid(lambda: msgspec.convert(shaped(value, kind), kind), name)


def decode_untyped(raw: bytes, name: str) -> dict[str, Json]:
    """Return a document that `decode` has read before as a dictionary of whatever it holds."""
    document = _read(raw, name)
    return document if isinstance(document, dict) else {}


def _read(raw: bytes, name: str) -> Json:
    return _or_invalid(lambda: _parsed(_unicode(raw)), name)


def _parsed(text: str) -> Json:
    try:
        # Says of what is no JSON where it ends to be, and reads nothing else.
        msgspec.json.decode(text, type=msgspec.Raw)
        document: Json = json.loads(text, parse_int=_number)
    except RecursionError:
        document = json.loads(shallow(text), parse_int=_number)
    return document


def _or_invalid(read: Callable[[], _T], name: str) -> _T:
    try:
        return read()
    except (msgspec.MsgspecError, json.JSONDecodeError) as error:
        breach = str(error)
    except RecursionError:
        breach = "JSON is nested too deeply"
    raise ValidationError(f"{name}: {breach}", [breach])


def _number(digits: str) -> int | float:
    """Return a whole number; one that no field of an image has is only as exact as a float, and costs no time."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


def _unicode(raw: bytes) -> str:
    """Return JSON text in which every character is one."""
    # Go replaces each wrong byte by itself, not a run of them.
    return _ESCAPE.sub(_paired, _WRONG_BYTE.sub("\ufffd", raw.decode("utf-8", "surrogateescape")))


def _paired(escape: re.Match[str]) -> str:
    """Return an escape, unless it is half of a pair."""
    return "\\ufffd" if escape["half"] else escape[0]


def encode(value: Json, indent: int | None = None) -> bytes:
    """Return JSON with keys in the given order, escaped and indented as Go does; without an indent it is compact."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":" if indent is None else ": "), indent=indent)
    return text.translate(_ESCAPED).encode("utf-8", "surrogatepass")


def encode_sorted(value: dict[str, Json]) -> bytes:
    """Return the same with the outermost keys sorted, as the engine writes image configs."""
    return encode({key: value[key] for key in sorted(value)})
