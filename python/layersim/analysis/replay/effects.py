"""Declared effects put into a stage: what its commands write, remove and read."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from layersim.analysis.replay.commands import Commands, LayerRules, Part
from layersim.analysis.replay.contents import Directories, Entry, FromCommand, ask
from layersim.analysis.replay.files import File
from layersim.analysis.replay.patterns import glob, glob_below
from layersim.build.running.globs import absolute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from layersim.analysis.replay.contents import Answer, Origin
    from layersim.build.running import Effect, RunStep

_FILES_A_DIRECTORY = 64
_ALL_COUNTS = LayerRules()


class Taking:
    """The commands of one RUN on their way into a stage.

    Parameters
    ----------
    origins : list of Origin
        What the stage has; what is written is added.
    rules : LayerRules
        What counts.
    """

    def __init__(self, origins: list[Origin], rules: LayerRules) -> None:
        self._origins, self._rules = origins, rules
        self._below = list(origins)
        self._made: list[FromCommand] = []

    def take(self, parts: Sequence[tuple[RunStep, Effect]], slots: Iterator[int]) -> Commands:
        """Take the commands, one after another; `slots` numbers what they write."""
        taken = [self._one(step, effect, next(slots)) for step, effect in parts]
        kept = ask(self._made, lambda path: path)
        return Commands(tuple(taken), kept.size, sum(effect.seconds for _, effect in parts))

    def _one(self, step: RunStep, effect: Effect, slot: int) -> Part:
        own = FromCommand(slot, list(_entries(step, effect, self._rules)), _removal(step, effect, _ALL_COUNTS))
        directories = Directories([absolute(path, step.cwd) for path in effect.mkdirs])
        uses = [(pattern, ask(self._origins, _below(absolute(pattern, step.cwd)))) for pattern in effect.uses]
        needs = [(f"uses {pattern!r}, which is not there", answer) for pattern, answer in uses]
        needs += _described([*self._origins, own, directories], step, effect)
        part = Part(
            step, effect, slot, tuple(needs), tuple(answer for _, answer in uses), self._copied_up(step, effect, own)
        )
        entries = [entry for entry in own.entries if not self._rules.loses(entry.path)]
        self._made.append(FromCommand(slot, entries, _removal(step, effect, self._rules)))
        self._origins += [self._made[-1], directories]
        return part

    def _copied_up(self, step: RunStep, effect: Effect, own: FromCommand) -> Answer:
        """Ask for the files below whose owner or mode is set."""
        patterns = [absolute(pattern, step.cwd) for pattern, _ in (*effect.owners, *effect.modes)]
        fits = [glob(pattern).fullmatch for pattern in patterns]
        above = [*self._made, own]

        def named(path: str) -> str | None:
            if not any(fit(path) for fit in fits) or self._rules.loses(path):
                return None
            return None if any(one.hides(path) for one in above) else path

        return ask(self._below if patterns else [], named)


def _described(origins: Sequence[Origin], step: RunStep, effect: Effect) -> Iterator[tuple[str, Answer]]:
    """Ask for what gets an owner or a mode; a directory is there, too, if anything is below it."""
    for verb, pairs in (("owns", effect.owners), ("sets the mode of", effect.modes)):
        for pattern, _ in pairs:
            yield f"{verb} {pattern!r}, which is not there", ask(origins, _below(absolute(pattern, step.cwd)))


def _below(pattern: str) -> Callable[[str], str | None]:
    fits = glob_below(pattern).fullmatch
    return lambda path: path if fits(path) else None


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
