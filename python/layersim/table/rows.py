"""Rows of one class, and their columns for whoever computes with them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from layersim.table import arrow
from layersim.table.columns import columns_of, to_array, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nanoarrow.c_array import CArray
    from nanoarrow.c_schema import CSchema
    from numpy.typing import NDArray

    from layersim.table.columns import Column

_Row = TypeVar("_Row")


# No `collections.abc.Sequence`: polars would go through such rows one by one, and make of no rows no columns.
class Rows(Generic[_Row]):
    """Frozen rows of one class.

    `to_dict` gives the columns as numpy arrays. What reads Arrow takes the rows as they are, for instance
    ``polars.DataFrame(rows)``.

    Parameters
    ----------
    rows : sequence
        The values.
    kind : type
        The class of the rows, a dataclass: its fields are the columns, also where there is no row.
    """

    def __init__(self, rows: Sequence[_Row], kind: type[_Row]) -> None:
        self._rows = rows
        self._kind = kind

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def __iter__(self) -> Iterator[_Row]:
        """Iterate over the rows."""
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> _Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_Row]: ...
    def __getitem__(self, index: int | slice) -> _Row | Sequence[_Row]:
        """Return one row, or several."""
        return self._rows[index]

    def __repr__(self) -> str:
        """Show the rows."""
        return f"{type(self).__name__}({list(self._rows)!r})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns: the fields of the rows."""
        return tuple(column.name for column in self._columns)

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Return the columns, one for each field of the rows, in their order.

        Returns
        -------
        dict of str to ndarray
            Arrays of their own: what is written into them changes nothing here. Whole numbers are int64,
            or uint64 where one needs it; fractions float64; points in time datetime64[us], in UTC. Texts
            and tuples of texts are Python's, in arrays of objects, since numpy's own strings hold neither
            None nor what is not Unicode.
        """
        values = values_of(self._rows, self._columns)
        return {column.name: to_array(held, column) for column, held in zip(self._columns, values, strict=True)}

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows as an Arrow stream; their schema is their own, whichever is asked for."""
        del requested_schema  # a wish: who makes it has to look at what comes
        return arrow.stream_of(self._record_batch()).__arrow_c_stream__()

    def __arrow_c_schema__(self) -> object:
        """Return the schema of the Arrow stream."""
        return self._schema.__arrow_c_schema__()

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        return columns_of(self._kind)

    @cached_property
    def _schema(self) -> CSchema:
        return self._record_batch().schema  # whether a column needs uint64 is known when it is made

    def _record_batch(self) -> CArray:
        return arrow.record_batch(self._columns, values_of(self._rows, self._columns), len(self))
