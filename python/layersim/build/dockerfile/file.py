"""A whole Dockerfile as a value, and how it is written down again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile.continuation import CONTINUED
from layersim.build.dockerfile.instructions import Placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.instructions import Arg, Instruction, Remark


class Stage(Placed, frozen=True, eq=False):
    """One stage: a ``FROM`` and what follows it.

    Attributes
    ----------
    base : str
        The image or stage to build upon, variables still in it.
    name : str or None
        Its own name, in lower case.
    platform : str or None
        The value of ``--platform``.
    instructions : tuple of Instruction
        What follows.
    text : str
        The ``FROM`` as written.
    line, end_line : int
        Where the ``FROM`` stands.
    """

    base: str
    name: str | None
    platform: str | None
    instructions: tuple[Instruction, ...]
    text: str
    line: int
    end_line: int


class Dockerfile(Placed, frozen=True, eq=False):
    """A Dockerfile that was read.

    Attributes
    ----------
    name : str
        What errors call it.
    dialect : Dialect
        Whose rules it was read by.
    escape : str
        The character that escapes, and continues lines.
    directives : Mapping of str to str
        The parser directives at its top.
    globals : tuple of Arg
        The ``ARG`` instructions before the first ``FROM``.
    stages : tuple of Stage
        In order, at least one.
    warnings : tuple of Remark
        What the builder would remark.
    """

    name: str
    dialect: Dialect
    escape: str
    directives: Mapping[str, str]
    globals: tuple[Arg, ...]
    stages: tuple[Stage, ...]
    warnings: tuple[Remark, ...] = ()

    def __hash__(self) -> int:
        return hash((self.name, self.globals, self.stages))

    def __str__(self) -> str:
        """Return a file that reads as this value; comments are not kept."""
        lines = [f"# {name}={value}" for name, value in self.directives.items()]
        lines += map(str, self.globals)
        for stage in self.stages:
            lines += [stage.text, *map(str, stage.instructions)]
        return _joined(lines, self.escape, is_old=self.dialect.is_old)


def _joined(lines: Iterable[str], escape: str, *, is_old: bool) -> str:
    """Join lines. What would read as continued was cut off by the end of the file, and is so again."""
    ended = [line + "\r" if is_old and line.endswith("\r") else line for line in lines]
    last = ended[-1]
    is_cut = CONTINUED[escape].search(last) or (last.endswith("\r") and not is_old)
    return "\n".join(ended) + (escape if is_cut else "\n")
