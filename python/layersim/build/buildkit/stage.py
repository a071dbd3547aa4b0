"""One stage while BuildKit builds it: each operation is found by a key of its inputs, or done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layersim._core import Overlay, View
from layersim.build.buildkit.inline import Made
from layersim.build.buildkit.mounted import MountedRun
from layersim.build.buildkit.naming import OPERATIONS, shown
from layersim.build.buildkit.task import Task
from layersim.build.cache import Done, Place, Start, digest, pairs
from layersim.build.copied import Copying
from layersim.build.copying import make_workdir
from layersim.build.dockerfile import Add, Copy, CreatedBy, Run, Workdir, run_words
from layersim.build.draft import MadeBy
from layersim.build.metadata import change_config, enter
from layersim.build.mounting import Mounting
from layersim.build.reason import ORDER, Inputs, Reason
from layersim.build.result import Step
from layersim.build.running.surroundings import BUILDKIT, BUILDKIT20
from layersim.build.stage import run_step
from layersim.build.texts import copied_by, created_by
from layersim.errors import BuildError
from layersim.image import HistoryEntry
from layersim.image.instant import format_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.build.buildkit.naming import StepNumbers
    from layersim.build.buildkit.session import Session, Sources
    from layersim.build.dockerfile import Instruction
    from layersim.build.mounting import Source
    from layersim.build.stage import StageState

COMMENT = "buildkit.dockerfile.v0"
_NO_INPUTS = Inputs("", "", {}, {}, {}, {})


class Stage:
    """One stage: the image on its way, and the key of its files.

    Parameters
    ----------
    session : Session
        What all stages of the build share.
    sources : Sources
        Where it copies and mounts from.
    state : StageState
        What it stands on.
    key : str
        The key of the files of that.
    numbers : StepNumbers
        What its steps are called.
    """

    def __init__(self, session: Session, sources: Sources, state: StageState, key: str, numbers: StepNumbers) -> None:
        self._session, self._host, self._request = session, session.host, session.request
        self._sources = sources
        self.state, self._draft, self.key, self._shown = state, state.draft, key, ""
        self._numbers, self._base = numbers, key
        # The last step that was not taken from the cache, which all that follow it stand on.
        self._run_step: int | None = None
        self.made: list[Made] = []
        # A stage that waits has keys alone, and tells of its steps when all is done.
        self.is_waiting, self.is_known = False, True
        self.told: list[Step] = []

    @property
    def chain(self) -> list[str]:
        """The keys of all that it stands on, the image first."""
        return [self._base, *(made.key for made in self.made)]

    def begin(self) -> None:
        """Tell of the base."""
        planned = self.state.planned
        text, line = planned.stage.text, planned.stage.line
        self._tell(Step(0, self._numbers.base(), planned.name, text, line, Reason("base")))

    def _tell(self, step: Step) -> int:
        """Take a step in; return its number, or 0 if the stage waits."""
        if not self.is_waiting:
            return self._session.steps.tell(step)
        self.told.append(step)
        return 0

    def take(self, instruction: Instruction, *, is_triggered: bool = False) -> None:
        """Do one instruction, one of the stage itself or one that the base says."""
        self._shown = self._line(instruction, is_triggered=is_triggered)
        evaluated = self.state.evaluated(instruction, self._request)
        if isinstance(evaluated, Run):
            self._do(self._run(evaluated))
        elif isinstance(evaluated, Copy | Add):
            # 20.10 forgets where what is triggered copies from.
            self._do(self._copy(evaluated, is_lost=is_triggered and self._request.dialect.is_old))
        elif isinstance(evaluated, Workdir):
            self._workdir(evaluated)
        else:
            self._metadata(evaluated)

    def _line(self, instruction: Instruction, *, is_triggered: bool) -> str:
        """Return what is printed of an operation."""
        if not isinstance(instruction, OPERATIONS):
            return ""
        request = self._request
        variables, escape = self.state.scope.variables, request.dockerfile.escape
        return shown(instruction, variables, request.dialect, escape, is_triggered=is_triggered)

    def _metadata(self, instruction: Instruction) -> None:
        change_config(self._draft, instruction, self._request.dialect)
        self._tell_metadata(instruction)
        text = created_by(instruction, self._draft, self.state.scope)
        if text is not None:
            self._remember(text, is_empty=True)

    def _tell_metadata(self, instruction: Instruction) -> None:
        planned = self.state.planned
        self._tell(Step(0, "", planned.name, instruction.text, instruction.line, Reason("metadata")))

    def _remember(self, created_by: str, *, is_empty: bool = False, created_ns: int | None = None) -> None:
        created = None if created_ns is None else format_utc(created_ns)
        entry = HistoryEntry(created=created, created_by=created_by, comment=COMMENT, empty_layer=is_empty or None)
        self._draft.history.append(entry)

    def _run(self, instruction: Run) -> Task:
        command = run_words(instruction, self._request.dialect, self._draft.shell)
        if not command:
            raise BuildError("failed to marshal LLB definition: arguments are required")
        scope = self.state.scope

        if instruction.network == "host":
            raise BuildError("network.host is not allowed")
        mounting = Mounting.of(instruction, self.state, self._request, self._source)
        if instruction.devices:
            raise BuildError("device feature is only supported in Dockerfile frontend 1.14.0-labs or later")
        self._ask(mounting.asked())

        def work(fs: Overlay) -> tuple[Overlay, float]:
            around = BUILDKIT20 if self._request.dialect.is_old else BUILDKIT
            step = run_step(self.state, instruction, command, len(self._session.steps) + 1, around)
            return MountedRun(self._host, self._request, mounting).run(fs, step, scope.run_env)

        network = "" if instruction.network in {None, "default"} else instruction.network or ""
        options = {"directory": self._draft.named_dir or "/", "user": self._draft.user}
        options |= {"mount": mounting.told, "network": network}
        arguments = dict(scope.overrides)
        environment = {name: value for name, value in scope.env.items() if name not in arguments}
        options[ORDER] = " ".join(name for name, _ in scope.ordered)
        inputs = Inputs(self.key, digest(*command), environment, arguments, {}, options)
        text = CreatedBy(self._request.dialect).run(command, scope.run_args)
        task = Task(instruction, text, inputs, work, mounting.checksum(), mounting)
        return replace(task, variables=scope.ordered, command=tuple(command))

    def _ask(self, paths: frozenset[str] | None) -> None:
        """Note what is asked for of the context."""
        if paths is not None:
            self._session.ask(paths)

    def _source(self, word: str) -> Source:
        """Return the stage or image that a mount names."""
        return self._sources.mounted(word, self.state.planned)

    def _copy(self, instruction: Copy | Add, *, is_lost: bool) -> Task:
        word = instruction.source_stage if isinstance(instruction, Copy) else None
        told = copied_by(instruction, self._draft, self.state.scope)
        definition = self._definition(instruction, word) if not is_lost else ""
        known = self._session.imports.definitions.get(definition, "") if not self._request.no_cache else ""
        if known or (definition and self.is_waiting):
            self.is_known &= bool(known)
            return Task(instruction, told, _NO_INPUTS, lambda fs: (fs, 0.0), definition=definition, known_key=known)
        view: View | None = None
        if word is not None:
            view = View([]) if is_lost else self._sources.files_of(word, self.state.planned)
        copying = Copying.of(instruction, self._request, view, self._host.now())
        self._ask(copying.asked())
        for url, size in copying.downloads().items():
            self._host.note_start(Start(f"http url {url}", f"http url {url}", size=size))

        def work(fs: Overlay) -> tuple[Overlay, float]:
            copying.apply(fs, self._draft)
            return fs, 0.0

        text = f"{copying.names()} to {copying.dest(self._draft)}"
        inputs = Inputs(self.key, text, {}, {}, {}, self._options(copying))
        return Task(instruction, told, inputs, work, copying.checksum(), copying, definition)

    def _definition(self, instruction: Copy | Add, word: str | None) -> str:
        """Return what a step that copies from another stage is, without looking at the files of that."""
        stage = self.state.planned.sources.get(word) if word is not None else None
        below = self._sources.key_of(stage) if stage is not None else ""
        if not below:
            return ""
        copying = Copying(instruction, (), self._request)
        words = digest(*instruction.sources, copying.dest(self._draft))
        return digest("definition", self.key, words, below, pairs(self._options(copying)))

    def _options(self, copying: Copying) -> dict[str, str]:
        """Return what else counts; only a store of snapshots makes of a linked COPY a layer by itself."""
        is_linked = copying.instruction.link and self._host.profile.keeps_blobs
        return copying.options() | ({"link": "yes"} if is_linked else {})

    def _workdir(self, instruction: Workdir) -> None:
        path = enter(self._draft, instruction.path)
        if path == "/":
            self._tell_metadata(instruction)
            self._remember("WORKDIR /", is_empty=True)
            return

        def work(fs: Overlay) -> tuple[Overlay, float]:
            make_workdir(fs, path, self._request.dialect, user=self._draft.user)
            return fs, 0.0

        inputs = Inputs(self.key, path, {}, {}, {}, {"user": self._draft.user})
        self._do(Task(instruction, f"WORKDIR {path}", inputs, work))

    def _do(self, task: Task) -> None:
        if not self.is_known:
            return
        kind = type(task.instruction).__name__
        place = Place("buildkit", self.state.planned.name, kind, self.state.ordinal(kind))
        key = task.key
        found, reason = self._found(key)
        if found is None and reason.kind != "cached":
            task = task.rechecked()
            key = task.key
            found, reason = self._found(key)
        if self.is_waiting:
            self.is_known = reason.kind == "cached"
            self._wait(task, key, reason)
            return
        label, seconds = self._numbers.next(), 0.0
        if found is not None and reason.image is not None:
            self._host.keep_step(found, [*self._draft.layers, found.layer], self._described(task, label))
        if found is None:
            inputs = replace(task.inputs, files=task.files)
            reason = self._reason(place, key, inputs)
            found, seconds = self._done(task, label)
            self._host.steps.remember(place, key, inputs)
        self.made.append(Made(key, task.definition, len(self._draft.layers), found.created_ns))
        self._draft.layers.append(found.layer)
        self.key = key
        self._remember(task.created_by, created_ns=found.created_ns)
        planned, instruction = self.state.planned, task.instruction
        self._draft.made_by.append(MadeBy(self._described(task, label), found.created_ns))
        told = Step(
            number=len(self._session.steps) + 1,
            label=label,
            stage=planned.name,
            instruction=instruction.text,
            line=instruction.line,
            reason=reason,
            layer=found.layer,
            size=self._host.profile.layer_sizes["build"](found.layer),
            seconds=seconds,
            shown=self._shown,
        )
        number = self._tell(told)
        if reason.kind != "cached" and self._run_step is None:
            self._run_step = number

    def _found(self, key: str) -> tuple[Done | None, Reason]:
        """Return what the step made before, here or as an image tells."""
        if self._request.no_cache:
            return None, Reason("disabled")
        found, imported = self._host.steps.find(key), self._session.imports.steps.get(key)
        if found is not None:
            return found, Reason("cached")
        if imported is None or (imported.done is None and not self.is_waiting):
            return None, Reason("first")
        return imported.done, Reason("cached", image=imported.name)

    def _wait(self, task: Task, key: str, reason: Reason) -> None:
        """Count a step that need not be done."""
        self.made.append(Made(key, task.definition, None, 0))
        self.key = key
        self._remember(task.created_by)
        planned, instruction = self.state.planned, task.instruction
        told = Step(0, self._numbers.next(), planned.name, instruction.text, instruction.line, reason)
        self._tell(replace(told, shown=self._shown))

    def _described(self, task: Task, label: str) -> str:
        """Return what BuildKit tells of a layer where history does not."""
        if isinstance(task.instruction, Run):
            return f"mount / from exec {' '.join(task.command)}"
        return "fileop target" if self._request.dialect.is_old else f"[{label}] {self._shown}"

    def _done(self, task: Task, label: str) -> tuple[Done, float]:
        fs = Overlay(View(self._draft.layers), clock=self._host.now)
        fs, seconds = task.work(fs)
        layer = fs.to_layer(dialect=self._host.profile.layer_dialect)
        if isinstance(task.copying, Copying):
            task.copying.keep(layer)
        done = Done(task.key, layer, self._host.now())
        self._host.keep_step(done, [*self._draft.layers, layer], self._described(task, label))
        self._session.uses.ran(task.key, [self.key, *self._origins(task)])
        return done, seconds

    def _origins(self, task: Task) -> Iterator[str]:
        """Yield the keys of the stages and images that a step copies or mounts from."""
        one = task.instruction
        if isinstance(one, Copy) and one.source_stage is not None:
            yield self._sources.origin_of(one.source_stage, self.state.planned)
        if isinstance(task.copying, Mounting):
            yield from (wanted.origin for wanted in task.copying.wanted if wanted.origin)

    def _reason(self, place: Place, key: str, inputs: Inputs) -> Reason:
        if self._request.no_cache:
            return Reason("disabled")
        reason = self._host.steps.reason(place, key, lambda: inputs)
        return replace(reason, step=self._run_step) if reason.kind == "parent" else reason
