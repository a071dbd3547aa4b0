"""Builds of one Dockerfile, one after another: each step is looked up by numbers, and none is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from layersim.analysis.replay.program import PlannedStep, Program, ProgramStage

Layers: TypeAlias = "dict[Hashable, int]"


class _Done(NamedTuple):
    """A step that was done: its number, the bytes of its layer, and what its commands' bytes follow from."""

    number: int
    size: int
    sources: tuple[tuple[int, Hashable], ...]


@dataclass
class Outcome:
    """What one build did.

    Attributes
    ----------
    cached : int
        Steps that were found.
    ran : list of str
        Lines of the steps that were not.
    sizes : list of int
        Bytes of the layers of those.
    seconds : float
        What they took.
    layers : dict
        Bytes by layer of the image, base first; empty if the build failed.
    error : str
        Why it failed; empty if it did not.
    """

    cached: int = 0
    ran: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    layers: Layers = field(default_factory=dict)
    error: str = ""


class Simulation:
    """The cache of a builder for one Dockerfile.

    Both builders look a step up by what is below it, what it does and the content that it copies. In the legacy
    builder what is below is an image, which is new where a step ran: nothing can be found upon it, as its one miss
    switches lookups off until the next FROM.

    Parameters
    ----------
    program : Program
        The steps.
    """

    def __init__(self, program: Program) -> None:
        self.take(program)
        self._done: dict[Hashable, _Done] = {}

    def take(self, program: Program) -> None:
        """Go on with other steps, and the cache of the ones before."""
        self._program = program
        self._written: list[Hashable] = [None] * program.slots

    def build(self) -> Outcome:
        """Build with the context as it is now."""
        outcome = Outcome()
        built: dict[int, tuple[Hashable, Layers]] = {}
        try:
            for stage in self._program.stages:
                built[stage.index] = self._stage(stage, built, outcome)
        except BuildError as error:
            outcome.error = str(error)
            return outcome
        outcome.layers = built[self._program.target][1]
        return outcome

    def _stage(
        self, stage: ProgramStage, built: dict[int, tuple[Hashable, Layers]], outcome: Outcome
    ) -> tuple[Hashable, Layers]:
        if isinstance(stage.base, int):
            below, known = built[stage.base]
            layers = dict(known)
        else:
            below, layers = stage.base, dict(stage.layers)
        for step in stage.steps:
            done = self._step(step, below, outcome)
            layers[done.number] = done.size
            below = done.number
        return below, layers

    def _step(self, step: PlannedStep, below: Hashable, outcome: Outcome) -> _Done:
        key = (below, step.definition, step.content(self._written))
        done = self._done.get(key)
        if done is None:
            done = self._do(step)
            self._done[key] = done
            outcome.ran.append(step.text)
            outcome.sizes.append(done.size)
            outcome.seconds += step.seconds
        else:
            outcome.cached += 1
        for slot, source in done.sources:
            self._written[slot] = source
        return done

    def _do(self, step: PlannedStep) -> _Done:
        sources = []
        if step.commands is not None:
            for part in step.commands.parts:
                self._written[part.slot] = source = part.source(self._written)
                sources.append((part.slot, source))
        return _Done(len(self._done), step.size, tuple(sources))
