"""Base images of a series: those of an engine, or sizes by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from layersim._core import Layer, View, mkdir
from layersim.build.draft import Draft
from layersim.engine import Engine
from layersim.errors import BuildError, ImageNotFoundError
from layersim.units import parse_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile import Dialect

# What every distribution has: of an image that is given by its size nothing else is known.
_USUAL = (
    *("/bin", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys"),
    *("/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/sbin", "/usr/share"),
    *("/usr/src", "/var", "/var/cache", "/var/lib", "/var/log"),
)

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
        Its files.
    is_known : bool
        Whether these are its files; of an image that is given by its size they are the usual directories.
    """

    key: str
    draft: Draft
    layers: tuple[tuple[str, int], ...]
    view: View
    is_known: bool = True


def usual_directories() -> Layer:
    """Return the layer that stands for an image of which only the size is known."""
    return Layer.from_changes([mkdir(path) for path in _USUAL])


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
        try:
            image = bases.get_image(name)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(f"{error}: the engine that is given as bases does not have it") from error
        layers = tuple(zip(image.chain_ids, image.layer_sizes, strict=True))
        return BaseImage(image.id, Draft.upon(image), layers, View(image.layers))
    if name not in bases:
        raise BuildError(
            f"FROM {name}: its size is not given; give bases={{{name!r}: '180MB'}}, or an engine that has it"
        )
    return BaseImage(
        name, Draft.from_nothing(dialect), ((name, _size(bases[name])),), View([usual_directories()]), is_known=False
    )


def _size(value: int | str) -> int:
    size = parse_size(value) if isinstance(value, str) else value
    if size is None or size < 0:
        raise ValueError(f'expected a size such as 4096 or "180MB", got {value!r}')
    return size
