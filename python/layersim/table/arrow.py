"""Columns in Apache Arrow's memory format, which pandas, polars, pyarrow and DuckDB take as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from layersim.table.columns import Column, to_array

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized
    from types import ModuleType

    from nanoarrow.c_array import CArray
    from nanoarrow.c_array_stream import CArrayStream
    from numpy.typing import NDArray


def record_batch(columns: Sequence[Column], values: Sequence[Sequence[Any]], length: int) -> CArray:
    """Return columns as a nanoarrow array of structs.

    Parameters
    ----------
    columns : sequence of Column
        What they hold.
    values : sequence of sequences
        The values of each. Surrogates in a text, which Arrow's UTF-8 has no room for, become question marks.
    length : int
        How many values each column has.
    """
    arrow = _nanoarrow()
    arrays = [_array(column, held) for column, held in zip(columns, values, strict=True)]
    members = {column.name: array.schema for column, array in zip(columns, arrays, strict=True)}
    schema = arrow.struct(members, nullable=False)
    return arrow.c_array_from_buffers(schema, length, [None], null_count=0, children=arrays)


def stream_of(batch: CArray) -> CArrayStream:
    """Return a record batch as a stream of one batch, which can be read once."""
    return _nanoarrow().c_array_stream(batch)


def _nanoarrow() -> ModuleType:
    return import_module("nanoarrow")  # loaded when the first table is handed over, not with layersim


def _array(column: Column, values: Sequence[Any]) -> CArray:
    validity = None
    if None in values:
        validity = _bits(np.fromiter((value is not None for value in values), dtype=np.bool_, count=len(values)))
        values = [_BLANKS[column.type] if value is None else value for value in values]
    if column.type is str:
        return _texts(column, values, validity)
    if column.type is tuple:
        return _lists(column, values, validity)
    return _numbers(column, values, validity)


def _numbers(column: Column, values: Sequence[Any], validity: NDArray[np.uint8] | None) -> CArray:
    array = to_array(values, column._replace(is_optional=False))
    arrow, nullable = _nanoarrow(), column.is_optional
    buffer = array
    match array.dtype.kind:
        case "b":
            schema, buffer = arrow.bool_(nullable), _bits(array)
        case "M":
            schema, buffer = arrow.timestamp("us", "UTC", nullable), array.view(np.int64)
        case "f":
            schema = arrow.float64(nullable)
        case "u":
            schema = arrow.uint64(nullable)
        case _:
            schema = arrow.int64(nullable)
    return arrow.c_array_from_buffers(schema, len(array), [validity, buffer])


def _texts(column: Column, values: Sequence[str], validity: NDArray[np.uint8] | None) -> CArray:
    arrow = _nanoarrow()
    encoded = [value.encode(errors="replace") for value in values]
    buffers = [validity, _offsets(encoded), b"".join(encoded)]
    return arrow.c_array_from_buffers(arrow.string(column.is_optional), len(encoded), buffers)


def _lists(column: Column, values: Sequence[tuple[str, ...]], validity: NDArray[np.uint8] | None) -> CArray:
    arrow = _nanoarrow()
    items = _texts(Column("item", str, is_optional=False), list(chain.from_iterable(values)), None)
    schema = arrow.list_(items.schema, column.is_optional)
    return arrow.c_array_from_buffers(schema, len(values), [validity, _offsets(values)], children=[items])


def _offsets(values: Sequence[Sized]) -> NDArray[np.int32]:
    """Return where each value begins, and where the last one ends."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, values), dtype=np.int64, count=len(values)), out=offsets[1:])
    return offsets


def _bits(flags: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.packbits(flags, bitorder="little")


# What stands where there is nothing; nobody looks at it.
_BLANKS: dict[type, object] = {
    int: 0,
    float: 0.0,
    bool: False,
    str: "",
    datetime: datetime(1970, 1, 1, tzinfo=UTC),
    tuple: (),
}
