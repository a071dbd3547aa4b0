"""A build by BuildKit: the stages that its target needs, and where they find each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layersim._core import View
from layersim.build.buildkit.bases import image_of_name
from layersim.build.buildkit.inline import inline_cache
from layersim.build.buildkit.naming import StepNumbers
from layersim.build.buildkit.reading import Reading
from layersim.build.buildkit.session import Session
from layersim.build.buildkit.stage import Stage
from layersim.build.cache import Start
from layersim.build.context.synced import SOURCES
from layersim.build.dockerfile.golang import go_quote
from layersim.build.documents import buildkit_document, completed, dated
from layersim.build.mounting import Source
from layersim.build.plan import triggered_by
from layersim.build.stage import StageState, located, planned_stages
from layersim.errors import BuildError, InvalidReferenceError
from layersim.image.grammar import is_image_id, parse_name, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.build.buildkit.inline import Made
    from layersim.build.dockerfile import Instruction
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Host, Request
    from layersim.image import Image


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
        self._host, self.request = host, request
        self.plan = planned_stages(host, request)
        self._stages: dict[int, Stage] = {}
        self._session = Session(host, request)
        self.steps, self.warnings = self._session.steps, self._session.imports.warnings
        # Stages whose steps an image tells of: they are built if their files turn out to be needed.
        self._waiting: dict[int, Stage] = {}
        self._check_names()

    def image(self, name: str) -> Image:
        """Return the image of a name.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            There is none.
        """
        return image_of_name(self._host, name)

    def _check_names(self) -> None:
        """Refuse what names no image in a FROM, be it of a stage that is not needed."""
        for planned in self.plan.written:
            if planned.base_stage is None and planned.base != "scratch" and not is_image_id(planned.base):
                try:
                    parse_name(planned.base, self._host.profile.naming.grammar)
                except InvalidReferenceError as error:
                    raise InvalidReferenceError(_unnamed(planned.base, error)) from error

    def build(self) -> Image:
        """Build what the target needs; return its image.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            In the builder's words; nothing is kept but the cache of the steps before it.
        """
        is_whole, ends, chain = False, [""], [""]
        Reading(self.request, self.plan, self._named).check()
        try:
            for planned in self.plan.stages:
                if planned.index in self._stages:
                    continue
                if planned.index == self.plan.target or not self._may_wait(planned):
                    self._stages[planned.index] = self._stage(planned)
            target = self._stages[self.plan.target]
            is_whole, ends, chain = True, target.ends, target.chain
        finally:
            self._note_sources(is_whole=is_whole)
            self._session.uses.count(ends, chain)
        for waiting in self._waiting.values():
            for step in waiting.told:
                self.steps.tell(step)
        draft = target.state.draft
        if self.request.labels:
            labels = draft.config.get("Labels")
            known = labels if isinstance(labels, dict) else {}
            draft.config["Labels"] = {**known, **self.request.labels}
        draft.history = dated(completed(draft, self._host.now()))
        others = (stage for stage in (*self._stages.values(), *self._waiting.values()) if stage is not target)
        elsewhere = (replace(made, position=None) for stage in others for made in stage.made)
        kept = inline_cache(self.request.build_args, [*target.made, *elsewhere])
        raw = buildkit_document(self._host.profile, self.request.dialect, draft, kept)
        return self._host.keep_image(raw, draft.layers, "build", draft.base)

    def _may_wait(self, planned: PlannedStage) -> bool:
        """Tell whether an image tells of all steps of a stage, so that only its key is needed for now."""
        if self.request.no_cache or not self._session.imports.steps:
            return False
        stage = self._stage(planned, is_waiting=True)
        if stage.is_known:
            self._waiting[planned.index] = stage
        return stage.is_known

    def _stage_of(self, index: int) -> Stage:
        """Return a stage that is built, which may be now."""
        if index in self._waiting:
            waiting = self._waiting.pop(index)
            self._stages[index] = self._stage(waiting.state.planned)
        elif index not in self._stages:
            # A mount may name a later stage.
            self._stages[index] = self._stage(self.plan.written[index])
        return self._stages[index]

    def key_of(self, index: int) -> str:
        """Return the key of the files of a stage, built or not; nothing of one that comes later."""
        stage = self._waiting.get(index) or self._stages.get(index)
        return stage.key if stage is not None else ""

    def _stage(self, planned: PlannedStage, *, is_waiting: bool = False) -> Stage:
        state, key, made = self._start(planned, is_waiting=is_waiting)
        draft, dialect = state.draft, self.request.dialect
        triggered = triggered_by(draft.triggers, dialect, planned.base)
        draft.config["OnBuild"] = None
        numbers = StepNumbers.of(planned, self.plan, triggered, dialect)
        stage = Stage(self._session, self, state, key, numbers)
        stage.made, stage.is_waiting = made, is_waiting
        stage.begin()
        self._take(stage, triggered, is_triggered=True)
        if dialect.is_old:
            draft.config["OnBuild"] = None
        self._take(stage, planned.stage.instructions)
        return stage

    def _take(self, stage: Stage, instructions: Sequence[Instruction], *, is_triggered: bool = False) -> None:
        for instruction in instructions:
            if not stage.is_known:
                break
            with located(self.request, instruction):
                stage.take(instruction, is_triggered=is_triggered)

    def _start(self, planned: PlannedStage, *, is_waiting: bool) -> tuple[StageState, str, list[Made]]:
        """Return what a stage starts from: an image on its way, the key of its files, and its steps."""
        if planned.base_stage is not None:
            waiting = self._waiting.get(planned.base_stage) if is_waiting else None
            below = waiting or self._stage_of(planned.base_stage)
            return below.state.continued(planned), below.key, list(below.made)
        base = None if planned.base == "scratch" else self.image(planned.base)
        key = "scratch" if base is None else self._session.uses.add_base(base)
        return StageState.upon(planned, base, self.request, self.plan.globals), key, []

    def _note_sources(self, *, is_whole: bool) -> None:
        """Let the cache count what was sent: of the context the files that were asked for."""
        context = self.request.context
        sizes = [len(context.dockerfile), context.ignore.size]
        if self._session.asked is not None:
            sizes.append(context.asked(self._session.asked, is_whole=is_whole))
        for (name, description), size in zip(SOURCES.items(), sizes, strict=False):
            self._host.note_start(Start(name, description, "source.local", size, place=context.place))

    def files_of(self, word: str, planned: PlannedStage) -> View:
        """Return the files of the stage or image that a ``--from`` names."""
        stage = planned.sources.get(word)
        if stage is None:
            return View(self._named(word).layers)
        if stage in self._stages or stage in self._waiting:
            return self._stage_of(stage).state.draft.view()
        return self._begun(stage, planned)

    def origin_of(self, word: str, planned: PlannedStage) -> str:
        """Return the key of the files that a ``--from`` names."""
        stage = planned.sources.get(word)
        return self.key_of(stage) if stage is not None else self._session.uses.add_base(self._named(word))

    def _begun(self, index: int, planned: PlannedStage) -> View:
        """Return the files of a stage that comes later: to 20.10 they are those of its image."""
        later = self.plan.written[index]
        if not self.request.dialect.is_old:
            rule = f'it needs to be defined before current stage "{planned.name}"'
            raise BuildError(f'cannot copy from stage "{later.name}", {rule}')
        if later.base_stage is not None or later.base == "scratch":
            return View([])
        return View(self.image(later.base).layers)

    def _named(self, word: str) -> Image:
        try:
            return self.image(word)
        except InvalidReferenceError as error:
            raise BuildError(_unnamed(word, error)) from error

    def mounted(self, word: str, planned: PlannedStage) -> Source:
        """Return the stage or image that the ``from`` of a mount names."""
        if word in planned.mounted:
            stage = self._stage_of(planned.mounted[word])
            return Source(stage.state.draft.view(), stage.key)
        if word == "scratch":
            return Source(View([]), word)
        image = self.image(word)
        return Source(View(image.layers), self._session.uses.add_base(image))


def _unnamed(text: str, error: InvalidReferenceError) -> str:
    return f"failed to parse stage name {go_quote(text)}: {refusal(error, text)}"
