"""The build cache: records that builds leave behind, and the layers they hold (accounting.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.store.layers import LayerStore, StoredLayer


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One record.

    Attributes
    ----------
    id : str
        25 letters and digits.
    type : str
        ``regular`` for a step, ``source.local`` for a build context, ``internal``, ``frontend``, ``exec.cachemount``.
    size : int
        Bytes that the record counts; 0 for the record of a base image.
    top : StoredLayer or None
        The layer that it holds.
    created_ns : int
        Nanoseconds since 1970.
    last_used_ns : int or None
        None where it never was.
    usage_count : int
        How often it was.
    in_use : bool
        Whether a build runs on it.
    """

    id: str
    type: str
    size: int
    top: StoredLayer | None
    created_ns: int
    last_used_ns: int | None = None
    usage_count: int = 1
    in_use: bool = False
    description: str = ""


class BuildCache:
    """The records of one engine.

    Parameters
    ----------
    layers : LayerStore
        What they hold layers of.
    """

    def __init__(self, layers: LayerStore) -> None:
        self._layers = layers
        self._records: dict[str, CacheRecord] = {}

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self._records)

    def __iter__(self) -> Iterator[CacheRecord]:
        """Iterate over the records, oldest first."""
        return iter(self._records.values())

    def add(self, record: CacheRecord) -> None:
        """Keep a record; its layer is held already."""
        self._records[record.id] = record

    def use(self, record_id: str, now_ns: int) -> None:
        """Count one more use of a record."""
        record = self._records[record_id]
        self._records[record_id] = replace(record, last_used_ns=now_ns, usage_count=record.usage_count + 1)

    def find(self, record_id: str) -> CacheRecord | None:
        """Return the record of an id, or None."""
        return self._records.get(record_id)

    def fill(self, record_id: str, size: int, top: StoredLayer | None) -> None:
        """Let a record hold another layer, which is held already, as that of a cache does after each step."""
        record = self._records[record_id]
        self._records[record_id] = replace(record, size=size, top=top)
        self._layers.release(record.top)

    def __contains__(self, record_id: object) -> bool:
        """Whether there is a record of this id."""
        return record_id in self._records

    def drop(self, record: CacheRecord) -> None:
        """Forget a record, and let go of its layer."""
        del self._records[record.id]
        self._layers.release(record.top)
