"""How an image came to be: one row per step, newest first (accounting.md section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from layersim.image import instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from layersim.store import StoredImage


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step.

    Attributes
    ----------
    id : str or None
        The image that this step ended in; None where that is not known (``<missing>``).
    created : datetime
        Year 1 where it is not known.
    created_by : str
        The instruction or command.
    size : int
        Bytes of the layer it made; 0 where it made none.
    comment : str
    empty_layer : bool
        Whether it made no layer.
    """

    id: str | None
    created: datetime
    created_by: str
    size: int
    comment: str
    empty_layer: bool


def history_rows(image: StoredImage) -> list[HistoryRow]:
    """Return the steps of an image, newest first.

    Layers without a step of their own, which an image may have at its top, are in no row.
    """
    sizes = iter([layer.size for layer in image.chain])
    steps = []
    for entry in image.config.history or ():
        created = instant.to_datetime(instant.parse(entry.created or instant.UNKNOWN))
        size = 0 if entry.empty_layer else next(sizes)
        steps.append((created, entry.created_by or "", size, entry.comment or "", bool(entry.empty_layer)))
    ids = chain(_lineage(image), repeat(None))
    return [HistoryRow(image_id, *step) for image_id, step in zip(ids, reversed(steps), strict=False)]


def _lineage(image: StoredImage | None) -> Iterator[str]:
    """Yield the image and those it was made from, as far as the links go."""
    while image is not None:
        yield image.id
        image = image.parent
