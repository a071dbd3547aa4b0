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
from layersim.build.dockerfile import Add, Copy, CreatedBy, Run, Workdir, run_scripts, run_words
from layersim.build.draft import MadeBy
from layersim.build.metadata import change_config, cleaned, enter
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

    from layersim._core import Layer
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
        # The steps whose layers its files are of: several where layers by themselves were merged.
        self.ends = [key]
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
        scope = self.state.scope

        mounting = Mounting.of(instruction, self.state, self._request, self._source)
        if instruction.devices:
            raise BuildError("device feature is only supported in Dockerfile frontend 1.14.0-labs or later")
        self._ask(mounting.asked())

        def work(fs: Overlay) -> tuple[Overlay, float]:
            around = BUILDKIT20 if self._request.dialect.is_old else BUILDKIT
            step = run_step(self.state, instruction, command, len(self._session.steps) + 1, around)
            return MountedRun(self._host, self._request, mounting).run(fs, step, scope.run_env)

        network = "" if instruction.network in {None, "default"} else instruction.network or ""
        options = {"directory": self._draft.working_dir or "/", "user": self._draft.user}
        options |= {"mount": mounting.told, "network": network}
        arguments = dict(scope.overrides)
        environment = {name: value for name, value in scope.env.items() if name not in arguments}
        options[ORDER] = " ".join(name for name, _ in scope.ordered)
        told = digest(*command, *(part for pair in run_scripts(instruction, scope.dialect).items() for part in pair))
        inputs = Inputs(self.key, told, environment, arguments, {}, options)
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

        is_linked = self._is_linked(instruction)

        def work(fs: Overlay) -> tuple[Overlay, float]:
            target = Overlay(View([]), clock=self._host.now) if is_linked else fs
            copying.apply(target, self._draft)
            return target, 0.0

        text = f"{copying.names()} to {copying.dest(self._draft)}"
        inputs = Inputs("" if is_linked else self.key, text, {}, {}, {}, self._options(copying))
        return Task(instruction, told, inputs, work, copying.checksum(), copying, definition, is_linked=is_linked)

    def _is_linked(self, instruction: Copy | Add) -> bool:
        """Tell whether a COPY makes a layer by itself, upon nothing; only a store of snapshots merges such layers."""
        return instruction.link and self._host.profile.keeps_blobs

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
        """Return what else counts."""
        return copying.options() | ({"link": "yes"} if self._is_linked(copying.instruction) else {})

    def _workdir(self, instruction: Workdir) -> None:
        path = enter(self._draft, instruction.path, self._request.dialect)
        place = cleaned(path)
        if path == "/":
            self._tell_metadata(instruction)
            self._remember("WORKDIR /", is_empty=True)
            return

        def work(fs: Overlay) -> tuple[Overlay, float]:
            make_workdir(fs, place, self._request.dialect, user=self._draft.user)
            return fs, 0.0

        inputs = Inputs(self.key, place, {}, {}, {}, {"user": self._draft.user})
        self._do(Task(instruction, f"WORKDIR {path}", inputs, work))

    def _do(self, task: Task) -> None:
        if not self.is_known:
            return
        kind = type(task.instruction).__name__
        place = Place("buildkit", self.state.planned.name, kind, self.state.ordinal(kind))
        task, found, reason = self._sought(task)
        if self.is_waiting:
            self._wait(task, reason)
            return
        label, seconds = self._numbers.next(), 0.0
        if found is None:
            reason = self._reason(place, task)
            found, seconds = self._done(place, task, label)
        elif reason.image is not None:
            self._host.keep_step(found, [*self._draft.layers, found.layer], self._described(task, label))
        self.made.append(Made(found.key, task.definition, len(self._draft.layers), found.created_ns))
        self._draft.layers.append(found.layer)
        self._draft.made_by.append(MadeBy(self._described(task, label), found.created_ns))
        self._remember(task.created_by, created_ns=found.created_ns)
        is_merged = self._stand_on(task, found, label)
        if is_merged and reason.kind == "cached":
            reason = Reason("merged")
        told = self._step(task, label, reason, found.layer, seconds)
        number = self._tell(told)
        if told.was_run and self._run_step is None:
            self._run_step = number

    def _step(self, task: Task, label: str, reason: Reason, layer: Layer | None = None, seconds: float = 0.0) -> Step:
        planned, instruction = self.state.planned, task.instruction
        return Step(
            number=len(self._session.steps) + 1,
            label=label,
            stage=planned.name,
            instruction=instruction.text,
            line=instruction.line,
            reason=reason,
            layer=layer,
            size=0 if layer is None else self._host.profile.layer_sizes["build"](layer),
            seconds=seconds,
            shown=self._shown,
        )

    def _stand_on(self, task: Task, found: Done, label: str) -> bool:
        """Go on from what a step made; tell whether a layer by itself was merged anew with what lies below."""
        if not task.is_linked:
            self.ends, self.key = [found.key], found.key
            return False
        self.ends = [*self.ends, found.key]
        self.key = digest("merge", self.key, found.key)
        if self._host.steps.find(self.key) is not None and not self._request.no_cache:
            return False
        merged = Done(self.key, found.layer, found.created_ns)
        self._host.keep_step(merged, self._draft.layers, self._described(task, label, "LINK "), size=0)
        return True

    def _sought(self, task: Task) -> tuple[Task, Done | None, Reason]:
        """Look for what a task made before; what may have changed meanwhile is looked at again."""
        found, reason = self._found(task.key)
        if found is None and reason.kind != "cached":
            task = task.rechecked()
            found, reason = self._found(task.key)
        return task, found, reason

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

    def _wait(self, task: Task, reason: Reason) -> None:
        """Count a step that need not be done."""
        self.is_known = reason.kind == "cached"
        self.made.append(Made(task.key, task.definition, None, 0))
        self.key = task.key
        self._remember(task.created_by)
        self._tell(self._step(task, self._numbers.next(), reason))

    def _described(self, task: Task, label: str, merging: str = "") -> str:
        """Return what BuildKit tells of a layer where history does not."""
        if isinstance(task.instruction, Run):
            return f"mount / from exec {' '.join(task.command)}"
        return "fileop target" if self._request.dialect.is_old else f"[{label}] {merging}{self._shown}"

    def _done(self, place: Place, task: Task, label: str) -> tuple[Done, float]:
        fs = Overlay(View(self._draft.layers), clock=self._host.now)
        fs, seconds = task.work(fs)
        layer = fs.to_layer(dialect=self._host.profile.layer_dialect)
        if isinstance(task.copying, Copying):
            task.copying.keep(layer)
        done = Done(task.key, layer, self._host.now())
        self._host.keep_step(done, [*self._draft.layers, layer], self._described(task, label))
        below = [] if task.is_linked else self.ends
        self._session.uses.ran(task.key, [*below, *self._origins(task)])
        self._host.steps.remember(place, task.key, task.told_inputs)
        return done, seconds

    def _origins(self, task: Task) -> Iterator[str]:
        """Yield the keys of the stages and images that a step copies or mounts from."""
        one = task.instruction
        if isinstance(one, Copy) and one.source_stage is not None:
            yield self._sources.origin_of(one.source_stage, self.state.planned)
        if isinstance(task.copying, Mounting):
            yield from (wanted.origin for wanted in task.copying.wanted if wanted.origin)

    def _reason(self, place: Place, task: Task) -> Reason:
        if self._request.no_cache:
            return Reason("disabled")
        reason = self._host.steps.reason(place, task.key, lambda: task.told_inputs)
        return replace(reason, step=self._run_step) if reason.kind == "parent" else reason
