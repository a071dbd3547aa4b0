"""A stage while it is built, and what both builders do alike with its instructions."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from layersim.build.dockerfile import Arg, Env, Label, read_mount, run_scripts
from layersim.build.draft import Draft
from layersim.build.evaluated import Evaluator
from layersim.build.metadata import cleaned
from layersim.build.plan import plan, triggered_by
from layersim.build.running import Ran, RunStep, buildkit20_words, buildkit_words, legacy_words
from layersim.build.running.surroundings import BUILDKIT, Surroundings
from layersim.build.scope import Scope
from layersim.errors import BuildError, DockerfileError, LayerSimError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layersim._core import Overlay
    from layersim.build.dockerfile import Dialect, Instruction, Run
    from layersim.build.plan import Plan, PlannedStage
    from layersim.build.request import Host, Request
    from layersim.image import Image


_NEEDS_BUILDKIT = (
    "the --{} option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images "
    "with BuildKit enabled"
)


@dataclass
class StageState:
    """One stage on its way.

    Attributes
    ----------
    planned : PlannedStage
        What it is.
    draft : Draft
        The image that it has come to.
    scope : Scope
        The variables that it sees.
    counts : Counter
        How many steps of each kind there were.
    """

    planned: PlannedStage
    draft: Draft
    scope: Scope
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def upon(cls, planned: PlannedStage, base: Image | None, request: Request, known: Mapping[str, str]) -> Self:
        """Start a stage upon an image, or upon nothing; `known` are the variables before the first ``FROM``."""
        draft = Draft.from_nothing(request.dialect) if base is None else Draft.upon(base)
        return cls(planned, draft, Scope(request.dialect, request.build_args, known, env=draft.env))

    def continued(self, planned: PlannedStage) -> StageState:
        """Start another stage upon what this one has come to, with BuildKit."""
        draft = self.draft.fork()
        return StageState(planned, draft, self.scope.inherited(draft.env))

    def ordinal(self, kind: str) -> int:
        """Count one more step of a kind."""
        self.counts[kind] += 1
        return self.counts[kind]

    def evaluator(self, request: Request) -> Evaluator:
        """Return what replaces the variables of this moment."""
        return Evaluator(self.scope.variables, request.dialect, request.dockerfile.escape)

    def evaluated(self, instruction: Instruction, request: Request) -> Instruction:
        """Return an instruction with its variables replaced, and take in what it declares."""
        if isinstance(instruction, Arg):
            return self._declared(instruction, request)
        evaluated = self.evaluator(request).instruction(instruction)
        if isinstance(evaluated, Env):
            self.scope.set_env(evaluated.pairs)
        return evaluated

    def _declared(self, instruction: Arg, request: Request) -> Arg:
        """Take an ``ARG`` in: newer BuildKit reads one pair after the other, names as they are, no default in vain."""
        dialect = request.dialect
        if dialect.builder == "legacy" or dialect.is_old:
            evaluated = self.evaluator(request).instruction(instruction)
            for name, default in evaluated.pairs:
                self.scope.declare(name, default)
            return evaluated
        pairs: list[tuple[str, str | None]] = []
        for name, default in instruction.pairs:
            evaluator = self.evaluator(request)
            value = None if name in request.build_args else evaluator.optional(default)
            self.scope.declare(name, value)
            pairs.append((name, value))
        return replace(instruction, pairs=tuple(pairs))


def planned_stages(host: Host, request: Request) -> Plan:
    """Return the stages that a build needs.

    Raises
    ------
    BuildError, DockerfileError
        In the builder's words.
    """

    def triggers(base: str) -> Sequence[str]:
        """Return what the ``ONBUILD`` of an image says; nothing of one that is not there."""
        try:
            return Draft.upon(host.get_image(base)).triggers
        except LayerSimError:
            return ()

    platform = (host.profile.os, host.profile.architecture)
    return plan(request.dockerfile, request.target, request.build_args, platform, triggers)


def instructions_of(stage: PlannedStage, triggers: Sequence[str], request: Request) -> list[Instruction]:
    """Return what a stage does: what the ``ONBUILD`` of its base says, then its own instructions."""
    return [*triggered_by(triggers, request.dialect, stage.base), *stage.stage.instructions]


@contextmanager
def located(request: Request, instruction: Instruction) -> Iterator[None]:
    """Tell with a failing step where it stands."""
    try:
        yield
    except (BuildError, DockerfileError) as error:
        if error.line is None:
            _locate(error, request, instruction)
        raise
    except OSError as error:
        keyword, name = type(instruction).__name__.upper(), f": {error.filename!s:.100}" if error.filename else ""
        told = BuildError(f"{keyword} failed: {(error.strerror or str(error)).lower()}{name}")
        _locate(told, request, instruction)
        raise told from error


def _locate(error: BuildError | DockerfileError, request: Request, instruction: Instruction) -> None:
    error.file, error.line, error.text = request.dockerfile.name, instruction.line, instruction.text


def run_step(
    state: StageState, instruction: Run, command: Sequence[str], number: int, surroundings: Surroundings = BUILDKIT
) -> RunStep:
    """Return what `run=` is told of a RUN, but for what is mounted."""
    return RunStep(
        command=tuple(command),
        text="\n".join(instruction.command.words) if instruction.command.is_shell else "",
        shell=instruction.command.is_shell,
        cwd=_directory(state),
        user=state.draft.user,
        surroundings=surroundings,
        line=instruction.line,
        stage=state.planned.name,
        number=number,
        scripts=run_scripts(instruction, state.scope.dialect),
    )


def _directory(state: StageState) -> str:
    """Return where a command starts; the legacy builder removes dots before links are followed, BuildKit does not."""
    path = state.draft.working_dir or "/"
    return cleaned(path) if state.scope.dialect.builder == "legacy" else path


def perform(request: Request, step: RunStep, fs: Overlay, env: dict[str, str]) -> float:
    """Do what a RUN says; return how long it took by its own account.

    Raises
    ------
    BuildError
        Nothing was given that could, or the command failed.
    """
    if request.run is None:
        ways = "run=layersim.runs({...}) declares what commands do, run=layersim.sandbox() executes them"
        raise BuildError(f"{step.place} ({step.shown!r:.80}): nothing is given that runs commands; {ways}")
    try:
        ran = request.run(step, fs, env)
    except RunError as error:
        worded = in_words_of(request.dialect, error)
        if worded is error:
            raise
        raise worded from error
    except OSError as error:
        raise RunError(f"{step.place} ({step.shown!r:.80}): {error}", step.command, 1) from error
    return ran.seconds if isinstance(ran, Ran) else 0.0


def in_words_of(dialect: Dialect, error: RunError) -> RunError:
    """Return an error in a builder's words, unless it has words of its own."""
    words = _failure_words(dialect)
    if words is buildkit_words or str(error) != buildkit_words(error.command, error.exit_code):
        return error
    return RunError(words(error.command, error.exit_code), error.command, error.exit_code, error.output)


def _failure_words(dialect: Dialect) -> Callable[[Sequence[str], int], str]:
    if dialect.builder == "legacy":
        return legacy_words
    return buildkit20_words if dialect.is_old else buildkit_words


def labels_of(labels: Mapping[str, str]) -> list[Label]:
    """Return the ``LABEL`` lines that the labels of a build are, as the legacy builder adds them at the end."""
    return [Label(f"LABEL {name}={value}", 0, 0, (), ((name, value),)) for name, value in sorted(labels.items())]


def demand_no_flags(instruction: Run, dialect: Dialect) -> None:
    """Refuse, for the legacy builder, what takes BuildKit, after a look at what it says.

    Raises
    ------
    BuildError, DockerfileError
        In the builder's words.
    """
    for text in instruction.mounts:
        read_mount(text, dialect)
    for flag, given in (
        ("mount", instruction.mounts),
        ("network", instruction.network),
        ("device", instruction.devices),
    ):
        if given:
            raise BuildError(_NEEDS_BUILDKIT.format(flag))
