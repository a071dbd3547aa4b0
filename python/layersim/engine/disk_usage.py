"""`docker system df` as a value: four summary rows, and the tables behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.table import Table
    from layersim.usage import CacheRow, ContainerRow, ImageUsageRow, SummaryRow, VolumeRow


@dataclass(frozen=True)
class DiskUsage:
    """What an engine holds on disk.

    Iterating gives the summary: images, containers, local volumes, build cache.

    Attributes
    ----------
    summary : Table of SummaryRow
    images : Table of ImageUsageRow
    containers : Table of ContainerRow
    volumes : Table of VolumeRow
    build_cache : Table of CacheRow
    layers_size : int
        Bytes of every layer that a listed image holds, each once.
    is_verbose : bool
        Which of the two texts `str` gives.
    """

    summary: Table[SummaryRow]
    images: Table[ImageUsageRow]
    containers: Table[ContainerRow]
    volumes: Table[VolumeRow]
    build_cache: Table[CacheRow]
    layers_size: int
    is_verbose: bool = False

    def __iter__(self) -> Iterator[SummaryRow]:
        """Iterate over the four summary rows."""
        return iter(self.summary)

    def __len__(self) -> int:
        """Return how many summary rows there are: four."""
        return len(self.summary)

    def __str__(self) -> str:
        """Return what `docker system df` prints, or `docker system df -v`."""
        return self.verbose_text() if self.is_verbose else str(self.summary)

    def verbose_text(self) -> str:
        """Return what `docker system df -v` prints."""
        return "\n\n".join(f"{heading}\n\n{table}" for heading, table in self._parts())

    def _repr_html_(self) -> str:
        """Return the tables of the text as HTML."""
        if not self.is_verbose:
            return self.summary._repr_html_()
        return "\n".join(f"<p>{heading}</p>\n{table._repr_html_()}" for heading, table in self._parts())

    def _parts(self) -> list[tuple[str, Table[Any]]]:
        return [
            ("Images space usage:", self.images),
            ("Containers space usage:", self.containers),
            ("Local Volumes space usage:", self.volumes),
            (f"Build cache usage: {human_size(self.summary[-1].size)}", self.build_cache),
        ]
