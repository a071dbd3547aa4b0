"""One RUN step as it reaches who runs it, what comes back, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from layersim._core import Overlay
from layersim.build.dockerfile.golang import go_quote
from layersim.build.running.surroundings import BUILDKIT, Surroundings
from layersim.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layersim.build.running.mounts import StepMount

_SIGNALLED = 128
_NOT_FOUND = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """One RUN instruction, ready to be run.

    Attributes
    ----------
    command : tuple of str
        The words that are executed, those of the shell included.
    text : str
        The command as the Dockerfile has it, after its lines were joined.
    shell : bool
        Whether it is in the shell form.
    cwd : str
        The working directory.
    user : str
        As USER has it: ``name``, ``uid``, ``name:group``; "" is root.
    mounts : tuple of StepMount
        What ``--mount`` puts into the tree, by target.
    line : int
        The first line of the instruction, 1 for the first of the file; 0 where it has none.
    stage : str
        Name of the stage, or its number.
    number : int
        Place of the step in its stage, from 1 on.
    scripts : Mapping
        Programs that stand in the Dockerfile, by the paths under which the command finds them.
    surroundings : Surroundings
        What the builder's container is like.
    """

    command: tuple[str, ...]
    text: str = ""
    shell: bool = True
    cwd: str = "/"
    user: str = ""
    mounts: tuple[StepMount, ...] = ()
    line: int = 0
    stage: str = "0"
    number: int = 0
    scripts: Mapping[str, str] = field(default_factory=dict)
    surroundings: Surroundings = BUILDKIT

    def with_mounts(self, mounts: Sequence[StepMount]) -> RunStep:
        """Return the same step with other mounts.

        Parameters
        ----------
        mounts : sequence of StepMount
            By target.

        Returns
        -------
        RunStep
            A new value.
        """
        return replace(self, mounts=tuple(mounts))

    @property
    def shown(self) -> str:
        """The command as one line for a reader: the text of a shell form, the words of an exec form.

        Returns
        -------
        str
            What patterns of `runs` are compared with.
        """
        return self.text if self.shell and self.text else " ".join(self.command)

    @property
    def place(self) -> str:
        """Where the step stands, as messages name it.

        Returns
        -------
        str
            Number and stage, and the line where there is one.
        """
        line = f", line {self.line}" if self.line else ""
        return f"RUN step {self.number} of stage {self.stage}{line}"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a RUN step took.

    Attributes
    ----------
    seconds : float
        How long it ran.
    """

    seconds: float = 0.0


Runner: TypeAlias = Callable[[RunStep, Overlay, dict[str, str]], Ran | None]
"""What `run=` of a build is: it acts on the overlay of the step, and raises a `BuildError` if the command fails."""


def failure(step: RunStep, exit_code: int, output: str = "") -> RunError:
    """Return the error of a command that failed, worded as by BuildKit.

    Parameters
    ----------
    step : RunStep
        What was run.
    exit_code : int
        As a shell shows it: 128 and the number for a signal; below 0 as `subprocess` has it.
    output : str
        What it printed.

    Returns
    -------
    RunError
        With all of them.
    """
    code = exit_code if exit_code >= 0 else _SIGNALLED - exit_code
    return RunError(buildkit_words(step.command, code), command=step.command, exit_code=code, output=output)


def not_started(step: RunStep, reason: str) -> RunError:
    """Return the error of a command whose program cannot be started, worded as by the builder.

    Parameters
    ----------
    step : RunStep
        What was to be run.
    reason : str
        As runc says it.

    Returns
    -------
    RunError
        With code 1, as BuildKit has it, or with that of a shell.
    """
    said = f"unable to start container process: {reason}"
    if step.surroundings.fails_to_start:
        return failure(step, 1, f"runc run failed: {said}")
    end = ": unknown" if step.surroundings.ends_with_unknown else ""
    message = f"OCI runtime create failed: runc create failed: {said}{end}"
    return RunError(message, command=step.command, exit_code=_NOT_FOUND, output=message)


def buildkit_words(command: Sequence[str], exit_code: int) -> str:
    """Return how BuildKit says that a command failed."""
    return f"process {go_quote(' '.join(command))} did not complete successfully: exit code: {exit_code}"


def buildkit20_words(command: Sequence[str], exit_code: int) -> str:
    """Return how the BuildKit of 20.10 says that a command failed."""
    return f"executor failed running [{' '.join(command)}]: exit code: {exit_code}"


def legacy_words(command: Sequence[str], exit_code: int) -> str:
    """Return how the legacy builder says that a command failed."""
    return f"The command '{' '.join(command)}' returned a non-zero code: {exit_code}"
