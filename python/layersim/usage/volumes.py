"""What volumes take (accounting.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.usage.rows import SummaryRow, VolumeRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layersim.container import Volume


def volume_rows(volumes: Iterable[Volume]) -> list[VolumeRow]:
    """Return volumes by name."""
    return [VolumeRow(volume.name, volume.links, volume.size) for volume in volumes]


def volume_summary(rows: Sequence[VolumeRow]) -> SummaryRow:
    """Return the line of the volumes: those that no container mounts could be freed; unknown sizes are left out."""
    known = [row for row in rows if row.size >= 0]
    return SummaryRow(
        type="Local Volumes",
        total=len(rows),
        active=sum(row.links > 0 for row in rows),
        size=sum(row.size for row in known),
        reclaimable=sum(row.size for row in known if not row.links),
    )
