"""From a Dockerfile to its steps, by the rules by which the builders key them (spec/build.md section 7)."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from layersim.analysis.replay.commands import LayerRules
from layersim.analysis.replay.contents import Base, Directories
from layersim.analysis.replay.copies import trace_copy
from layersim.analysis.replay.effects import Taking
from layersim.analysis.replay.keys import buildkit_run, legacy_step
from layersim.analysis.replay.program import PlannedStep, Program, ProgramStage
from layersim.analysis.replay.traced import Traced, TracedStage
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

    from layersim.analysis.replay.contents import Origin
    from layersim.analysis.replay.traced import Surroundings
    from layersim.build.dockerfile import Dialect, Instruction
    from layersim.build.plan import PlannedStage


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

    Attributes
    ----------
    traced : Traced
        What was read so far.
    """

    def __init__(self, text: str | bytes, name: str, surroundings: Surroundings, build_args: Mapping[str, str]) -> None:
        self._dialect: Dialect = surroundings.files.dialect
        data = text.encode() if isinstance(text, str) else text
        dockerfile = parse(data, self._dialect, name=name)
        nothing = Context.of({}, dockerfile=data, dialect=self._dialect)
        self.traced = Traced(Request(nothing, dockerfile, self._dialect, build_args=dict(build_args)), surroundings)
        self._plan = plan(dockerfile, None, build_args, ("linux", "amd64"))
        self._told = len(dockerfile.globals) if self._dialect.builder == "legacy" else 0

    def trace(self) -> Program:
        """Return all steps.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            Something is wrong in it, or nothing is declared for a command or known of a base.
        """
        for planned in self._plan.stages:
            self.traced.stages[planned.index] = self._start(planned)
            self._read(planned, self.traced.stages[planned.index])
        programs = tuple(stage.program for stage in self.traced.stages.values())
        return Program(programs, self._plan.target, next(self.traced.slots))

    def _start(self, planned: PlannedStage) -> TracedStage:
        given, known = self.traced.request.build_args, self._plan.globals
        if planned.base_stage is None:
            base = self.traced.image(planned.base)
            draft, key, layers = base.draft.fork(), base.key, base.layers
            draft.config = dict(draft.config)
            origins: list[Origin] = [Base(base.view)] if base.layers else []
            scope = Scope(self._dialect, given, known, env=draft.env)
            return TracedStage(StageState(planned, draft, scope), ProgramStage(planned.index, key, layers), origins)
        below = self.traced.stages[planned.base_stage]
        draft = below.draft.fork()
        scope = Scope(self._dialect, given, known, env=draft.env)
        if self._dialect.builder == "buildkit":
            scope = below.state.scope.inherited(draft.env)
        program = ProgramStage(planned.index, planned.base_stage, ())
        return TracedStage(StageState(planned, draft, scope), program, list(below.origins))

    def _read(self, planned: PlannedStage, stage: TracedStage) -> None:
        triggers, stage.draft.config["OnBuild"] = stage.draft.triggers, None
        self._told += 1
        own = set(map(id, planned.stage.instructions))
        for instruction in instructions_of(planned, triggers, self.traced.request):
            self._told += 1
            step = self._step(stage, stage.state.evaluated(instruction, self.traced.request))
            if step is not None:
                line = instruction.line if id(instruction) in own else 0
                stage.program.steps.append(replace(step, line=line))

    def _step(self, stage: TracedStage, instruction: Instruction) -> PlannedStep | None:
        if isinstance(instruction, Run):
            return self._run(stage, instruction)
        if isinstance(instruction, Copy | Add):
            return trace_copy(self.traced, stage, instruction)
        if isinstance(instruction, Workdir):
            return self._workdir(stage, instruction)
        change_config(stage.draft, instruction, self._dialect)
        if self._dialect.builder == "buildkit":
            return None
        text = created_by(instruction, stage.draft, stage.state.scope) or ""
        return PlannedStep(instruction.text, self.traced.number(legacy_step(stage.draft, text, self._dialect)))

    def _run(self, stage: TracedStage, instruction: Run) -> PlannedStep:
        draft, scope = stage.draft, stage.state.scope
        command = run_words(instruction, self._dialect, draft.shell)
        step = run_step(stage.state, instruction, command, self._told)
        is_legacy = self._dialect.builder == "legacy"
        if is_legacy:
            demand_no_flags(instruction, self._dialect)
        key = (
            legacy_step(draft, command, self._dialect, scope.run_args)
            if is_legacy
            else buildkit_run(draft, instruction, command, scope)
        )
        volumes = [posixpath.normpath("/" + path.lstrip("/")) for path in draft.volumes] if is_legacy else []
        volumes += self._mounted(stage, instruction)
        rules = LayerRules(tuple(volumes), counts_links=is_legacy)
        commands = Taking(stage.origins, rules).take(self.traced.surroundings.run.parts(step), self.traced.slots)
        return PlannedStep(instruction.text, self.traced.number(key), commands=commands)

    def _mounted(self, stage: TracedStage, instruction: Run) -> list[str]:
        """Return where a RUN has something mounted, so that what it writes there is not in its layer."""
        expand = None if self._dialect.is_old else stage.state.evaluator(self.traced.request).word
        mounts = [read_mount(text, self._dialect, expand) for text in instruction.mounts]
        if any(mount.type == "bind" or mount.source_stage for mount in mounts):
            message = f"{instruction.text}: what it mounts is not looked into here; only Engine.build does that"
            raise BuildError(message)
        folders = (mount.target for mount in mounts if mount.type in {"cache", "tmpfs"})
        return [posixpath.normpath(posixpath.join("/", stage.draft.working_dir, folder)) for folder in folders]

    def _workdir(self, stage: TracedStage, instruction: Workdir) -> PlannedStep | None:
        draft = stage.draft
        path = enter(draft, instruction.path, self._dialect)
        stage.origins.append(Directories([posixpath.normpath(path)]))
        if self._dialect.builder == "legacy":
            text = CreatedBy(self._dialect, draft.shell).workdir(path)
            return PlannedStep(instruction.text, self.traced.number(legacy_step(draft, text, self._dialect)))
        if path == "/":
            return None
        return PlannedStep(instruction.text, self.traced.number(("Workdir", posixpath.normpath(path), draft.user)))
