"""Rows turned into columns: what each field of a row's class holds, and one numpy array for each."""

from __future__ import annotations

import types
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from numbers import Rational
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, Union, get_args, get_origin, get_type_hints

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

# Rows name it where only a type checker looks.
_NAMES = {"datetime": datetime}
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_LARGEST_INT64 = 2**63 - 1


class Column(NamedTuple):
    """One field of a row's class.

    Attributes
    ----------
    name : str
    type : type
        What its values are: int, float, bool, str, datetime, or tuple, which stands for a tuple of str.
    is_optional : bool
        Whether a value may be None.
    """

    name: str
    type: type
    is_optional: bool


def columns_of(kind: type) -> tuple[Column, ...]:
    """Return the columns of a row's class, a dataclass, in the order of its fields.

    Raises
    ------
    TypeError
        A field is of a type that has no column.
    NameError
        A field is of a type that its module knows only while it is checked.
    """
    hints = get_type_hints(kind, localns=_NAMES)
    return tuple(_column(kind, field.name, hints[field.name]) for field in fields(kind))


def values_of(rows: Iterable[object], columns: Sequence[Column]) -> list[tuple[Any, ...]]:
    """Return the values of each column."""
    pick = attrgetter(*(column.name for column in columns))
    picked = [pick(row) for row in rows]
    if len(columns) == 1:
        return [tuple(picked)]
    return list(zip(*picked, strict=True)) if picked else [()] * len(columns)


def to_array(values: Sequence[Any], column: Column) -> NDArray[Any]:
    """Return a column as an array of its own, which nobody else holds.

    None is NaT among points in time; other optional values stay what they are in Python.
    """
    if column.is_optional and column.type is not datetime:
        return _objects(values)
    return _ARRAYS[column.type](values)


def _column(kind: type, name: str, hint: object) -> Column:
    is_union = get_origin(hint) in {Union, types.UnionType}
    present = [part for part in get_args(hint) if part is not types.NoneType] if is_union else [hint]
    held = _held(present[0]) if len(present) == 1 else None
    if held is None:
        raise TypeError(f"no column for {kind.__name__}.{name}: {hint}")
    return Column(name, held, is_union)


def _held(hint: object) -> type | None:
    is_fraction = isinstance(hint, type) and issubclass(hint, Rational) and hint not in _TYPES
    return float if is_fraction else _TYPES.get(hint)


def _integers(values: Sequence[int]) -> NDArray[Any]:
    # Negative numbers and those beyond 2**63 do not meet in one column.
    return np.array(values, dtype=np.int64 if max(values, default=0) <= _LARGEST_INT64 else np.uint64)


def _floats(values: Sequence[SupportsFloat]) -> NDArray[Any]:
    return np.fromiter(map(float, values), dtype=np.float64, count=len(values))


def _moments(values: Sequence[datetime | None]) -> NDArray[Any]:
    unknown = np.iinfo(np.int64).min  # what numpy keeps for NaT
    passed = (unknown if value is None else (value - _EPOCH) // _MICROSECOND for value in values)
    return np.fromiter(passed, dtype=np.int64, count=len(values)).view("datetime64[us]")


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    return np.fromiter(values, dtype=object, count=len(values))


_TYPES: dict[Any, type] = {
    int: int,
    float: float,
    bool: bool,
    str: str,
    datetime: datetime,
    tuple[str, ...]: tuple,
}
_ARRAYS: dict[type, Callable[[Sequence[Any]], NDArray[Any]]] = {
    int: _integers,
    float: _floats,
    bool: lambda values: np.array(values, dtype=np.bool_),
    str: _objects,
    datetime: _moments,
    tuple: _objects,
}
