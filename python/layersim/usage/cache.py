"""What the build cache takes, by the rules of an engine (accounting.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.image.instant import to_datetime
from layersim.usage.rows import CacheRow, SummaryRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layersim.profiles.base import CacheRules
    from layersim.store import CacheRecord, StoredImage


class CacheUsages:
    """The records as rows, least recently used first, and their sums.

    Parameters
    ----------
    records : iterable of CacheRecord
        All of an engine.
    images : iterable of StoredImage
        All of the same engine: a record is shared while one of them holds its layer.
    """

    def __init__(self, records: Iterable[CacheRecord], images: Iterable[StoredImage]) -> None:
        kept = sorted(records, key=lambda record: (record.last_used_ns or 0, record.id))
        held = {number for image in images for number in image.numbers.tolist()} if kept else set()
        self.rows: Sequence[CacheRow] = [_row(record, is_shared=_is_held(record, held)) for record in kept]

    @property
    def total(self) -> int:
        """Bytes of all records."""
        return sum(row.size for row in self.rows)

    @property
    def unshared(self) -> int:
        """Bytes of the records whose layer no image holds."""
        return sum(row.size for row in self.rows if not row.shared)

    @property
    def unshared_in_use(self) -> int:
        """Bytes of those of them that are in use."""
        return sum(row.size for row in self.rows if row.in_use and not row.shared)

    def summary(self, rules: CacheRules) -> SummaryRow:
        """Return the line of the build cache."""
        active = sum(row.in_use for row in self.rows)
        return SummaryRow("Build Cache", len(self.rows), active, rules.size(self), rules.reclaimable(self))


def _is_held(record: CacheRecord, numbers: set[int]) -> bool:
    return record.top is not None and record.top.number in numbers


def _row(record: CacheRecord, *, is_shared: bool) -> CacheRow:
    return CacheRow(
        id=record.id,
        type=record.type,
        size=record.size,
        created=to_datetime(record.created_ns),
        last_used=None if record.last_used_ns is None else to_datetime(record.last_used_ns),
        usage_count=record.usage_count,
        in_use=record.in_use,
        shared=is_shared,
        description=record.description,
    )
