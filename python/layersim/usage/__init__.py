"""What an engine holds on disk, as rows and sums (accounting.md sections 2 to 5)."""

from __future__ import annotations

from layersim.usage.cache import CacheUsages
from layersim.usage.containers import ContainerUsages
from layersim.usage.images import ImageUsages, image_rows, newest_first, packed_numbers
from layersim.usage.rows import CacheRow, ContainerRow, ImageRow, ImageUsageRow, SummaryRow, VolumeRow
from layersim.usage.volumes import volume_rows, volume_summary

__all__ = [
    "CacheRow",
    "CacheUsages",
    "ContainerRow",
    "ContainerUsages",
    "ImageRow",
    "ImageUsageRow",
    "ImageUsages",
    "SummaryRow",
    "VolumeRow",
    "image_rows",
    "newest_first",
    "packed_numbers",
    "volume_rows",
    "volume_summary",
]
