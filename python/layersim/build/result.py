"""What a build tells: an image, and the steps that led to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from layersim.image import Image
from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim._core import Layer
    from layersim.build.dockerfile import Remark
    from layersim.build.reason import Reason
    from layersim.image import Reference


@dataclass(frozen=True)
class Step:
    """One instruction of a build, and what became of it.

    Attributes
    ----------
    number : int
        From 1, over all stages that were built, in the order in which they were.
    label : str
        How the builder counts it: ``2/4``, with the stage's name before it where there are several; empty where it does
        not.
    stage : str
        The stage's name, or its index.
    instruction : str
        The line as it is written.
    line : int
        Where it stands in the Dockerfile.
    reason : Reason
        Why it ran, or why not.
    layer : Layer or None
        What it added; None for what changes the config alone.
    size : int
        Bytes of the layer, by the engine's rule.
    seconds : float
        How long it took by what its effect declares; 0 where nothing does, and for a cached step.
    image_id : str or None
        The image that the legacy builder kept after the step.
    shown : str
        The line as BuildKit prints it, its variables replaced; empty where it is not a step of its own.
    """

    number: int
    label: str
    stage: str
    instruction: str
    line: int
    reason: Reason
    layer: Layer | None = field(default=None, repr=False)
    size: int = 0
    seconds: float = 0.0
    image_id: str | None = None
    shown: str = ""

    @property
    def is_cached(self) -> bool:
        """Whether an earlier build had done it."""
        return self.reason.kind == "cached"

    @property
    def was_run(self) -> bool:
        """Whether this build did it."""
        return self.reason.kind not in {"cached", "merged", "base", "metadata"}


class Telling(list[Step]):
    """The steps of a build, told of one by one.

    Parameters
    ----------
    progress : callable, optional
        Called with each step when it is done.
    """

    def __init__(self, progress: Callable[[Step], object] | None) -> None:
        super().__init__()
        self._progress = progress

    def tell(self, step: Step) -> int:
        """Take a step in; return its number."""
        number = len(self) + 1
        numbered = step if step.number == number else replace(step, number=number)
        self.append(numbered)
        if self._progress is not None:
            self._progress(numbered)
        return numbered.number


@dataclass(frozen=True, eq=False)
class Build(Image):
    """An image that `Engine.build` made, with its steps; in all else it is the image.

    Attributes
    ----------
    steps : tuple of Step
        In the order in which the builder took them.
    builder : {"buildkit", "legacy"}
    warnings : tuple of Remark
        What the builder remarks: a line, a sentence, and from newer BuildKit the name of a rule.
    given_tags : tuple of Reference
        The tags that this build was asked to set; `tags` has all.
    """

    steps: tuple[Step, ...] = field(default=(), repr=False)
    builder: str = "buildkit"
    warnings: tuple[Remark, ...] = field(default=(), repr=False)
    given_tags: tuple[Reference, ...] = field(default=(), repr=False)

    @property
    def seconds(self) -> float:
        """What the steps that ran took, by what their effects declare."""
        return sum(step.seconds for step in self.steps)

    @property
    def rebuilt_size(self) -> int:
        """Bytes of the layers that this build made anew."""
        return sum(step.size for step in self.steps if step.was_run)

    def __str__(self) -> str:
        """Return what the builder prints while it builds, without times of this machine."""
        return "\n".join(self._legacy_lines() if self.builder == "legacy" else self._buildkit_lines())

    def explain(self) -> str:
        """Return a sentence for each step: what it cost, or why it did not run."""
        return "\n".join(f"{_named(step)} {step.instruction}\n    {_told(step)}" for step in self.steps)

    def _buildkit_lines(self) -> list[str]:
        lines: list[str] = []
        shown = [step for step in self.steps if step.label]
        for number, step in enumerate(shown, start=1):
            done = "CACHED" if step.is_cached else f"DONE {step.seconds:.1f}s"
            lines += [f"#{number} [{step.label}] {step.shown or step.instruction}", f"#{number} {done}", ""]
        number = len(shown) + 1
        lines += [f"#{number} exporting to image", f"#{number} writing image {self.id} done"]
        lines += [f"#{number} naming to {tag.full} done" for tag in self.given_tags]
        return [*lines, f"#{number} DONE {0:.1f}s"]

    def _legacy_lines(self) -> list[str]:
        lines: list[str] = []
        for step in self.steps:
            if step.label:
                lines.append(f"Step {step.label} : {step.instruction.strip()}")
            if step.is_cached:
                lines.append(" ---> Using cache")
            if step.image_id is not None:
                lines.append(f" ---> {_short(step.image_id)}")
        lines.append(f"Successfully built {_short(self.id)}")
        return [*lines, *(f"Successfully tagged {tag}" for tag in self.given_tags)]


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]


def _named(step: Step) -> str:
    return f"step {step.number} ({step.label})" if step.label else f"step {step.number}"


def _told(step: Step) -> str:
    if not step.was_run:
        return str(step.reason)
    took = f", {step.seconds:g} s" if step.seconds else ""
    return f"ran, {human_size(step.size, 4)}{took}: {step.reason}"
