"""Tables as columns: numpy arrays whose types come from the rows' class, the same for no rows and for many."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import UTC
from typing import Any

import numpy as np
import pytest

import layersim as ls
from layersim.table import Rows
from layersim.usage import CacheRow, ContainerRow, ImageUsageRow, VolumeRow
from tests.rows import FIRST, SECOND, Everything, Size, small_engine, tables

DTYPES = {
    "whole": "int64",
    "share": "float64",
    "ratio": "float64",
    "flag": "bool",
    "name": "object",
    "created": "datetime64[us]",
    "words": "object",
    "perhaps": "object",
    "perhaps_whole": "object",
    "perhaps_created": "datetime64[us]",
}


@pytest.fixture
def engine() -> ls.Engine:
    return small_engine()


def unlike(array: np.ndarray[Any, Any], values: list[Any]) -> list[tuple[Any, Any]]:
    """Return what differs between a column and the values it was made from."""
    if array.dtype.kind == "M":
        values = [None if value is None else value.astimezone(UTC).replace(tzinfo=None) for value in values]
    found = [value.item() if isinstance(value, np.generic) else value for value in array]
    assert len(found) == len(values)
    return [(one, other) for one, other in zip(found, values, strict=True) if (one, type(one)) != (other, type(other))]


@pytest.mark.parametrize("rows", [[FIRST, SECOND], [FIRST], []], ids=len)
def test_the_class_of_the_rows_decides_the_types(rows: list[Everything]) -> None:
    columns = Rows(rows, Everything).to_dict()
    assert {name: str(array.dtype) for name, array in columns.items()} == DTYPES
    assert {array.shape for array in columns.values()} == {(len(rows),)}


def test_values_stay_what_they_were() -> None:
    columns = Rows([FIRST, SECOND], Everything).to_dict()
    for name, array in columns.items():
        values = [getattr(row, name) for row in (FIRST, SECOND)]
        assert unlike(array, list(map(float, values)) if name == "share" else values) == [], name


def test_the_comparison_can_fail() -> None:
    assert unlike(np.array([1, 2]), [1, 3]) == [(2, 3)]
    assert unlike(np.array([1.0]), [1]) == [(1.0, 1)]


@pytest.mark.parametrize(
    ("sizes", "dtype"),
    [
        ([], "int64"),
        ([-1, 2**63 - 1], "int64"),
        ([0, 2**63], "uint64"),
        ([2**64 - 1], "uint64"),
    ],
)
def test_whole_numbers_are_signed_unless_one_is_too_large(sizes: list[int], dtype: str) -> None:
    array = Rows([Size(size) for size in sizes], Size).to_dict()["size"]
    assert (str(array.dtype), array.tolist()) == (dtype, sizes)


def test_what_no_whole_number_of_64_bits_holds_is_an_error() -> None:
    with pytest.raises(OverflowError):
        Rows([Size(2**64)], Size).to_dict()


@dataclass(frozen=True)
class Odd:
    parts: list[int]


def test_a_field_without_a_column_is_named() -> None:
    with pytest.raises(TypeError, match=r"no column for Odd\.parts: list\[int\]"):
        Rows([], Odd).to_dict()


def test_every_table_of_an_engine_has_its_rows_as_columns(engine: ls.Engine) -> None:
    for name, table in tables(engine).items():
        assert len(table) > 0
        columns = table.to_dict()
        assert tuple(columns) == table.columns
        for row in table:
            assert tuple(field.name for field in fields(row)) == table.columns, name
        for column, array in columns.items():
            assert unlike(array, [getattr(row, column) for row in table]) == [], (name, column)


def test_a_table_without_rows_has_its_columns() -> None:
    empty = ls.Engine().df()
    assert str(empty.build_cache.to_dict()["last_used"].dtype) == "datetime64[us]"
    for kind, held in {
        ImageUsageRow: empty.images.to_dict(),
        ContainerRow: empty.containers.to_dict(),
        VolumeRow: empty.volumes.to_dict(),
        CacheRow: empty.build_cache.to_dict(),
    }.items():
        assert tuple(held) == tuple(field.name for field in fields(kind))
        assert {array.shape for array in held.values()} == {(0,)}


def test_writing_into_columns_changes_nothing_else(engine: ls.Engine) -> None:
    for name, table in tables(engine).items():
        before = [astuple(row) for row in table]
        for array in table.to_dict().values():
            array[:] = np.zeros(1, dtype=array.dtype) if array.dtype != object else None
        assert [astuple(row) for row in table] == before, name
        assert all(
            unlike(array, [getattr(row, column) for row in table]) == [] for column, array in table.to_dict().items()
        )


def test_a_table_is_of_one_moment(engine: ls.Engine) -> None:
    usage = engine.df()
    before = usage.images.to_dict()
    engine.remove_image("base:1")
    engine.tag("app:1", "app:2")
    assert {name: array.tolist() for name, array in usage.images.to_dict().items()} == {
        name: array.tolist() for name, array in before.items()
    }


def test_rows_are_still_a_sequence_of_values(engine: ls.Engine) -> None:
    table = engine.df().images
    assert list(table) == [table[0], table[1]] == table[:] == list(reversed(table))[::-1]
    assert table[-1] == table[1]
    assert table[0] in table
    assert repr(engine.history("base:1")).startswith("Table([HistoryRow(id='sha256:")
    assert repr(Rows([Size(1)], Size)) == "Rows([Size(size=1)])"
    with pytest.raises(IndexError):
        table[2]
