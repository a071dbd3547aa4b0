"""Whether one image can have been committed from another: by their histories, as `docker load` decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.image import instant

if TYPE_CHECKING:
    from layersim.image.config import HistoryEntry, ImageConfig


def is_parent(parent: ImageConfig, child: ImageConfig) -> bool:
    """Whether the child has the steps of the parent and one more, or neither has any."""
    theirs = [_step(entry) for entry in parent.history or ()]
    own = [_step(entry) for entry in child.history or ()]
    return not (own or theirs) or (len(own) == len(theirs) + 1 and own[:-1] == theirs)


def _step(entry: HistoryEntry) -> tuple[object, ...]:
    """Return an entry as a value; a field that is not there is as one that is empty."""
    created = instant.normalised(entry.created or instant.UNKNOWN)
    return created, entry.author or "", entry.created_by or "", entry.comment or "", bool(entry.empty_layer)
