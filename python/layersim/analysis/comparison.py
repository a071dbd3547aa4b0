"""The same images under every engine: who says what, and why they differ (accounting.md)."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from layersim.analysis.reasons import reason_of
from layersim.engine import Engine
from layersim.image.instant import to_datetime
from layersim.profiles import PROFILE_NAMES
from layersim.profiles.form import Form, Style
from layersim.table import Table
from layersim.units import human_size, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from layersim.image import Image

    Archive: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

_ALL = "all images"
_ID, _TOTAL = "id", "total"


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One figure, as each engine has it.

    Attributes
    ----------
    subject : str
        The image, by its first tag or the digest of its config; or ``all images``. Where several images came with one
        tag, which archive each is from is said behind it.
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
    archives : path, bytes-like or binary file, or an iterable of them
        Docker-archives or OCI image layouts, as `Engine.load` takes them; a file is read once.

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
    engines = [Engine(profile, clock=lambda: 0) for profile in PROFILE_NAMES]
    origins: dict[tuple[Image, ...], str] = {}
    for number, archive in enumerate(_each(archives), start=1):
        source = _reread(archive)
        for images in zip(*(engine.load(source) for engine in engines), strict=True):
            origins.setdefault(images, _archive_name(archive, number))
    rows = [*_image_rows(engines, origins), *_summary_rows(engines)]
    return Table(rows, _FORM, Style(now=to_datetime(0)), kind=ComparisonRow)


def _each(archives: Archive | Iterable[Archive]) -> Iterable[Archive]:
    if isinstance(archives, str | bytes | bytearray | memoryview | os.PathLike) or hasattr(archives, "read"):
        return [cast("Archive", archives)]
    return archives


def _reread(archive: Archive) -> Archive:
    """Return an archive that can be read more than once."""
    return cast("BinaryIO", archive).read() if hasattr(archive, "read") else archive


def _archive_name(archive: Archive, number: int) -> str:
    if isinstance(archive, str | os.PathLike):
        return os.fspath(archive)
    name = getattr(archive, "name", None)
    return name if isinstance(name, str) else f"archive {number}"


def _image_rows(engines: Sequence[Engine], origins: Mapping[tuple[Image, ...], str]) -> Iterator[ComparisonRow]:
    usages = [{row.id: row for row in engine.df(verbose=True).images} for engine in engines]
    # A parent without a tag is shown by no list.
    listed = [
        images for images in origins if all(image.id in usage for usage, image in zip(usages, images, strict=True))
    ]
    for images, subject in zip(listed, _subjects(listed, origins), strict=True):
        rows = [usage[image.id] for usage, image in zip(usages, images, strict=True)]
        yield _row(subject, _ID, [image.id for image in images])
        yield _row(subject, "size", [row.size for row in rows])
        yield _row(subject, "content size", [image.content_size for image in images])
        yield _row(subject, "shared size", [row.shared_size for row in rows])
        yield _row(subject, "unique size", [row.unique_size for row in rows])


def _subjects(listed: Sequence[tuple[Image, ...]], origins: Mapping[tuple[Image, ...], str]) -> list[str]:
    """Return what the images are called: by a tag that one of them has lost since, together with the archive."""
    tags = [images[0].tags[0] if images[0].tags else images[0].id for images in listed]
    named = Counter(tags)
    return [f"{tag} of {origins[images]}" if named[tag] > 1 else tag for tag, images in zip(tags, listed, strict=True)]


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
