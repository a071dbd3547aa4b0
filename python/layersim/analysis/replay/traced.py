"""A Dockerfile while it is read for a replay: what it is read with, and its stages so far."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.analysis.replay.bases import find_base
from layersim.analysis.replay.keys import Interned

if TYPE_CHECKING:
    from collections.abc import Hashable

    from layersim.analysis.replay.bases import BaseImage, Bases
    from layersim.analysis.replay.commands import Declared
    from layersim.analysis.replay.contents import Origin
    from layersim.analysis.replay.files import Files
    from layersim.analysis.replay.program import ProgramStage
    from layersim.build.dockerfile import Dialect
    from layersim.build.draft import Draft
    from layersim.build.request import Request
    from layersim.build.stage import StageState


@dataclass
class TracedStage:
    """A stage as far as it was read.

    Attributes
    ----------
    state : StageState
        Config and variables.
    program : ProgramStage
        Its steps.
    origins : list of Origin
        Where its files come from.
    """

    state: StageState
    program: ProgramStage
    origins: list[Origin] = field(default_factory=list)

    @property
    def draft(self) -> Draft:
        """The config of its image."""
        return self.state.draft


@dataclass(frozen=True)
class Surroundings:
    """What a Dockerfile is read with.

    Attributes
    ----------
    files : Files
        The context, which may change afterwards.
    run : Declared
        What commands do.
    bases : Engine or mapping
        The images.
    definitions : Interned
        Numbers of what steps do, the same for all readings.
    """

    files: Files
    run: Declared
    bases: Bases
    definitions: Interned = field(default_factory=Interned)


class Traced:
    """A Dockerfile as far as it was read.

    Parameters
    ----------
    request : Request
        The build that it would be.
    surroundings : Surroundings
        What it is read with.

    Attributes
    ----------
    stages : dict of int to TracedStage
        By their place.
    slots : iterator of int
        Numbers for what commands leave.
    """

    def __init__(self, request: Request, surroundings: Surroundings) -> None:
        self.request, self.surroundings = request, surroundings
        self.stages: dict[int, TracedStage] = {}
        self.slots = itertools.count()
        self._images: dict[str, BaseImage] = {}

    @property
    def dialect(self) -> Dialect:
        """The builder."""
        return self.request.dialect

    @property
    def files(self) -> Files:
        """The context."""
        return self.surroundings.files

    def number(self, definition: Hashable) -> int:
        """Return the number of what a step does."""
        return self.surroundings.definitions.number(definition)

    def image(self, name: str) -> BaseImage:
        """Return the image of a name."""
        if name not in self._images:
            self._images[name] = find_base(name, self.surroundings.bases, self.dialect)
        return self._images[name]
