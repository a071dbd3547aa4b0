"""What BuildKit calls its steps while it prints them: a number, and the line with its variables replaced."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.dockerfile import Add, Copy, Run, Workdir, expand, expand_known, is_script
from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layersim.build.dockerfile import Dialect, Instruction
    from layersim.build.plan import Plan, PlannedStage

OPERATIONS = (Run, Copy, Add, Workdir)
"""Instructions that are steps."""


@dataclass
class StepNumbers:
    """The numbers of one stage's steps, as ``2/4``; newer engines count all that a base triggers, older ones nothing.

    Attributes
    ----------
    prefix : str
        The stage's name, where there are several.
    has_base : bool
        Whether the stage stands on an image, which is its first step.
    total : int
        How many steps it is said to have.
    at : int
        The last number that was given.
    """

    prefix: str
    has_base: bool
    total: int
    at: int = 0

    @classmethod
    def of(cls, planned: PlannedStage, plan: Plan, triggered: Sequence[Instruction], dialect: Dialect) -> StepNumbers:
        """Count the steps of a stage."""
        has_base = planned.base_stage is None and planned.base != "scratch"
        own = sum(isinstance(one, OPERATIONS) for one in planned.stage.instructions)
        total = has_base + own + (0 if dialect.is_old else len(triggered))
        return cls("" if plan.is_single else f"{planned.name} ", has_base, total)

    def base(self) -> str:
        """Return the number of the image that the stage stands on; nothing where it stands on none."""
        return self.next() if self.has_base else ""

    def next(self) -> str:
        """Return one more number."""
        self.at += 1
        return f"{self.prefix}{self.at:{len(str(self.total))}}/{self.total}"


def shown(
    instruction: Instruction, variables: Mapping[str, str], dialect: Dialect, escape: str, *, is_triggered: bool
) -> str:
    """Return the line of a step as BuildKit prints it: of a RUN only what is set is replaced, and quotes stay."""
    line = instruction.text.strip() + _first_line(instruction)
    read = expand_known if isinstance(instruction, Run) else expand
    with suppress(DockerfileError):
        line = read(line, variables, dialect, escape)
    word, blank, rest = line.partition(" ")
    onbuild = "ONBUILD " if is_triggered and not dialect.is_old else ""
    return f"{onbuild}{word.upper()}{blank}{rest}"


def _first_line(instruction: Instruction) -> str:
    """Return how the text below a RUN begins, if that is its command."""
    if not isinstance(instruction, Run) or not is_script(instruction):
        return ""
    first, _, more = instruction.heredocs[0].body.strip().partition("\n")
    return f" ({first}{'...' if more else ''})"
