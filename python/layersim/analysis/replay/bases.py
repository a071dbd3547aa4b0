"""Base images of a series: those of an engine, or sizes by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from layersim._core import View
from layersim.build.draft import Draft
from layersim.engine import Engine
from layersim.errors import BuildError
from layersim.units import parse_size

if TYPE_CHECKING:
    from layersim.build.dockerfile import Dialect

Bases: TypeAlias = "Engine | Mapping[str, int | str]"


@dataclass(frozen=True)
class BaseImage:
    """What a stage starts from.

    Attributes
    ----------
    key : str
        The same for the same image.
    draft : Draft
        Its config.
    layers : tuple of (str, int)
        Names and bytes of its layers.
    view : View
        Its files; none are known of one that is given by its size.
    """

    key: str
    draft: Draft
    layers: tuple[tuple[str, int], ...]
    view: View


def find_base(name: str, bases: Bases, dialect: Dialect) -> BaseImage:
    """Return the image that a FROM or ``--from`` names.

    Raises
    ------
    BuildError
        Its size was not given.
    ImageNotFoundError
        The engine does not have it.
    """
    if name == "scratch":
        return BaseImage(name, Draft.from_nothing(dialect), (), View([]))
    if isinstance(bases, Engine):
        image = bases.get_image(name)
        layers = tuple(zip(image.chain_ids, image.layer_sizes, strict=True))
        return BaseImage(image.id, Draft.upon(image), layers, View(image.layers))
    if name not in bases:
        raise BuildError(
            f"FROM {name}: its size is not given; give bases={{{name!r}: '180MB'}}, or an engine that has it"
        )
    return BaseImage(name, Draft.from_nothing(dialect), ((name, _size(bases[name])),), View([]))


def _size(value: int | str) -> int:
    size = parse_size(value) if isinstance(value, str) else value
    if size is None or size < 0:
        raise ValueError(f'expected a size such as 4096 or "180MB", got {value!r}')
    return size
