"""JSON documents of images: read into typed values, written byte for byte as Go's encoder does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import msgspec

from layersim.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    # What JSON can say.
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_T = TypeVar("_T")
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def decode(raw: bytes, kind: type[_T], name: str) -> _T:
    """Return a document as a typed value; fields that the type does not know are passed over.

    Raises
    ------
    ValidationError
        It is not JSON, or a field has the wrong type; the message starts with `name`.
    """
    return _decode(lambda: msgspec.json.decode(raw, type=kind), name)


def decode_untyped(raw: bytes, name: str) -> dict[str, Json]:
    """Return a JSON object as a dictionary of whatever it holds."""
    return _decode(lambda: msgspec.json.decode(raw, type=dict), name)


def _decode(read: Callable[[], _T], name: str) -> _T:
    try:
        return read()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        breach = str(error)
    except RecursionError:
        breach = "JSON is nested too deeply"
    raise ValidationError(f"{name}: {breach}", [breach])


def encode(value: Json) -> bytes:
    """Return compact JSON with keys in the given order, escaped as Go's ``json.Marshal`` does."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED).encode("utf-8", "surrogatepass")


def encode_sorted(value: dict[str, Json]) -> bytes:
    """Return the same with the outermost keys sorted, as the engine writes image configs."""
    return encode({key: value[key] for key in sorted(value)})
