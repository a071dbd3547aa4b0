"""Tables in Arrow's memory: pyarrow, polars, pandas and DuckDB take them as they are, and read what the rows say."""

from __future__ import annotations

import sys
from dataclasses import replace
from subprocess import run
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import layersim as ls
from layersim.table import Rows
from tests.rows import FIRST, NOW, SECOND, Everything, Size, small_engine, tables

if TYPE_CHECKING:
    from collections.abc import Callable

# Arrow holds Unicode alone: what stands for a byte that is none becomes a question mark.
WRITTEN = replace(FIRST, name="é\x00?")
ROWS = Rows([FIRST, SECOND], Everything)
UTC_MICROSECONDS = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        pa.field("whole", pa.int64(), nullable=False),
        pa.field("share", pa.float64(), nullable=False),
        pa.field("ratio", pa.float64(), nullable=False),
        pa.field("flag", pa.bool_(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("created", UTC_MICROSECONDS, nullable=False),
        pa.field("words", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
        pa.field("perhaps", pa.string()),
        pa.field("perhaps_whole", pa.int64()),
        pa.field("perhaps_created", UTC_MICROSECONDS),
    ]
)


def record(row: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a row as Arrow's readers give it: lists for tuples, floats for fractions."""
    values = {name: getattr(row, name) for name in names}
    return {
        name: list(value) if isinstance(value, tuple) else float(value) if name == "share" else value
        for name, value in values.items()
    }


def duckdb_table(rows: Rows[Any]) -> pa.Table:
    assert len(rows) >= 0  # found by its name in the statement
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.sql("select * from rows").to_arrow_table()


READERS: dict[str, Callable[[Rows[Any]], pa.Table]] = {
    "pyarrow": pa.table,
    "polars": lambda rows: pl.DataFrame(rows).to_arrow(),
    "pandas": lambda rows: pa.Table.from_pandas(pd.DataFrame.from_arrow(rows), preserve_index=False),
    "duckdb": duckdb_table,
}


@pytest.fixture
def engine() -> ls.Engine:
    return small_engine()


@pytest.fixture(params=READERS)
def read(request: pytest.FixtureRequest) -> Callable[[Rows[Any]], pa.Table]:
    """Give each library in turn, as a function from rows to pyarrow's table of what it understood."""
    return READERS[request.param]


@pytest.mark.parametrize("rows", [[FIRST, SECOND], []], ids=len)
def test_the_schema_says_the_types_and_what_may_be_missing(rows: list[Everything]) -> None:
    table = pa.table(Rows(rows, Everything))
    table.validate(full=True)
    assert table.schema == SCHEMA
    assert pa.schema(Rows(rows, Everything)) == SCHEMA


def test_pyarrow_reads_every_type() -> None:
    names = ROWS.columns
    assert pa.table(ROWS).to_pylist() == [record(WRITTEN, names), record(SECOND, names)]


def test_a_wish_for_other_types_is_the_readers_to_fulfil() -> None:
    wish = pa.schema([("size", pa.int32())])
    assert pa.table(Rows([Size(7)], Size), schema=wish).schema == wish


@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_size_that_needs_it_makes_its_column_unsigned(size: int) -> None:
    table = pa.table(Rows([Size(size), Size(0)], Size))
    assert table.schema.field("size").type == (pa.uint64() if size > 2**63 - 1 else pa.int64())
    assert table.column("size").to_pylist() == [size, 0]
    assert pa.schema(Rows([Size(size)], Size)) == table.schema


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 1000])
def test_what_is_missing_is_found_at_any_place(count: int) -> None:
    rows = [FIRST if place % 3 else SECOND for place in range(count)]
    table = pa.table(Rows(rows, Everything))
    table.validate(full=True)
    for name in ("perhaps", "perhaps_whole", "perhaps_created", "flag", "words"):
        assert table.column(name).to_pylist() == [record(row, (name,))[name] for row in rows], name


def test_every_table_of_an_engine_is_read(engine: ls.Engine, read: Callable[[Rows[Any]], pa.Table]) -> None:
    for name, table in tables(engine).items():
        found = read(table)
        assert tuple(found.column_names) == table.columns, name
        assert found.to_pylist() == [record(row, table.columns) for row in table], name


def test_a_table_without_rows_is_read_with_its_types(read: Callable[[Rows[Any]], pa.Table]) -> None:
    found, expected = read(ls.Engine().df().images), pa.table(ls.Engine().df().images)
    assert found.num_rows == 0
    assert found.column_names == expected.column_names
    numbers = ["created", "size", "shared_size", "unique_size", "containers"]
    assert [found.schema.field(name).type for name in numbers] == [expected.schema.field(name).type for name in numbers]


def test_columns_are_the_same_through_arrow_and_numpy(engine: ls.Engine) -> None:
    for table in tables(engine).values():
        through_arrow = pl.DataFrame(table)
        for name, array in table.to_dict().items():
            if array.dtype == object:
                expected = [list(value) if isinstance(value, tuple) else value for value in array]
                assert through_arrow[name].to_list() == expected
            else:
                assert (through_arrow[name].to_numpy() == array).all()


def test_a_table_is_read_as_often_as_one_likes(engine: ls.Engine) -> None:
    images = engine.df().images
    first = pa.table(images)
    engine.remove_image("base:1")
    assert pa.table(images) == first
    del images
    assert sorted(first.column("size").to_pylist()) == [1_000, 1_020]  # the memory is the reader's own


def test_duckdb_answers_questions_about_a_table(engine: ls.Engine) -> None:
    images = engine.df().images
    with duckdb.connect() as connection:
        (answer,) = connection.sql("select sum(unique_size), max(len(tags)) from images").fetchall()
    assert answer == (sum(row.unique_size for row in images), 2)


def test_arrow_is_loaded_when_it_is_needed() -> None:
    script = (
        "import sys, layersim; engine = layersim.Engine(); engine.images().to_dict(); print('nanoarrow' in sys.modules)"
    )
    script += "; engine.images().__arrow_c_schema__(); print('nanoarrow' in sys.modules)"
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_the_clock_of_the_fixture_is_in_the_rows(engine: ls.Engine) -> None:
    (created,) = pa.table(engine.containers()).column("created").cast(pa.int64()).to_pylist()
    assert created * 1000 == NOW
