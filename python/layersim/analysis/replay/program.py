"""A Dockerfile as steps that are asked again and again: what decides each, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from layersim.analysis.replay.commands import Commands
    from layersim.analysis.replay.contents import Answer
    from layersim.errors import BuildError


@dataclass(frozen=True)
class Source:
    """What one word of a COPY or ADD names.

    Attributes
    ----------
    content : Answer
        What there is.
    missing : callable or None
        Makes the error if there is nothing; None where nothing is allowed.
    """

    content: Answer
    missing: Callable[[], BuildError] | None

    def key(self, written: Sequence[Hashable]) -> Hashable:
        """Return what changes with the content.

        Raises
        ------
        BuildError
            There is nothing, in the builder's words.
        """
        if self.missing is not None and self.content.is_empty:
            raise self.missing()
        return self.content.key(written)


@dataclass(frozen=True)
class PlannedStep:
    """One step.

    Attributes
    ----------
    text : str
        The line as it is written.
    definition : int
        The same for steps that do the same.
    sources : tuple of Source
        What it copies.
    commands : Commands or None
        What it runs.
    own_size : int
        Bytes that stand in the Dockerfile.
    line : int
        Where it stands in the Dockerfile; 0 for what the base triggers.
    """

    text: str
    definition: int
    sources: tuple[Source, ...] = ()
    commands: Commands | None = None
    own_size: int = 0
    line: int = 0

    def content(self, written: Sequence[Hashable]) -> Hashable:
        """Return the key of what it copies."""
        if not self.sources:
            return None
        return tuple([source.key(written) for source in self.sources])

    @property
    def size(self) -> int:
        """The bytes of its layer, if it is done now."""
        copied = sum([source.content.size for source in self.sources])
        return self.own_size + copied + (self.commands.size if self.commands is not None else 0)

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.commands.seconds if self.commands is not None else 0.0


@dataclass
class ProgramStage:
    """One stage.

    Attributes
    ----------
    index : int
        Its place in the Dockerfile.
    base : str or int
        The key of an image, or the index of the stage that it is built upon.
    layers : tuple of (str, int)
        Of the image.
    steps : list of PlannedStep
    """

    index: int
    base: str | int
    layers: tuple[tuple[str, int], ...]
    steps: list[PlannedStep] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """All steps of a Dockerfile that a build takes.

    Attributes
    ----------
    stages : tuple of ProgramStage
        In the order of the builder.
    target : int
        The index of the one that makes the image.
    slots : int
        How many commands write something.
    """

    stages: tuple[ProgramStage, ...]
    target: int
    slots: int
