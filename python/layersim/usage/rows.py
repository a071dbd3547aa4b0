"""The rows of the tables on images, containers, volumes, build cache and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image.

    Attributes
    ----------
    id : str
        In full.
    tags : tuple of str
        In their familiar form.
    created : datetime
        Year 1 where it is not known.
    size : int
        Bytes of all its layers, and of its content.
    content_size : int
        Bytes of manifests, configs and packed layers; 0 where the engine keeps unpacked layers alone.
    containers : int
        How many it has, in any state.
    """

    id: str
    tags: tuple[str, ...]
    created: datetime
    size: int
    content_size: int = 0
    containers: int = 0


@dataclass(frozen=True, slots=True)
class ImageUsageRow:
    """One image, what of it others hold too, what it holds alone, and how many containers it has; sizes in bytes."""

    id: str
    tags: tuple[str, ...]
    created: datetime
    size: int
    shared_size: int
    unique_size: int
    containers: int


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """One container.

    Attributes
    ----------
    image : str
        The reference it was created with; the image's id where that means another image by now.
    image_id : str
        The id of its image.
    since : datetime
        When it came into its state.
    size_rw, size_root_fs : int
        Bytes of its own writes; the same and its image's.
    volumes : int
        How many volumes it mounts.
    has_healthcheck : bool
        Whether its image says how to see that it is well.
    """

    id: str
    name: str
    image: str
    image_id: str
    command: tuple[str, ...]
    created: datetime
    state: str
    since: datetime
    exit_code: int
    size_rw: int
    size_root_fs: int
    volumes: int
    has_healthcheck: bool


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of `system df`: how many there are and are in use, bytes held, bytes that could be freed."""

    type: str
    total: int
    active: int
    size: int
    reclaimable: int


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """One volume: its name, how many containers mount it, and its bytes (-1 where nobody knows)."""

    name: str
    links: int
    size: int


@dataclass(frozen=True, slots=True)
class CacheRow:
    """One record of the build cache.

    Attributes
    ----------
    type : str
        ``regular`` for a step, ``source.local`` for a build context, ``internal``, ``frontend``, ``exec.cachemount``.
    size : int
        Bytes that the record itself counts.
    last_used : datetime or None
        None where it never was.
    usage_count : int
        How often it was.
    in_use : bool
        Whether a build runs on it.
    shared : bool
        Whether an image holds its layer too.
    """

    id: str
    type: str
    size: int
    created: datetime
    last_used: datetime | None
    usage_count: int
    in_use: bool
    shared: bool
    description: str = ""
