"""What BuildKit finds wrong before it runs anything: first it reads all that the target needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.context.dialect import is_new_buildkit
from layersim.build.context.remote import check_word, read_checksum
from layersim.build.copying.modes import read_mode
from layersim.build.dockerfile import Add, Copy, Run, Workdir, read_mount, run_words, source_of_mount
from layersim.build.metadata import change_config, enter
from layersim.build.mounting import target_of
from layersim.build.stage import StageState, instructions_of, located
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layersim.build.dockerfile import Instruction
    from layersim.build.plan import Plan, PlannedStage
    from layersim.build.request import Request
    from layersim.image import Image


class Reading:
    """The reading of one Dockerfile.

    Parameters
    ----------
    request : Request
        What is built.
    plan : Plan
        Its stages.
    get_image : callable
        Gives the image of a name.
    """

    def __init__(self, request: Request, plan: Plan, get_image: Callable[[str], Image]) -> None:
        self._request, self._plan, self._get_image = request, plan, get_image
        self._states: dict[int, StageState] = {}
        # What is no step is only found out when all has been read.
        self._late: BuildError | None = None

    def check(self) -> None:
        """Look for every image and every instruction.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            In the builder's words.
        """
        for planned in self._plan.stages:
            for word in self._images(planned):
                self._get_image(word)
        for planned in self._plan.stages:
            self._states[planned.index] = self._read(planned)
        if self._late is not None:
            raise self._late

    def _images(self, planned: PlannedStage) -> Iterator[str]:
        """Yield the words of a stage that name images."""
        if planned.base_stage is None and planned.base != "scratch":
            yield planned.base
        for one in planned.stage.instructions:
            if isinstance(one, Copy) and one.source_stage and one.source_stage not in planned.sources:
                yield one.source_stage
            elif isinstance(one, Run):
                words = filter(None, map(source_of_mount, one.mounts))
                yield from (word for word in words if word not in planned.mounted and word != "scratch")

    def _read(self, planned: PlannedStage) -> StageState:
        state = self._begun(planned)
        triggers, state.draft.config["OnBuild"] = state.draft.triggers, None
        for instruction in instructions_of(planned, triggers, self._request):
            with located(self._request, instruction):
                self._take(state, instruction)
        return state

    def _begun(self, planned: PlannedStage) -> StageState:
        if planned.base_stage is not None:
            return self._states[planned.base_stage].continued(planned)
        base = None if planned.base == "scratch" else self._get_image(planned.base)
        return StageState.upon(planned, base, self._request, self._plan.globals)

    def _take(self, state: StageState, instruction: Instruction) -> None:
        dialect = self._request.dialect
        evaluated = state.evaluated(instruction, self._request)
        if isinstance(evaluated, Run):
            self._run(state, evaluated)
        elif isinstance(evaluated, Copy | Add):
            self._copy(evaluated)
        elif isinstance(evaluated, Workdir):
            enter(state.draft, evaluated.path, dialect)
        else:
            change_config(state.draft, evaluated, dialect)

    def _run(self, state: StageState, instruction: Run) -> None:
        dialect = self._request.dialect
        expand = None if dialect.is_old else state.evaluator(self._request).word
        mounts = [read_mount(text, dialect, expand) for text in instruction.mounts]
        for number, mount in enumerate(mounts):
            target_of(mount, mounts[:number], state.draft.working_dir)
        if not run_words(instruction, dialect, state.draft.shell):
            self._late = self._late or BuildError("failed to marshal LLB definition: arguments are required")
        elif instruction.network == "host":
            self._late = self._late or BuildError("network.host is not allowed")

    def _copy(self, instruction: Copy | Add) -> None:
        dialect = self._request.dialect
        for word in instruction.sources:
            check_word(word, type(instruction).__name__.upper(), dialect)
        if is_new_buildkit(dialect):
            read_mode(instruction.chmod or None, dialect)
            if isinstance(instruction, Add) and instruction.checksum is not None:
                read_checksum(instruction.checksum, instruction.sources)
