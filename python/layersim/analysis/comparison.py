"""The same images under every engine: who says what, and why they differ (accounting.md)."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

from layersim.analysis.reasons import reason_of
from layersim.engine import Engine
from layersim.image.instant import to_datetime
from layersim.profiles import PROFILE_NAMES
from layersim.profiles.form import Form, Style
from layersim.table import Table
from layersim.units import human_size, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from layersim.image import Image

    Archive: TypeAlias = str | bytes | PathLike[str]

_ALL = "all images"
_ID, _TOTAL = "id", "total"


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One figure, as each engine has it.

    Attributes
    ----------
    subject : str
        The image, by its first tag or the digest of its config; or ``all images``.
    figure : str
        ``id``, ``size``, ``content size``, ``shared size``, ``unique size`` of an image; ``total``, ``size``,
        ``reclaimable`` of all.
    docker20, overlay2, containerd : str
        What the engine says: bytes and counts in digits, ids in full.
    reason : str
        Why they differ; empty where they agree.
    """

    subject: str
    figure: str
    docker20: str
    overlay2: str
    containerd: str
    reason: str


def compare_profiles(archives: Archive | Iterable[Archive]) -> Table[ComparisonRow]:
    """Load the same archives into an engine of each profile, and set their figures side by side.

    Parameters
    ----------
    archives : path, bytes, or an iterable of them
        Docker-archives or OCI image layouts.

    Returns
    -------
    Table of ComparisonRow
        Five rows for each image that is listed, in the order of loading, then three of `system df`; its `str` is a
        table for people.

    Raises
    ------
    ArchiveError, DigestMismatchError, ValidationError, InvalidReferenceError
        An archive is broken.

    Notes
    -----
    Layers are taken as loaded. An engine that built the images itself may have recorded other sizes for them.
    """
    wanted = [archives] if isinstance(archives, str | bytes | PathLike) else list(archives)
    engines = [Engine(profile, clock=lambda: 0) for profile in PROFILE_NAMES]
    loaded = [[image for archive in wanted for image in engine.load(archive)] for engine in engines]
    rows = [*_image_rows(engines, loaded), *_summary_rows(engines)]
    return Table(rows, _FORM, Style(now=to_datetime(0)), kind=ComparisonRow)


def _image_rows(engines: Sequence[Engine], loaded: Sequence[Sequence[Image]]) -> Iterator[ComparisonRow]:
    usages = [{row.id: row for row in engine.df(verbose=True).images} for engine in engines]
    for images in dict.fromkeys(zip(*loaded, strict=True)):
        if not all(image.id in usage for usage, image in zip(usages, images, strict=True)):
            continue  # a parent without a tag, which no list shows
        subject = images[0].tags[0] if images[0].tags else images[0].id
        rows = [usage[image.id] for usage, image in zip(usages, images, strict=True)]
        yield _row(subject, _ID, [image.id for image in images])
        yield _row(subject, "size", [row.size for row in rows])
        yield _row(subject, "content size", [image.content_size for image in images])
        yield _row(subject, "shared size", [row.shared_size for row in rows])
        yield _row(subject, "unique size", [row.unique_size for row in rows])


def _summary_rows(engines: Sequence[Engine]) -> Iterator[ComparisonRow]:
    summaries = [engine.df().summary[0] for engine in engines]
    yield _row(_ALL, _TOTAL, [summary.total for summary in summaries])
    yield _row(_ALL, "size", [summary.size for summary in summaries])
    yield _row(_ALL, "reclaimable", [summary.reclaimable for summary in summaries])


def _row(subject: str, figure: str, values: Sequence[int | str]) -> ComparisonRow:
    docker20, overlay2, containerd = map(str, values)
    reason = reason_of(figure, (docker20, overlay2, containerd))
    return ComparisonRow(subject, figure, docker20, overlay2, containerd, reason)


def _cells(row: ComparisonRow, style: Style) -> list[Sequence[str]]:
    show = _shown(row.figure, style)
    figures = show(row.docker20), show(row.overlay2), show(row.containerd)
    return [(row.subject, row.figure, *figures, row.reason)]


def _shown(figure: str, style: Style) -> Callable[[str], str]:
    if figure == _ID:
        return str if style.no_trunc else short_id
    return str if figure == _TOTAL or not style.human else lambda digits: human_size(int(digits))


_FORM = Form(
    headers=lambda _style: ("IMAGE", "FIGURE", *map(str.upper, PROFILE_NAMES), "WHY"),
    cells=_cells,
    ids=lambda row, _style: [row.subject],
)
