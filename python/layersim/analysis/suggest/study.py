"""What rules look at: the steps of a script, what they read and write, and how often each ran."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from layersim.analysis.replay.contents import FromContext
from layersim.analysis.replay.tracing import Tracer
from layersim.build.dockerfile import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layersim.analysis.replay import ReplayRow, Series
    from layersim.analysis.replay.commands import Part
    from layersim.analysis.replay.program import PlannedStep
    from layersim.analysis.suggest.script import Line, Script


@dataclass(frozen=True)
class Proposal:
    """A script that a rule would like better.

    Attributes
    ----------
    rule : str
        Its name.
    script : Script
        The whole.
    evidence : str
        Why, in a sentence that may use the numbers of `Gain`.
    """

    rule: str
    script: Script
    evidence: str


class Study:
    """One script with the series that it is replayed in.

    Parameters
    ----------
    script : Script
    series : Series
    rows : sequence of ReplayRow
        Its replay.
    """

    def __init__(self, script: Script, series: Series, rows: Sequence[ReplayRow]) -> None:
        self.script, self.series, self.rows = script, series, rows
        tracer = Tracer(script.text, "Dockerfile", series.start(), series.given(0))
        self.traced, self._program = tracer.traced, tracer.trace()

    @cached_property
    def ran(self) -> Counter[str]:
        """In how many builds after an edit each line ran."""
        return Counter(text for row in self.rows if row.edit for text in row.ran)

    @property
    def edits(self) -> int:
        """How many edits there are."""
        return len(self.rows) - 1

    @cached_property
    def _steps(self) -> Mapping[tuple[int, int], PlannedStep]:
        return {(stage.index, step.line): step for stage in self._program.stages for step in stage.steps}

    def step(self, line: Line) -> PlannedStep | None:
        """Return the step of a line, if it makes one."""
        if line.instruction is None:
            return None
        return self._steps.get((line.stage, line.instruction.line))

    def parts(self, line: Line) -> Sequence[Part]:
        """Return the commands of a line."""
        step = self.step(line) if isinstance(line.instruction, Run) else None
        return step.commands.parts if step is not None and step.commands is not None else ()

    def used(self, line: Line) -> list[str]:
        """Return the files of the context that a command is declared to read."""
        watches = [watch for part in self.parts(line) for answer in part.uses for watch in answer.watches]
        return [path for path in self.sent if any(watch.naming(path) is not None for watch in watches)]

    @cached_property
    def sent(self) -> list[str]:
        """The files of the context that a builder is sent before the first edit."""
        return self.traced.files.sent()

    def dest(self, stage: int, path: str) -> str | None:
        """Return where a stage first puts a file of the context."""
        for origin in self.traced.stages[stage].origins:
            if isinstance(origin, FromContext) and (found := origin.dest(path)) is not None:
                return found
        return None

    def stages(self) -> Iterator[list[int]]:
        """Yield the places of the lines of each stage, its FROM left out."""
        count = max(line.stage for line in self.script.lines) + 1
        for stage in range(count):
            yield [
                at for at, line in enumerate(self.script.lines) if line.stage == stage and line.instruction is not None
            ]

    def rate(self, at: int) -> int:
        """Return in how many builds after an edit the line at a place ran."""
        return self.ran[self.script.lines[at].shown]

    def times(self, line: Line) -> str:
        """Say how often a line ran."""
        return f"{self.ran[line.shown]} of {self.edits} edits"
