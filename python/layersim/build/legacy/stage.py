"""One stage while the legacy builder builds it: each instruction is found among images, or makes one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layersim._core import Overlay, View, sha256
from layersim.build.cache import Place
from layersim.build.context.patterns import clean
from layersim.build.copied import Copying
from layersim.build.copying import make_workdir
from layersim.build.dockerfile import Add, Copy, CreatedBy, Run, Workdir, run_words
from layersim.build.documents import Child, legacy_document
from layersim.build.draft import Draft
from layersim.build.legacy.probing import fingerprint
from layersim.build.legacy.volatile import ContainerFs
from layersim.build.metadata import change_config, cleaned, enter
from layersim.build.reason import CONTAINER, Inputs, Reason
from layersim.build.result import Step
from layersim.build.running import Sandbox
from layersim.build.running.surroundings import legacy
from layersim.build.stage import StageState, demand_no_flags, perform, run_step
from layersim.build.texts import copied_by, created_by, step_words
from layersim.container import container_view
from layersim.errors import BuildError
from layersim.profiles.commit import EMPTY_LAYER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim._core import Layer
    from layersim.build.dockerfile import Instruction
    from layersim.build.legacy.probing import Prober
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Host, Request
    from layersim.build.result import Telling
    from layersim.image import Image
    from layersim.image.document import Json


@dataclass(frozen=True)
class _Task:
    """One instruction that makes an image.

    Attributes
    ----------
    instruction : Instruction
        Variables replaced.
    config : dict
        Of the container in which it is done; its ``Cmd`` says what it is.
    work : callable
        Does it; gives the layer, or None where nothing is written, and how long it took.
    has_container : bool
        Whether the image tells of a container.
    arguments, files : callable
        What else it depends on, by name and by path.
    """

    instruction: Instruction
    config: dict[str, Json]
    work: Callable[[], tuple[Layer | None, float]]
    has_container: bool = True
    arguments: Callable[[], Mapping[str, str]] = dict
    files: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True)
class Session:
    """What all stages of one build share.

    Attributes
    ----------
    host : Host
        The engine.
    request : Request
        What is built.
    steps : Telling
        What was done.
    prober : Prober
        Finds what was done before.
    files_of : callable
        Gives the files of the stage or image that a ``--from`` of a stage names.
    """

    host: Host
    request: Request
    steps: Telling
    prober: Prober
    files_of: Callable[[str, PlannedStage], View]


class Stage:
    """One stage: the image that it has come to, and what the next instruction makes of it."""

    def __init__(self, session: Session, state: StageState, base: Image | None) -> None:
        self._session, self._host, self._request = session, session.host, session.request
        self._state, self._draft = state, state.draft
        self.image = base
        self._label = ""
        # The working directory that is known to be there, upon how many layers.
        self._seen_dir = ("", 0)

    def take(self, instruction: Instruction, label: str) -> None:
        """Do one instruction, or find the image that it made before."""
        self._label = label
        self._draft.config["Image"] = self.image.id if self.image is not None else ""
        evaluated = self._state.evaluated(instruction, self._request)
        if isinstance(evaluated, Run):
            task = self._run(evaluated)
        elif isinstance(evaluated, Copy | Add):
            task = self._copy(evaluated)
        elif isinstance(evaluated, Workdir):
            task = self._workdir(evaluated)
        else:
            change_config(self._draft, evaluated, self._request.dialect)
            text = created_by(evaluated, self._draft, self._state.scope) or ""
            task = _Task(evaluated, self._config(text), lambda: (self._made_directory(), 0.0))
        self._do(task)

    def _config(self, text: str) -> dict[str, Json]:
        """Return the config of the container in which a step is done that history tells of so."""
        return self._draft.config | {"Cmd": list(step_words(text, self._draft.shell))}

    def _run(self, instruction: Run) -> _Task:
        demand_no_flags(instruction, self._request.dialect)
        command = run_words(instruction, self._request.dialect, self._draft.shell)
        arguments = self._state.scope.run_args
        told = [] if arguments is None else [f"|{len(arguments)}", *(f"{name}={value}" for name, value in arguments)]

        config: dict[str, Json] = {"Cmd": [*told, *command], "Entrypoint": None}

        def work() -> tuple[Layer | None, float]:
            container = ContainerFs.of(self._view().layers, self._draft, self._host.now)
            around = legacy(self._container_id(config["Cmd"]), is_old=self._request.dialect.is_old)
            step = run_step(self._state, instruction, command, len(self._session.steps) + 1, around)
            if isinstance(self._request.run, Sandbox):  # which mounts volumes itself
                step = step.with_mounts(container.mounts)
            seconds = perform(self._request, step, container.fs, self._state.scope.run_env)
            return self._written(container.fs), seconds

        return _Task(instruction, self._draft.config | config, work, arguments=lambda: dict(arguments or ()))

    def _copy(self, instruction: Copy | Add) -> _Task:
        word = instruction.source_stage if isinstance(instruction, Copy) else None
        view = self._session.files_of(word, self._state.planned) if word is not None else None
        copying = Copying.of(instruction, self._request, view, self._host.now())
        text = copied_by(instruction, self._draft, self._state.scope, copying.source_sum())

        def work() -> tuple[Layer | None, float]:
            fs = Overlay(self._view(), clock=self._host.now)
            copying.apply(fs, self._draft)
            return self._written(fs), 0.0

        return _Task(instruction, self._config(text), work, has_container=False, files=copying.files)

    def _workdir(self, instruction: Workdir) -> _Task:
        path = enter(self._draft, instruction.path, self._request.dialect)
        config = self._config(CreatedBy(self._request.dialect, self._draft.shell).workdir(path))
        return _Task(
            instruction, config, lambda: (self._written(self._fs_with_directory(path)), 0.0), has_container=False
        )

    def _made_directory(self) -> Layer | None:
        """Return what making the container of a step adds: the directory that it would work in, where it is missing."""
        place = (self._draft.working_dir, len(self.image.layers) if self.image is not None else 0)
        if not place[0] or place == self._seen_dir:
            return None
        self._seen_dir = place
        return self._written(self._fs_with_directory(place[0]))

    def _fs_with_directory(self, path: str) -> Overlay:
        fs = Overlay(container_view(self._view().layers, self._host.now()), clock=self._host.now)
        make_workdir(fs, cleaned(path), self._request.dialect)
        return fs

    def _do(self, task: _Task) -> None:
        below, line = self.image, task.instruction.line
        self._check_env(is_run=isinstance(task.instruction, Run))
        told = Step(0, self._label, self._state.planned.name, task.instruction.text, line, Reason("cached"))
        found = self._session.prober.probe(below, task.config)
        if found is not None:
            self.image = found.image
            reason = replace(told.reason, image=found.name or None)
            self._session.steps.tell(replace(told, reason=reason, image_id=found.image.id))
            return
        inputs = self._inputs(task)
        kind = type(task.instruction).__name__
        place = Place("legacy", self._state.planned.name, kind, self._state.ordinal(kind))
        reason = self._reason(place, inputs)
        layer, seconds = task.work()
        self.image = self._kept(task, layer)
        self._host.steps.remember(place, self.image.id, inputs)
        size = self.image.layer_sizes[-1] if layer is not None else 0
        done = replace(told, reason=reason, layer=layer, size=size, seconds=seconds, image_id=self.image.id)
        number = self._session.steps.tell(done)
        if self._session.prober.missed_at is None:
            self._session.prober.missed_at = number

    def _check_env(self, *, is_run: bool) -> None:
        """Refuse a variable without a name, with which no container can be made."""
        variables = self._state.scope.variables if is_run else self._draft.env
        if "" in variables:
            raise BuildError(f"invalid environment variable: ={variables['']}")

    def _reason(self, place: Place, inputs: Inputs) -> Reason:
        if self._request.no_cache:
            return Reason("disabled")
        if self._session.prober.missed_at is not None:
            return Reason("parent", step=self._session.prober.missed_at)
        return self._host.steps.reason(place, "", lambda: inputs)

    def _inputs(self, task: _Task) -> Inputs:
        config = task.config
        options = {
            name: str(config[name]) for name in ("User", "WorkingDir", "Labels", "ExposedPorts") if config.get(name)
        }
        if self._host.profile.keeps_blobs:
            options[CONTAINER] = fingerprint(self._step_config(task))
        parent = self.image.id if self.image is not None else ""
        return Inputs(parent, task.instruction.text, self._draft.env, task.arguments(), task.files(), options)

    def _kept(self, task: _Task, layer: Layer | None) -> Image:
        parent, words = self.image, task.config["Cmd"]
        parent_id = parent.id if parent is not None else ""
        container_id = self._container_id(words)
        child = Child(
            config=self._draft.config,
            step_config=self._step_config(task),
            container_id=container_id if task.has_container else "",
            diff_id=layer.diff_id if layer is not None else None,
            created_ns=self._host.now(),
            author=self._draft.author,
        )
        raw = legacy_document(self._host.profile, self._request.dialect, parent, child)
        is_copied = isinstance(task.instruction, Copy | Add)
        layers = [*(parent.layers if parent is not None else ()), *([layer] if layer is not None else [])]
        return self._host.keep_image(raw, layers, "commit", parent_id or None, is_copied=is_copied)

    def _step_config(self, task: _Task) -> dict[str, Json]:
        """Return the config of the container in which a step is done."""
        return task.config | self._container_config(task, self._container_id(task.config["Cmd"]))

    def _container_id(self, words: Json) -> str:
        parent_id = self.image.id if self.image is not None else ""
        return sha256(f"step {parent_id} {words}".encode(errors="surrogateescape"))[7:]

    def _container_config(self, task: _Task, container_id: str) -> dict[str, Json]:
        """Return what the container of a step has in its config that the image has not."""
        found: dict[str, Json] = {"Hostname": container_id[:12]} if task.has_container else {}
        if self.image is None or isinstance(task.instruction, Run | Copy | Add):
            return found
        entrypoint = task.config.get("Entrypoint") or Draft.upon(self.image).config.get("Entrypoint")
        told = found | {"Labels": task.config.get("Labels") or {}, "Entrypoint": entrypoint}
        directory = self._draft.working_dir
        return told | ({"WorkingDir": clean(directory)} if directory else {})

    def _view(self) -> View:
        return View(self.image.layers if self.image is not None else [])

    def _written(self, fs: Overlay) -> Layer | None:
        layer = fs.to_layer(dialect=self._host.profile.layer_dialect)
        return None if layer.diff_id == EMPTY_LAYER else layer
