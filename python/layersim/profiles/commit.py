"""What a commit is made of, whichever engine writes it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layersim.image.document import Json

# The tar without entries; an engine adds no layer for it, only a history entry.
EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


@dataclass(frozen=True)
class Commit:
    """What a commit is made of.

    Attributes
    ----------
    container_id : str
    own_config : dict
        The container's own config, over that of its image.
    diff_id : str or None
        None if the container wrote nothing.
    created_ns : int
        Nanoseconds since 1970.
    command : tuple of str
        What the container ran, its entrypoint left out.
    """

    container_id: str
    own_config: dict[str, Json]
    diff_id: str | None
    created_ns: int
    message: str | None = None
    author: str | None = None
