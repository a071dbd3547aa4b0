"""A Dockerfile as lines that can be moved, and the `.dockerignore` beside it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from layersim.build.dockerfile import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layersim.build.dockerfile import Dialect, Instruction

_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class Line:
    """One instruction as it is written, with the comments before it.

    Attributes
    ----------
    text : str
        All its lines, each with its end.
    stage : int
        The stage that it stands in.
    instruction : Instruction or None
        What it says; None for a FROM.
    """

    text: str
    stage: int
    instruction: Instruction | None = None

    @property
    def shown(self) -> str:
        """The instruction without comments."""
        return self.instruction.text if self.instruction is not None else self.text.strip()


@dataclass(frozen=True)
class Script:
    """What a suggestion changes.

    Attributes
    ----------
    head : str
        What stands before the first FROM.
    lines : tuple of Line
        All instructions.
    ignore : str
        The text of ``.dockerignore``; empty where there is none.
    merged : mapping of str to tuple of str
        Commands that were put together, and of which.
    """

    head: str
    lines: tuple[Line, ...]
    ignore: str = ""
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)

    @classmethod
    def read(cls, text: str, ignore: str, dialect: Dialect) -> Script:
        """Read a Dockerfile.

        Raises
        ------
        DockerfileError
            It is wrong.
        """
        dockerfile = parse(text, dialect)
        rows = text.splitlines(keepends=True)
        if rows and not rows[-1].endswith("\n"):
            rows[-1] += "\n"
        first = dockerfile.stages[0].line - 1
        lines: list[Line] = []
        at = first
        for number, stage in enumerate(dockerfile.stages):
            ends: list[tuple[int, Instruction | None]] = [(stage.line, None)]
            ends += [(instruction.end_line, instruction) for instruction in stage.instructions]
            for end, instruction in ends:
                lines.append(Line("".join(rows[at:end]), number, instruction))
                at = end
        return cls("".join(rows[:first]), tuple(lines), ignore)

    @property
    def text(self) -> str:
        """The Dockerfile."""
        return self.head + "".join(line.text for line in self.lines)

    def with_lines(self, lines: Sequence[Line], merged: Mapping[str, tuple[str, ...]] = _NOTHING) -> Script:
        """Return another Dockerfile beside the same `.dockerignore`."""
        return replace(self, lines=tuple(lines), merged={**self.merged, **merged})

    def read_again(self, dialect: Dialect) -> Script:
        """Return the same with the lines as they are written now."""
        return replace(Script.read(self.text, self.ignore, dialect), merged=self.merged)

    def diff(self, before: Script) -> str:
        """Return what changed, as ``diff -u`` shows it."""
        return _diff("Dockerfile", before.text, self.text) + _diff(".dockerignore", before.ignore, self.ignore)


def _diff(name: str, before: str, after: str) -> str:
    rows = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*rows, name, name))
