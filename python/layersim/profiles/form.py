"""How a row becomes text: headers, and cells of one row in a style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from layersim.units import human_age, printed_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from layersim.history import HistoryRow
    from layersim.usage import CacheRow, ContainerRow, ImageRow, ImageUsageRow, SummaryRow, VolumeRow

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Style:
    """When and how a table is written.

    Attributes
    ----------
    now : datetime
        The moment that ages are counted from.
    no_trunc : bool
        Full ids and texts.
    human : bool
        Sizes and ages to be read; else bytes and points in time.
    zone : tzinfo, optional
        Where points in time are told; the local zone of this process by default.
    """

    now: datetime
    no_trunc: bool = False
    human: bool = True
    zone: tzinfo | None = None

    def age(self, moment: datetime) -> str:
        """Return how long ago a moment was; the daemon tells the command line whole seconds only."""
        return f"{self.duration(moment.replace(microsecond=0))} ago"

    def duration(self, moment: datetime) -> str:
        """Return the time since a moment, without the `` ago``."""
        return human_age((self.now - moment).total_seconds())


@dataclass(frozen=True)
class Form(Generic[_Row]):
    """How rows of one kind are written.

    Attributes
    ----------
    headers : callable
        Style to the cells of the first line.
    cells : callable
        Row and style to lines of cells; an image has one line per tag.
    ids : callable
        Row and style to the lines of ``-q``.
    measure : callable
        Text to the columns that it is taken to fill.
    whole : callable, optional
        Rows and style to the text of all, where a table is not set in such columns unless ids are asked for in full.
    """

    headers: Callable[[Style], Sequence[str]]
    cells: Callable[[_Row, Style], Sequence[Sequence[str]]]
    ids: Callable[[_Row, Style], Sequence[str]]
    measure: Callable[[str], int] = printed_width
    whole: Callable[[Sequence[_Row], Style], str] | None = None


@dataclass(frozen=True)
class Forms:
    """How one command line writes each kind of row; `_usage` are the forms of `system df -v`.

    `hides_dangling` is whether it leaves images without a tag out of the list unless all are asked for.
    """

    images: Form[ImageRow]
    history: Form[HistoryRow]
    containers: Form[ContainerRow]
    containers_with_size: Form[ContainerRow]
    summary: Form[SummaryRow]
    image_usage: Form[ImageUsageRow]
    container_usage: Form[ContainerRow]
    volume_usage: Form[VolumeRow]
    build_cache_usage: Form[CacheRow]
    hides_dangling: bool = False
