"""Recipes of small images: steps as a Dockerfile has them, written out as a docker-archive."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from layersim._core import Layer, Member, write_archive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from layersim._core import Edit

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
    settings : mapping, optional
        Fields of the image's ``config`` object that it sets; lists are appended to.
    comment : str
        The text of the COMMENT column.
    """

    created_by: str
    changes: tuple[Edit, ...] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
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


@dataclass(frozen=True)
class _Baked:
    tag: str
    config: bytes
    layers: tuple[Layer, ...]

    @property
    def config_name(self) -> str:
        return f"{hashlib.sha256(self.config).hexdigest()}.json"

    @property
    def layer_names(self) -> list[str]:
        return [_layer_name(layer) for layer in self.layers]


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
    layers: dict[int, Layer] = {}
    baked = [_bake(recipe, now_ns, layers) for recipe in recipes]
    members = {image.config_name: Member.file(image.config_name, image.config) for image in baked}
    for image in baked:
        members |= {_layer_name(layer): Member.layer(_layer_name(layer), layer) for layer in image.layers}
    manifest = [{"Config": i.config_name, "RepoTags": [i.tag], "Layers": i.layer_names} for i in baked]
    write_archive(target, [*members.values(), Member.file("manifest.json", _json(manifest))])


def _bake(recipe: Recipe, now_ns: int, layers: dict[int, Layer]) -> _Baked:
    history: list[dict[str, object]] = []
    settings: dict[str, object] = {}
    stack: list[Layer] = []
    for ancestor in recipe.lineage():
        created = _timestamp(now_ns, ancestor.age)
        for step in ancestor.steps:
            history.append(_history_entry(step, created))
            settings = _merged(settings, step.settings)
            if step.changes is not None:
                stack.append(layers.setdefault(id(step), Layer.from_changes(step.changes)))
    config = {
        "architecture": "amd64",
        "config": settings,
        "created": _timestamp(now_ns, recipe.age),
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in stack]},
    }
    return _Baked(recipe.tag, _json(config), tuple(stack))


def _history_entry(step: Step, created: str) -> dict[str, object]:
    entry: dict[str, object] = {"created": created, "created_by": step.created_by, "comment": step.comment}
    return entry if step.changes is not None else {**entry, "empty_layer": True}


def _merged(settings: dict[str, object], new: Mapping[str, object]) -> dict[str, object]:
    environment = [*_strings(settings.get("Env")), *_strings(new.get("Env"))]
    return {**settings, **new, **({"Env": environment} if environment else {})}


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _timestamp(now_ns: int, age: timedelta) -> str:
    moment = datetime.fromtimestamp(now_ns // 10**9, tz=UTC) - age
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _layer_name(layer: Layer) -> str:
    return f"{layer.diff_id.removeprefix('sha256:')}/layer.tar"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
