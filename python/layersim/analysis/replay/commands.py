"""What a RUN is declared to do, and what that comes to without doing it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.build.running import Effect, Ran
from layersim.errors import BuildError, RunError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from layersim._core import Overlay
    from layersim.analysis.replay.contents import Answer
    from layersim.build.running import RunStep, RunTable


@dataclass(frozen=True)
class Declared:
    """Declared effects, also of commands that were put together of several. It is a `run=` of builds, as the table is.

    Attributes
    ----------
    table : RunTable
        The effects.
    merged : mapping of str to tuple of str
        Texts of commands, and of those that each was put together of.
    """

    table: RunTable
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def parts(self, step: RunStep) -> list[tuple[RunStep, Effect]]:
        """Return the commands of a step, and what each is declared to do.

        Raises
        ------
        BuildError
            Nothing is declared, or it is done by a callable.
        """
        return [(part, self._effect(part)) for part in self._split(step)]

    def __call__(self, step: RunStep, fs: Overlay, env: dict[str, str]) -> Ran:
        """Do what is declared."""
        took = [self.table(part, fs, env) for part in self._split(step)]
        return Ran(sum(ran.seconds for ran in took if ran is not None))

    def _split(self, step: RunStep) -> list[RunStep]:
        texts = self.merged.get(step.text, (step.text,))
        return [dataclasses.replace(step, text=text) for text in texts]

    def _effect(self, step: RunStep) -> Effect:
        act = self.table.act_of(step)
        if isinstance(act, Effect):
            return act
        raise BuildError(f"{step.place} is done by a callable, and what it costs has to be declared: {step.shown}")


@dataclass(frozen=True)
class LayerRules:
    """What of a command's work is in its layer.

    Attributes
    ----------
    volumes : tuple of str
        Directories in which the legacy builder loses what a RUN writes.
    counts_links : bool
        Whether the targets of links count, as with the legacy builder.
    """

    volumes: tuple[str, ...] = ()
    counts_links: bool = False

    def loses(self, path: str) -> bool:
        """Tell whether a path is not in the layer."""
        return any(path.startswith(f"{folder}/") for folder in self.volumes)


@dataclass(frozen=True)
class Part:
    """One command of a RUN.

    Attributes
    ----------
    step : RunStep
    effect : Effect
    slot : int
        Where it is told what its bytes follow from.
    needs : tuple of (str, Answer)
        What has to be there, by the sentence that says so where it is not.
    uses : tuple of Answer
        What it reads.
    copied_up : Answer
        Files below whose mode or owner it sets.
    """

    step: RunStep
    effect: Effect
    slot: int
    needs: tuple[tuple[str, Answer], ...]
    uses: tuple[Answer, ...]
    copied_up: Answer

    def source(self, written: Sequence[Hashable]) -> Hashable:
        """Return what its bytes follow from.

        Raises
        ------
        RunError
            Something is missing.
        """
        for sentence, answer in self.needs:
            if answer.is_empty:
                raise RunError(f"{self.step.place} {sentence}: {self.step.shown}", self.step.command, 1)
        return self.effect.seed, self.step.shown, tuple(answer.key(written) for answer in self.uses)


@dataclass(frozen=True)
class Commands:
    """A RUN: its commands one after another, in one layer.

    Attributes
    ----------
    parts : tuple of Part
    written : int
        Bytes of what is written and not removed by the same RUN.
    seconds : float
    """

    parts: tuple[Part, ...]
    written: int
    seconds: float

    @property
    def size(self) -> int:
        """The bytes of its layer, if it runs now."""
        return self.written + sum(part.copied_up.size for part in self.parts)
