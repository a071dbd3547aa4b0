"""From a Dockerfile to its steps, by the rules by which the builders key them (spec/build.md section 7)."""

from __future__ import annotations

import itertools
import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from layersim.analysis.replay.bases import find_base
from layersim.analysis.replay.commands import LayerRules
from layersim.analysis.replay.contents import Base, Directories
from layersim.analysis.replay.copies import trace_copy
from layersim.analysis.replay.effects import Taking
from layersim.analysis.replay.keys import Interned, buildkit_run, legacy_step
from layersim.analysis.replay.program import PlannedStep, Program, ProgramStage
from layersim.build.context import Context
from layersim.build.dockerfile import Add, Copy, CreatedBy, Run, Workdir, parse, read_mount, run_words
from layersim.build.metadata import change_config, enter
from layersim.build.plan import plan
from layersim.build.request import Request
from layersim.build.scope import Scope
from layersim.build.stage import StageState, demand_no_flags, instructions_of, run_step
from layersim.build.texts import created_by
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.analysis.replay.bases import BaseImage, Bases
    from layersim.analysis.replay.commands import Declared
    from layersim.analysis.replay.contents import Origin
    from layersim.analysis.replay.files import Files
    from layersim.build.dockerfile import Dialect, Instruction
    from layersim.build.draft import Draft
    from layersim.build.plan import PlannedStage


@dataclass
class TracedStage:
    """A stage as far as it was read.

    Attributes
    ----------
    state : StageState
        Config and variables.
    stage : ProgramStage
        Its steps.
    origins : list of Origin
        Where its files come from.
    """

    state: StageState
    stage: ProgramStage
    origins: list[Origin] = field(default_factory=list)

    @property
    def draft(self) -> Draft:
        """The config of its image."""
        return self.state.draft


@dataclass(frozen=True)
class Surroundings:
    """What a Dockerfile is read with.

    Attributes
    ----------
    files : Files
        The context, which may change afterwards.
    run : Declared
        What commands do.
    bases : Engine or mapping
        The images.
    definitions : Interned
        Numbers of what steps do, the same for all readings.
    """

    files: Files
    run: Declared
    bases: Bases
    definitions: Interned = field(default_factory=Interned)


