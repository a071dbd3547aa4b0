"""BuildKit: stages as a graph of operations, each found by a key of its inputs (spec/build.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layersim._core import Overlay, View
from layersim.build.cache import Done, Place, digest, pairs
from layersim.build.context.synced import SOURCES
from layersim.build.copied import Copying
from layersim.build.copying import make_workdir
from layersim.build.dockerfile import Add, Copy, CreatedBy, Run, Workdir, run_words
from layersim.build.documents import buildkit_document, dated
from layersim.build.draft import Draft
from layersim.build.metadata import change_config, working_dir
from layersim.build.mounted import MountedRun
from layersim.build.mounting import Mounting, Source
from layersim.build.plan import plan
from layersim.build.reason import Inputs, Reason
from layersim.build.result import Step
from layersim.build.running.surroundings import BUILDKIT, BUILDKIT20
from layersim.build.scope import Scope
from layersim.build.stage import StageState, instructions_of, located, run_step
from layersim.build.texts import copied_by, created_by
from layersim.errors import BuildError
from layersim.image import HistoryEntry
from layersim.image.instant import format_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim.build.dockerfile import Instruction
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Host, Request
    from layersim.image import Image

COMMENT = "buildkit.dockerfile.v0"
_OPERATIONS = (Run, Copy, Add, Workdir)


@dataclass(frozen=True)
class _Task:
    """One operation.

    Attributes
    ----------
    instruction : Instruction
        Variables replaced.
    created_by : str
        What history says.
    inputs : Inputs
        What decides whether it was done before; without its files, whose key is `content`.
    content : str
        The key of what it copies or mounts.
    work : callable
        Does it in a file system; gives that, and how long it took.
    copying : Copying, Mounting or None
        What is copied or mounted.
    """

    instruction: Instruction
    created_by: str
    inputs: Inputs
    work: Callable[[Overlay], tuple[Overlay, float]]
    content: str = ""
    copying: Copying | Mounting | None = None

    @property
    def key(self) -> str:
        """What it is found by."""
        one = self.inputs
        variables = pairs({**one.environment, **one.arguments})
        return digest(
            one.parent, type(self.instruction).__name__, one.instruction, variables, self.content, pairs(one.options)
        )

    @property
    def files(self) -> Mapping[str, str]:
        """Digests of what is copied, by path."""
        return {} if self.copying is None else self.copying.files()

    def rechecked(self) -> _Task:
        """Return it with the content that is there now, as far as it is copied from there."""
        if self.copying is None or not self.copying.recheck():
            return self
        return replace(self, content=self.copying.checksum())


class BuildKit:
    """One build by BuildKit.

    Parameters
    ----------
    host : Host
        The engine.
    request : Request
        What is built.
    """

    def __init__(self, host: Host, request: Request) -> None:
        self.host, self.request = host, request
        platform = (host.profile.os, host.profile.architecture)
        self._plan = plan(request.dockerfile, request.target, request.build_args, platform)
        self._stages: dict[int, _Stage] = {}
        self.steps: list[Step] = []
        # The paths of the context that were asked for; None until one is.
        self.asked: frozenset[str] | None = None

    def build(self) -> Image:
        """Build what the target needs; return its image.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            In the builder's words; nothing is kept but the cache of the steps before it.
        """
        is_whole = False
        try:
            for planned in self._plan.stages:
                self._stages[planned.index] = self._stage(planned)
            is_whole = True
        finally:
            self._note_sources(is_whole=is_whole)
        draft = self._stages[self._plan.target].state.draft
        if self.request.labels:
            labels = draft.config.get("Labels")
            known = labels if isinstance(labels, dict) else {}
            draft.config["Labels"] = {**known, **self.request.labels}
        draft.history = dated(draft.history)
        raw = buildkit_document(self.host.profile, self.request.dialect, draft)
        return self.host.keep_image(raw, draft.layers, "build", None)

    def _stage(self, planned: PlannedStage) -> _Stage:
        draft, scope, key = self._start(planned)
        triggers, draft.config["OnBuild"] = draft.triggers, None
        instructions = instructions_of(planned, triggers, self.request)
        count = 1 + sum(isinstance(instruction, _OPERATIONS) for instruction in instructions)
        stage = _Stage(self, StageState(planned, draft, scope), key, self._prefix(planned), count)
        stage.begin()
        for instruction in instructions:
            with located(self.request, instruction):
                stage.take(instruction)
        return stage

    def _start(self, planned: PlannedStage) -> tuple[Draft, Scope, str]:
        """Return what a stage starts from: an image on its way, variables, and the key of its files."""
        dialect, given = self.request.dialect, self.request.build_args
        if planned.base_stage is not None:
            below = self._stages[planned.base_stage]
            draft = below.state.draft.fork()
            scope = below.state.scope.inherited(draft.env)
            return draft, scope, below.key
        if planned.base == "scratch":
            draft, key = Draft.from_nothing(dialect), "scratch"
        else:
            image = self.host.get_image(planned.base)
            self.host.note_source(f"local source for {planned.base}", "regular", 0, image.layers, "")
            draft, key = Draft.upon(image), key_of_image(image)
        return draft, Scope(dialect, given, self._plan.globals, env=draft.env), key

    def _prefix(self, planned: PlannedStage) -> str:
        return "" if self._plan.is_single else f"{planned.name} "

    def _note_sources(self, *, is_whole: bool) -> None:
        """Let the cache count what was sent: of the context the files that were asked for."""
        context, note = self.request.context, self.host.note_source
        sizes = [len(context.dockerfile), context.ignore.size]
        if self.asked is not None:
            sizes.append(context.asked(self.asked, is_whole=is_whole))
        for name, size in zip(SOURCES, sizes, strict=False):
            note(name, "source.local", size, (), context.place)

    def tell(self, step: Step) -> int:
        """Take a step in; return its number."""
        number = len(self.steps) + 1
        self.steps.append(replace(step, number=number))
        return number

    def files_of(self, word: str, planned: PlannedStage) -> View:
        """Return the files of the stage or image that a ``--from`` names."""
        stage = planned.sources.get(word)
        return self._stages[stage].state.draft.view() if stage is not None else View(self.host.get_image(word).layers)

    def mounted(self, word: str, planned: PlannedStage) -> Source:
        """Return the stage or image that the ``from`` of a mount names."""
        if word in planned.mounted:
            stage = self._stages[planned.mounted[word]]
            return Source(stage.state.draft.view(), stage.key)
        if word == "scratch":
            return Source(View([]), word)
        image = self.host.get_image(word)
        return Source(View(image.layers), key_of_image(image))


def key_of_image(image: Image) -> str:
    """Return what the files of an image are known by."""
    return (image.chain_ids or (image.config_digest,))[-1]


class _Stage:
    """One stage: the image on its way, and the key of its files."""

    def __init__(self, builder: BuildKit, state: StageState, key: str, prefix: str, count: int) -> None:
        self._builder, self._host, self._request = builder, builder.host, builder.request
        self.state, self._draft, self.key = state, state.draft, key
        self._prefix, self._count, self._at = prefix, count, 0
        # The last step that was not taken from the cache, which all that follow it stand on.
        self._run_step: int | None = None

    def begin(self) -> None:
        """Tell of the base."""
        planned = self.state.planned
        text, line = planned.stage.text, planned.stage.line
        self._builder.tell(Step(0, self._label(), planned.name, text, line, Reason("base")))

    def take(self, instruction: Instruction) -> None:
        """Do one instruction."""
        evaluated = self.state.evaluated(instruction, self._request)
        if isinstance(evaluated, Run):
            self._do(self._run(evaluated))
        elif isinstance(evaluated, Copy | Add):
            self._do(self._copy(evaluated))
        elif isinstance(evaluated, Workdir):
            self._workdir(evaluated)
        else:
            self._metadata(evaluated)

    def _metadata(self, instruction: Instruction) -> None:
        change_config(self._draft, instruction, self._request.dialect)
        self._tell_metadata(instruction)
        text = created_by(instruction, self._draft, self.state.scope)
        if text is not None:
            self._remember(text, is_empty=True)

    def _tell_metadata(self, instruction: Instruction) -> None:
        planned = self.state.planned
        self._builder.tell(Step(0, "", planned.name, instruction.text, instruction.line, Reason("metadata")))

    def _remember(self, created_by: str, *, is_empty: bool = False, created_ns: int | None = None) -> None:
        created = None if created_ns is None else format_utc(created_ns)
        entry = HistoryEntry(created=created, created_by=created_by, comment=COMMENT, empty_layer=is_empty or None)
        self._draft.history.append(entry)

    def _run(self, instruction: Run) -> _Task:
        command = run_words(instruction, self._request.dialect, self._draft.shell)
        scope = self.state.scope
        if instruction.network == "host":
            raise BuildError("network.host is not allowed")
        mounting = Mounting.of(instruction, self.state, self._request, self._source)
        self._ask(mounting.asked())

        def work(fs: Overlay) -> tuple[Overlay, float]:
            around = BUILDKIT20 if self._request.dialect.is_old else BUILDKIT
            step = run_step(self.state, instruction, command, len(self._builder.steps) + 1, around)
            return MountedRun(self._host, self._request, mounting).run(fs, step, scope.run_env)

        network = "" if instruction.network in {None, "default"} else instruction.network or ""
        options = {"directory": self._draft.working_dir, "user": self._draft.user}
        options |= {"mount": mounting.told, "network": network}
        arguments = dict(scope.overrides)
        environment = {name: value for name, value in scope.env.items() if name not in arguments}
        inputs = Inputs(self.key, digest(*command), environment, arguments, {}, options)
        text = CreatedBy(self._request.dialect).run(command, scope.run_args)
        return _Task(instruction, text, inputs, work, mounting.checksum(), mounting)

    def _ask(self, paths: frozenset[str] | None) -> None:
        """Note what is asked for of the context."""
        if paths is not None:
            self._builder.asked = (self._builder.asked or frozenset()) | paths

    def _source(self, word: str) -> Source:
        """Return the stage or image that a mount names."""
        return self._builder.mounted(word, self.state.planned)

    def _copy(self, instruction: Copy | Add) -> _Task:
        word = instruction.source_stage if isinstance(instruction, Copy) else None
        view = self._builder.files_of(word, self.state.planned) if word is not None else None
        copying = Copying.of(instruction, self._request, view, self._host.now())
        self._ask(copying.asked())

        def work(fs: Overlay) -> tuple[Overlay, float]:
            copying.apply(fs, self._draft)
            return fs, 0.0

        text = f"{copying.names()} to {copying.dest(self._draft)}"
        parent = "" if instruction.link else self.key
        inputs = Inputs(parent, text, {}, {}, {}, copying.options())
        told = copied_by(instruction, self._draft, self.state.scope)
        return _Task(instruction, told, inputs, work, copying.checksum(), copying)

    def _workdir(self, instruction: Workdir) -> None:
        path = working_dir(self._draft, instruction.path)
        self._draft.config["WorkingDir"] = path
        if path == "/":
            self._tell_metadata(instruction)
            self._remember("WORKDIR /", is_empty=True)
            return

        def work(fs: Overlay) -> tuple[Overlay, float]:
            make_workdir(fs, path, self._request.dialect, user=self._draft.user)
            return fs, 0.0

        inputs = Inputs(self.key, path, {}, {}, {}, {"user": self._draft.user})
        self._do(_Task(instruction, f"WORKDIR {path}", inputs, work))

    def _do(self, task: _Task) -> None:
        kind = type(task.instruction).__name__
        place = Place("buildkit", self.state.planned.name, kind, self.state.ordinal(kind))
        found, key = self._found(task)
        if found is None:
            task = task.rechecked()
            found, key = self._found(task)
        reason, seconds = Reason("cached"), 0.0
        if found is None:
            inputs = replace(task.inputs, files=task.files)
            reason = self._reason(place, key, inputs)
            found, seconds = self._done(task)
            self._host.steps.remember(place, key, inputs)
        self._draft.layers.append(found.layer)
        is_link = isinstance(task.instruction, Copy | Add) and task.instruction.link
        # A layer that stands by itself is put on what is below only when both are needed.
        self.key = digest("merge", self.key, key) if is_link else key
        self._remember(task.created_by, created_ns=found.created_ns)
        planned, instruction = self.state.planned, task.instruction
        told = Step(0, self._label(), planned.name, instruction.text, instruction.line, reason, found.layer)
        size = self._host.profile.layer_sizes["build"](found.layer)
        number = self._builder.tell(replace(told, size=size, seconds=seconds))
        if reason.kind != "cached" and self._run_step is None:
            self._run_step = number

    def _found(self, task: _Task) -> tuple[Done | None, str]:
        key = task.key
        return None if self._request.no_cache else self._host.steps.find(key), key

    def _done(self, task: _Task) -> tuple[Done, float]:
        fs = Overlay(View(self._draft.layers), clock=self._host.now)
        fs, seconds = task.work(fs)
        layer = fs.to_layer(dialect=self._host.profile.layer_dialect)
        if isinstance(task.copying, Copying):
            task.copying.keep(layer)
        done = Done(task.key, layer, self._host.now())
        self._host.keep_step(done, [*self._draft.layers, layer], task.created_by)
        return done, seconds

    def _reason(self, place: Place, key: str, inputs: Inputs) -> Reason:
        if self._request.no_cache:
            return Reason("disabled")
        reason = self._host.steps.reason(place, key, lambda: inputs)
        return replace(reason, step=self._run_step) if reason.kind == "parent" else reason

    def _label(self) -> str:
        self._at += 1
        return f"{self._prefix}{self._at}/{self._count}"
