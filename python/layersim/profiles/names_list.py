"""The list that `docker images` of version 29 prints: a line per name, what it takes, and whether it is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.units import display_width, ellipsis, human_size, short_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.profiles.form import Style
    from layersim.usage import ImageRow

_UNTAGGED = "<untagged>"
_IN_USE = "U"
_GAP = "   "
_ID, _DISK_USAGE, _CONTENT_SIZE, _EXTRA = 12, 10, 12, 5


def names_list(rows: Sequence[ImageRow], _style: Style) -> str:
    """Return the list, by name; images without one come last, and their mark is no reason to widen the column."""
    named = sorted((tag, row) for row in rows for tag in row.tags)
    width = max([len("Image"), *(len(tag.encode()) for tag, _ in named)])
    lines = [(tag, row) for tag, row in named] + [(_UNTAGGED, row) for row in rows if not row.tags]
    is_any_used = any(row.containers for _, row in lines)
    head = _line(width, ("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"))
    return "\n".join([head, *(_line(width, _cells(name, row, is_any_used=is_any_used)) for name, row in lines)])


def _cells(name: str, row: ImageRow, *, is_any_used: bool) -> Sequence[str]:
    mark = _IN_USE if row.containers else " " * is_any_used
    return name, short_id(row.id), human_size(row.size, 3), human_size(row.content_size, 3), mark


def _line(width: int, cells: Sequence[str]) -> str:
    name, image_id, disk_usage, content_size, extra = cells
    shown = ellipsis(name, width)
    set_in_columns = (
        shown + " " * (width - display_width(shown)),
        image_id.ljust(_ID),
        disk_usage.rjust(_DISK_USAGE),
        content_size.rjust(_CONTENT_SIZE),
        extra.ljust(_EXTRA),
    )
    return _GAP.join(set_in_columns)
