"""Recipes of small images: steps as a Dockerfile has them, written out as a docker-archive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim._core import Layer
from layersim.engine import Engine
from layersim.image import HistoryEntry
from layersim.image.instant import format_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta
    from pathlib import Path

    from layersim._core import Edit
    from layersim.image.document import Json

BUILDKIT = "buildkit.dockerfile.v0"
"""What BuildKit writes into the COMMENT column of every step."""


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile.

    Parameters
    ----------
    created_by : str
        The text of the CREATED BY column.
    changes : tuple of Edit, optional
        What the instruction writes; None means it sets metadata only and makes no layer.
    settings : dict, optional
        Fields of the container config that it sets.
    environment : str, optional
        A ``NAME=value`` that it adds to the environment.
    comment : str
        The text of the COMMENT column.
    """

    created_by: str
    changes: tuple[Edit, ...] | None = None
    settings: dict[str, Json] = field(default_factory=dict)
    environment: str | None = None
    comment: str = BUILDKIT


@dataclass(frozen=True)
class Recipe:
    """A tagged image as its steps on top of another recipe.

    Parameters
    ----------
    tag : str
        The image's name, ``repository:tag``.
    age : timedelta
        How long before the present the image was made.
    steps : tuple of Step
        The image's own steps, first to last.
    base : Recipe, optional
        The image it starts from; None means from scratch.
    """

    tag: str
    age: timedelta
    steps: tuple[Step, ...]
    base: Recipe | None = None

    def lineage(self) -> tuple[Recipe, ...]:
        """Return the recipes from the bottom of the stack up to this one."""
        return (*(self.base.lineage() if self.base else ()), self)


@dataclass
class _Clock:
    now_ns: int

    def __call__(self) -> int:
        return self.now_ns


def write_recipes(target: Path, recipes: Sequence[Recipe], now_ns: int) -> None:
    """Write images as the docker-archive that ``docker save`` would make of them.

    Parameters
    ----------
    target : Path
        The archive to write.
    recipes : sequence of Recipe
        The images, each under its tag. Layers they share are written once.
    now_ns : int
        The present that ages are counted back from, in nanoseconds since 1970.
    """
    clock = _Clock(now_ns)
    engine = Engine(clock=clock)
    layers: dict[int, Layer] = {}
    for recipe in recipes:
        clock.now_ns = _moment(now_ns, recipe)
        _add(engine, recipe, now_ns, layers)
    engine.save([recipe.tag for recipe in recipes], target)


def _add(engine: Engine, recipe: Recipe, now_ns: int, layers: dict[int, Layer]) -> None:
    """Add an image to an engine, with the steps of its whole lineage; `layers` holds those made, by step."""
    steps = [(ancestor, step) for ancestor in recipe.lineage() for step in ancestor.steps]
    for _, step in steps:
        if step.changes is not None and id(step) not in layers:
            layers[id(step)] = Layer.from_changes(step.changes)
    engine.add_image(
        [layers[id(step)] for _, step in steps if step.changes is not None],
        recipe.tag,
        history=[_history_entry(step, _moment(now_ns, ancestor)) for ancestor, step in steps],
        config=_settings(step for _, step in steps),
    )


def _history_entry(step: Step, moment_ns: int) -> HistoryEntry:
    return HistoryEntry(
        created=format_utc(moment_ns),
        created_by=step.created_by,
        comment=step.comment,
        empty_layer=True if step.changes is None else None,
    )


def _settings(steps: Iterable[Step]) -> dict[str, Json]:
    settings: dict[str, Json] = {}
    environment: list[Json] = []
    for step in steps:
        settings |= step.settings
        environment += [step.environment] if step.environment else []
    return {**settings, "Env": environment}


def _moment(now_ns: int, recipe: Recipe) -> int:
    return (now_ns // 10**9 - int(recipe.age.total_seconds())) * 10**9
