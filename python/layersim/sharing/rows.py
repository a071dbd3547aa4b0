"""The rows of sharing, images and layers, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from layersim.profiles.form import Form
from layersim.units import human_size, short_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.profiles.form import Style

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class ImageShare:
    """What one image takes, together with its own containers.

    Attributes
    ----------
    id : str
        Full id.
    tags : tuple of str
        Familiar references, sorted.
    size : int
        Bytes of the whole image, as Docker prints them.
    exclusive : int
        Bytes that would be freed if this image alone went.
    fair_share : Fraction
        Bytes of each of its layers over the number of images that hold that layer, summed.
    """

    id: str
    tags: tuple[str, ...]
    size: int
    exclusive: int
    fair_share: Fraction


@dataclass(frozen=True, slots=True)
class LayerShare:
    """One layer, and how many images hold it.

    Attributes
    ----------
    chain_id, diff_id : str
        The layer on what it lies on, and the layer.
    size : int
        Bytes.
    referrers : int
        How many images hold it; 0 for one that is only pinned.
    pinned : bool
        Whether something else than an image and its own containers holds it too: it outlives all images.
    """

    chain_id: str
    diff_id: str
    size: int
    referrers: int
    pinned: bool


class Rows(Sequence[_Row], Generic[_Row]):
    """Rows that are made when they are looked at.

    Parameters
    ----------
    count : int
        How many.
    row : callable
        Place to row.
    """

    def __init__(self, count: int, row: Callable[[int], _Row]) -> None:
        self._places = range(count)
        self._row = row

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> _Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Row]: ...
    def __getitem__(self, index: int | slice) -> _Row | list[_Row]:
        """Return one row, or several."""
        if isinstance(index, slice):
            return list(map(self._row, self._places[index]))
        return self._row(self._places[index])


def _image_cells(row: ImageShare, style: Style) -> list[Sequence[str]]:
    name = row.tags[0] if row.tags else _id(row.id, style)
    return [(name, *(_bytes(size, style) for size in (row.size, row.exclusive, row.fair_share)))]


def _layer_cells(row: LayerShare, style: Style) -> list[Sequence[str]]:
    ids = _id(row.chain_id, style), _id(row.diff_id, style)
    return [(*ids, _bytes(row.size, style), str(row.referrers), str(row.pinned).lower())]


def _id(identifier: str, style: Style) -> str:
    return identifier if style.no_trunc else short_id(identifier)


def _bytes(size: int | Fraction, style: Style) -> str:
    if style.human:
        return human_size(float(size))
    return f"{float(size):.2f}" if isinstance(size, Fraction) else str(size)


IMAGES: Form[ImageShare] = Form(
    lambda _: ("IMAGE", "SIZE", "EXCLUSIVE", "FAIR SHARE"), _image_cells, lambda row, style: [_id(row.id, style)]
)
LAYERS: Form[LayerShare] = Form(
    lambda _: ("CHAIN ID", "DIFF ID", "SIZE", "REFERRERS", "PINNED"),
    _layer_cells,
    lambda row, style: [_id(row.chain_id, style)],
)
