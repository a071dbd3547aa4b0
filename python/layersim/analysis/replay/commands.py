"""What a RUN is declared to do, and what that comes to without doing it."""

from __future__ import annotations

import dataclasses
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim.analysis.replay.contents import Directories, Entry, FromCommand, ask
from layersim.analysis.replay.files import File
from layersim.analysis.replay.patterns import glob, glob_below
from layersim.build.running import Effect, Ran
from layersim.build.running.globs import absolute
from layersim.errors import BuildError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from layersim._core import Overlay
    from layersim.analysis.replay.contents import Answer, Origin
    from layersim.build.running import RunStep, RunTable

_FILES_A_DIRECTORY = 64


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


def take_commands(
    parts: Sequence[tuple[RunStep, Effect]], origins: list[Origin], slots: Iterator[int], rules: LayerRules
) -> Commands:
    """Put the commands of one RUN into a stage.

    Parameters
    ----------
    parts : sequence of (RunStep, Effect)
        The commands.
    origins : list of Origin
        What the stage has; what they write is added.
    slots : iterator of int
        Numbers for what they write.
    rules : LayerRules
        What counts.
    """
    below = list(origins)
    made: list[FromCommand] = []
    taken = []
    for step, effect in parts:
        taken.append(_part(step, effect, next(slots), origins, below, rules))
        made.append(_command(taken[-1], rules))
        origins.append(made[-1])
        origins.append(Directories([absolute(path, step.cwd) for path in effect.mkdirs]))
    kept = ask(made, lambda path: path)
    return Commands(tuple(taken), kept.size, sum(effect.seconds for _, effect in parts))


def _command(part: Part, rules: LayerRules) -> FromCommand:
    entries = [entry for entry in _entries(part.step, part.effect, rules) if not rules.loses(entry.path)]
    return FromCommand(part.slot, entries, _removal(part.step, part.effect, rules))


def _part(
    step: RunStep,
    effect: Effect,
    slot: int,
    origins: Sequence[Origin],
    below: Sequence[Origin],
    rules: LayerRules,
) -> Part:
    own = FromCommand(slot, list(_entries(step, effect, rules)), _removal(step, effect, LayerRules()))
    after = [*origins, own, Directories([absolute(path, step.cwd) for path in effect.mkdirs])]
    uses = [(pattern, ask(origins, _below(absolute(pattern, step.cwd)))) for pattern in effect.uses]
    needs = [(f"uses {pattern!r}, which is not there", answer) for pattern, answer in uses]
    described = []
    for verb, pairs in (("owns", effect.owners), ("sets the mode of", effect.modes)):
        for pattern, _ in pairs:
            place = absolute(pattern, step.cwd)
            described.append(place)
            # A directory is there, too, if anything is below it.
            needs.append((f"{verb} {pattern!r}, which is not there", ask(after, _below(place))))
    made = [origin for origin in (*origins[len(below) :], own) if isinstance(origin, FromCommand)]
    wanted = _any_of(described, rules)
    copied_up = ask(
        below if described else [], lambda path: None if any(one.hides(path) for one in made) else wanted(path)
    )
    return Part(step, effect, slot, tuple(needs), tuple(answer for _, answer in uses), copied_up)


def _below(pattern: str) -> Callable[[str], str | None]:
    fits = glob_below(pattern).fullmatch
    return lambda path: path if fits(path) else None


def _any_of(patterns: Sequence[str], rules: LayerRules) -> Callable[[str], str | None]:
    fits = [glob(pattern).fullmatch for pattern in patterns]
    return lambda path: path if any(fit(path) for fit in fits) and not rules.loses(path) else None


def _removal(step: RunStep, effect: Effect, rules: LayerRules) -> Callable[[str], bool] | None:
    if not effect.removes:
        return None
    fits = [glob_below(absolute(pattern, step.cwd)).fullmatch for pattern in effect.removes]
    return lambda path: any(fit(path) for fit in fits) and not rules.loses(path)


def _entries(step: RunStep, effect: Effect, rules: LayerRules) -> Iterator[Entry]:
    for path, content in effect.writes:
        file = File.of(content) if isinstance(content, bytes) else None
        size = content if isinstance(content, int) else len(content)
        yield Entry(absolute(path, step.cwd), size, file.ident if file is not None else None)
    for folder, count, total in effect.files:
        yield from _many(absolute(folder, step.cwd), count, total)
    for path, target in effect.symlinks:
        yield Entry(absolute(path, step.cwd), len(target.encode()) if rules.counts_links else 0, f"-> {target}")


def _many(folder: str, count: int, total: int) -> Iterator[Entry]:
    """Yield the files of a directory; which of them is how large is not told, so they share the bytes evenly."""
    digits = len(str(count - 1))
    for number in range(count):
        size = total * (number + 1) // count - total * number // count
        name = f"{number // _FILES_A_DIRECTORY:0{digits}}/{number:0{digits}}"
        yield Entry(posixpath.join(folder, name), size)
