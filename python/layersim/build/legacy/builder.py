"""A build by the builder in the engine: its stages in order, each an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import View
from layersim.build.legacy.probing import Prober
from layersim.build.legacy.stage import Session, Stage
from layersim.build.named import unknown_image
from layersim.build.plan import INTEGER, triggered_by
from layersim.build.reason import Reason
from layersim.build.result import Step, Telling
from layersim.build.stage import StageState, labels_of, located, planned_stages
from layersim.errors import BuildError, InvalidReferenceError
from layersim.image.grammar import refusal

if TYPE_CHECKING:
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Host, Request
    from layersim.image import Image


class LegacyBuilder:
    """One build by the builder in the engine.

    Parameters
    ----------
    host : Host
        The engine.
    request : Request
        What is built.
    """

    def __init__(self, host: Host, request: Request) -> None:
        self._host, self.request = host, request
        self._plan = planned_stages(host, request)
        self._images: dict[int, Image | None] = {}
        prober = Prober(host, request)
        self.steps = Telling(request.progress)
        self._session = Session(host, request, self.steps, prober, self._files_of)
        self.warnings = [f"cache_from: {unknown_image(name)}" for name in prober.missing]
        self._total = len(request.dockerfile.globals) + len(request.labels)
        self._told = 0
        self._total += sum(1 + len(stage.instructions) for stage in request.dockerfile.stages[: self._plan.target + 1])

    def build(self) -> Image:
        """Build all stages up to the target; return the image of the last one.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            In the builder's words; images of the steps before it stay, as with the builder.
        """
        for argument in self.request.dockerfile.globals:
            self.steps.tell(Step(0, self._count(), "", argument.text, argument.line, Reason("metadata")))
        for planned in self._plan.stages:
            self._images[planned.index] = self._stage(planned)
        if self._plan.fault is not None:
            raise self._plan.fault
        image = self._images[self._plan.target]
        if image is None:
            raise BuildError("No image was generated. Is your Dockerfile empty?")
        return image

    def _stage(self, planned: PlannedStage) -> Image | None:
        self._session.prober.reset()
        base = self._base(planned)
        state = StageState.upon(planned, base, self.request, self._plan.globals)
        image_id = base.id if base is not None else None
        label = self._count()
        self.steps.tell(
            Step(0, label, planned.name, planned.stage.text, planned.stage.line, Reason("base"), image_id=image_id)
        )
        triggered = triggered_by(state.draft.triggers, self.request.dialect, planned.base)
        state.draft.config["OnBuild"] = None
        stage = Stage(self._session, state, base)
        for instruction in triggered:
            with located(self.request, instruction):
                stage.take(instruction, "")
        for instruction in planned.stage.instructions:
            with located(self.request, instruction):
                stage.take(instruction, self._count())
        if planned.index == self._plan.target:
            for one in labels_of(self.request.labels):
                stage.take(one, self._count())
        return stage.image

    def _base(self, planned: PlannedStage) -> Image | None:
        if planned.base_stage is not None:
            return self._images[planned.base_stage]
        if planned.base == "scratch":
            return None
        try:
            return self._host.get_image(planned.base)
        except InvalidReferenceError as error:
            raise InvalidReferenceError(refusal(error, planned.base)) from error

    def _count(self) -> str:
        """Return the number of one more instruction of the Dockerfile; what a base triggers has none."""
        self._told += 1
        return f"{self._told}/{self._total}"

    def _files_of(self, word: str, planned: PlannedStage) -> View:
        """Return the files of the stage or image that a ``--from`` names."""
        stage = planned.sources.get(word)
        image = self._images[stage] if stage is not None else self._named(word, planned)
        return View(image.layers if image is not None else [])

    def _named(self, word: str, planned: PlannedStage) -> Image:
        """Return the image that a ``--from`` names, which is no stage."""
        wrong = f"invalid from flag value {word}:"
        if INTEGER.fullmatch(word):
            is_own = int(word) == planned.index
            raise BuildError(f"{wrong} {'refers to current build stage' if is_own else 'index out of bounds'}")
        try:
            return self._host.get_image(word)
        except InvalidReferenceError as error:
            raise BuildError(f"{wrong} {refusal(error, word)}") from error