class Tracer:
    """Reads one Dockerfile.

    Parameters
    ----------
    text : str or bytes
        The Dockerfile.
    name : str
        What it is called, for messages.
    surroundings : Surroundings
        What it is read with.
    build_args : mapping of str to str
        As ``--build-arg``.
    """

    def __init__(self, text: str | bytes, name: str, surroundings: Surroundings, build_args: Mapping[str, str]) -> None:
        self._surroundings = surroundings
        self.files, self.definitions = surroundings.files, surroundings.definitions
        self.dialect: Dialect = self.files.dialect
        data = text.encode() if isinstance(text, str) else text
        dockerfile = parse(data, self.dialect, name=name)
        nothing = Context.of({}, dockerfile=data, dialect=self.dialect)
        self.request = Request(nothing, dockerfile, self.dialect, build_args=dict(build_args))
        self._plan = plan(dockerfile, None, build_args, ("linux", "amd64"))
        self.stages: dict[int, TracedStage] = {}
        self.slots = itertools.count()
        self._images: dict[str, BaseImage] = {}
        self._told = len(dockerfile.globals) if self.dialect.builder == "legacy" else 0

    def trace(self) -> Program:
        """Return all steps.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            Something is wrong in it, or nothing is declared for a command or known of a base.
        """
        for planned in self._plan.stages:
            self.stages[planned.index] = self._start(planned)
            self._read(planned, self.stages[planned.index])
        return Program(tuple(traced.stage for traced in self.stages.values()), self._plan.target, next(self.slots))

    def image(self, name: str) -> BaseImage:
        """Return the image of a name."""
        if name not in self._images:
            self._images[name] = find_base(name, self._surroundings.bases, self.dialect)
        return self._images[name]

    def _start(self, planned: PlannedStage) -> TracedStage:
        given, known = self.request.build_args, self._plan.globals
        if planned.base_stage is None:
            base = self.image(planned.base)
            draft, key, layers = base.draft.fork(), base.key, base.layers
            draft.config = dict(draft.config)
            origins: list[Origin] = [Base(base.view)] if base.layers else []
            scope = Scope(self.dialect, given, known, env=draft.env)
            return TracedStage(StageState(planned, draft, scope), ProgramStage(planned.index, key, layers), origins)
        below = self.stages[planned.base_stage]
        draft = below.draft.fork()
        scope = Scope(self.dialect, given, known, env=draft.env)
        if self.dialect.builder == "buildkit":
            scope = below.state.scope.inherited(draft.env)
        stage = ProgramStage(planned.index, planned.base_stage, ())
        return TracedStage(StageState(planned, draft, scope), stage, list(below.origins))

    def _read(self, planned: PlannedStage, traced: TracedStage) -> None:
        triggers, traced.draft.config["OnBuild"] = traced.draft.triggers, None
        self._told += 1
        own = set(map(id, planned.stage.instructions))
        for instruction in instructions_of(planned, triggers, self.request):
            self._told += 1
            step = self._step(traced, traced.state.evaluated(instruction, self.request))
            if step is not None:
                line = instruction.line if id(instruction) in own else 0
                traced.stage.steps.append(replace(step, line=line))

    def _step(self, traced: TracedStage, instruction: Instruction) -> PlannedStep | None:
        if isinstance(instruction, Run):
            return self._run(traced, instruction)
        if isinstance(instruction, Copy | Add):
            return trace_copy(self, traced, instruction)
        if isinstance(instruction, Workdir):
            return self._workdir(traced, instruction)
        change_config(traced.draft, instruction, self.dialect)
        if self.dialect.builder == "buildkit":
            return None
        text = created_by(instruction, traced.draft, traced.state.scope) or ""
        return PlannedStep(instruction.text, self.definitions.number(legacy_step(traced.draft, text, self.dialect)))

    def _run(self, traced: TracedStage, instruction: Run) -> PlannedStep:
        draft, scope = traced.draft, traced.state.scope
        command = run_words(instruction, self.dialect, draft.shell)
        step = run_step(traced.state, instruction, command, self._told)
        is_legacy = self.dialect.builder == "legacy"
        if is_legacy:
            demand_no_flags(instruction, self.dialect)
        key = (
            legacy_step(draft, command, self.dialect, scope.run_args)
            if is_legacy
            else buildkit_run(draft, instruction, command, scope)
        )
        volumes = [posixpath.normpath("/" + path.lstrip("/")) for path in draft.volumes] if is_legacy else []
        volumes += self._mounted(traced, instruction)
        rules = LayerRules(tuple(volumes), counts_links=is_legacy)
        commands = Taking(traced.origins, rules).take(self._surroundings.run.parts(step), self.slots)
        return PlannedStep(instruction.text, self.definitions.number(key), commands=commands)

    def _mounted(self, traced: TracedStage, instruction: Run) -> list[str]:
        """Return where a RUN has something mounted, so that what it writes there is not in its layer."""
        expand = None if self.dialect.is_old else traced.state.evaluator(self.request).word
        mounts = [read_mount(text, self.dialect, expand) for text in instruction.mounts]
        if any(mount.type == "bind" or mount.source_stage for mount in mounts):
            message = f"{instruction.text}: what it mounts is not looked into here; only Engine.build does that"
            raise BuildError(message)
        folders = (mount.target for mount in mounts if mount.type in {"cache", "tmpfs"})
        return [posixpath.normpath(posixpath.join("/", traced.draft.working_dir, folder)) for folder in folders]

    def _workdir(self, traced: TracedStage, instruction: Workdir) -> PlannedStep | None:
        draft = traced.draft
        path = enter(draft, instruction.path)
        traced.origins.append(Directories([path]))
        if self.dialect.builder == "legacy":
            text = CreatedBy(self.dialect, draft.shell).workdir(path)
            return PlannedStep(instruction.text, self.definitions.number(legacy_step(draft, text, self.dialect)))
        if path == "/":
            return None
        return PlannedStep(instruction.text, self.definitions.number(("Workdir", path, draft.user)))
