"""Which stages there are, what each stands on and takes from, and which of them a build needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.dockerfile import Copy, Onbuild, Run, is_cache, parse, source_of_mount
from layersim.build.evaluated import Evaluator
from layersim.build.global_args import GlobalArgs
from layersim.build.platforms import check_platform
from layersim.errors import BuildError, DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layersim.build.dockerfile import Dialect, Dockerfile, Instruction, Stage

INTEGER = re.compile(r"[+-]?[0-9]+")
"""What names a stage by its place."""

_VARIABLE = re.compile(r"(?<!\\)\$(?:\w|\{)")
_PLACE = re.compile(r"^(?:dockerfile parse error (?:on )?line \d+|failed to parse Dockerfile): ")


@dataclass(frozen=True)
class PlannedStage:
    """One stage of a build.

    Attributes
    ----------
    index : int
        Its place in the Dockerfile.
    stage : Stage
        What stands there.
    base : str
        The image or stage that it is built upon, variables replaced.
    base_stage : int or None
        The stage that `base` names; None for an image.
    sources : mapping of str to int
        The stages that it copies from, by the word that names them.
    mounted : mapping of str to int
        The stages that it mounts from, by the word that names them; a number is none.
    """

    index: int
    stage: Stage
    base: str
    base_stage: int | None
    sources: Mapping[str, int]
    mounted: Mapping[str, int]

    @property
    def name(self) -> str:
        """What the builder calls it."""
        return self.stage.name or f"stage-{self.index}"

    @property
    def needs(self) -> set[int]:
        """The stages that have to be built before it."""
        return {*self.sources.values(), *self.mounted.values()} | (
            {self.base_stage} if self.base_stage is not None else set()
        )


@dataclass(frozen=True)
class Plan:
    """The stages of a build, in the order in which they are built, and the one that makes the image.

    Attributes
    ----------
    stages : tuple of PlannedStage
        With the legacy builder all up to the target, with BuildKit those that the target needs.
    target : int
        The index of the last one.
    globals : dict
        What may be used in ``FROM``, and declared again in a stage.
    is_single : bool
        Whether steps are told without the name of their stage.
    written : tuple of PlannedStage
        All stages that were looked at.
    arguments : GlobalArgs
        What `globals` were worked out from.
    fault : BuildError, DockerfileError or None
        What the legacy builder says when it gets to the stage after these.
    """

    stages: tuple[PlannedStage, ...]
    target: int
    globals: Mapping[str, str]
    is_single: bool
    written: tuple[PlannedStage, ...]
    arguments: GlobalArgs
    fault: BuildError | DockerfileError | None = None


def _no_triggers(_base: str) -> Sequence[str]:
    return ()


def plan(
    dockerfile: Dockerfile,
    target: str | None,
    given: Mapping[str, str],
    platform: tuple[str, str],
    triggers: Callable[[str], Sequence[str]] = _no_triggers,
) -> Plan:
    """Work out what has to be built.

    Parameters
    ----------
    dockerfile : Dockerfile
        What was read.
    target : str, optional
        Name of the stage to build; by default the last one.
    given : mapping of str to str
        The build arguments.
    platform : tuple of str
        Operating system and architecture.
    triggers : callable
        What the ``ONBUILD`` of an image says, by its name.

    Raises
    ------
    BuildError, DockerfileError
        There is no such target, a stage stands on itself, or the name of a base comes out empty. The legacy builder
        looks at a stage when those before it are done, and never at those after the target.
    """
    arguments = GlobalArgs(dockerfile, given, platform, target)
    return _Planner(dockerfile, arguments, triggers).plan(target)


def triggered_by(triggers: Sequence[str], dialect: Dialect, base: str) -> tuple[Instruction, ...]:
    """Return the instructions that the ``ONBUILD`` of a base says.

    Raises
    ------
    BuildError, DockerfileError
        One of them is none that may stand there.
    """
    if not triggers:
        return ()
    try:
        read = parse("\n".join(["FROM scratch", *triggers]), dialect, name=f"ONBUILD of {base}")
    except DockerfileError as error:
        # There is no file in which a trigger would stand.
        raise DockerfileError(_PLACE.sub("", str(error)), error.file, error.line, error.text) from error
    if len(read.stages) > 1:
        raise BuildError("*instructions.Stage is not a command type")
    return read.stages[0].instructions


class _Planner:
    def __init__(self, dockerfile: Dockerfile, arguments: GlobalArgs, triggers: Callable[[str], Sequence[str]]) -> None:
        self._dockerfile, self._triggers = dockerfile, triggers
        self._is_legacy = dockerfile.dialect.builder == "legacy"
        self._is_old = dockerfile.dialect.is_old
        self._names: dict[str, int] = {}
        self._later_names = {stage.name: at for at, stage in enumerate(dockerfile.stages) if stage.name}
        self.arguments, self.globals = arguments, arguments.values()
        self._stages: list[PlannedStage] = []

    def plan(self, target: str | None) -> Plan:
        if self._is_legacy:
            last = self._target(target)
            fault = self._fault(last)
            stages = tuple(self._stages)
            return Plan(stages, last, self.globals, self._is_single, stages, self.arguments, fault)
        self._stages += (self._planned(index, stage) for index, stage in enumerate(self._dockerfile.stages))
        last = self._target(target)
        chosen = tuple(self._stages[index] for index in sorted(self._needed(last)))
        return Plan(chosen, last, self.globals, self._is_single, tuple(self._stages), self.arguments)

    def _fault(self, last: int) -> BuildError | DockerfileError | None:
        """Look at one stage after the other; return what is wrong with the first that cannot be built."""
        for index, stage in enumerate(self._dockerfile.stages[: last + 1]):
            try:
                self._stages.append(self._planned(index, stage))
            except (BuildError, DockerfileError) as error:
                return error
        return None

    @property
    def _is_single(self) -> bool:
        """Whether there is one stage alone; a mount or copy from elsewhere counts too, a mount in 20.10 not always."""
        runs = [one for stage in self._dockerfile.stages for one in stage.instructions if isinstance(one, Run)]
        mounts = [text for run in runs for text in run.mounts]
        if self._dockerfile.dialect.is_old:
            mounts = [text for text in mounts if source_of_mount(text) or is_cache(text)]
        copied = _copied_from(self._dockerfile.stages[0].instructions)
        return len(self._dockerfile.stages) == 1 and not mounts and not any(copied)

    def _evaluator(self, values: Mapping[str, str]) -> Evaluator:
        return Evaluator(values, self._dockerfile.dialect, self._dockerfile.escape)

    def _planned(self, index: int, stage: Stage) -> PlannedStage:
        if self._is_legacy and stage.name in self._names:
            raise self._wrong(stage, f"{stage.name} stage name already used")
        if self._is_legacy:
            self._check_platform(stage)
        base = self._evaluator(self.globals).word(stage.base)
        if not base:
            raise self._wrong(stage, f"base name ({stage.base}) should not be blank")
        if not self._is_legacy:
            self._check_platform(stage)
        # BuildKit knows the names in small letters alone.
        base_stage = self._names.get(base.lower() if self._is_legacy else base)
        if stage.name is not None:
            self._names[stage.name] = index
        done = [*self._triggered(base, base_stage), *stage.instructions]
        return PlannedStage(index, stage, base, base_stage, dict(self._sources(index, done)), dict(self._mounted(done)))

    def _check_platform(self, stage: Stage) -> None:
        if not stage.platform:
            return
        platform = self._evaluator(self.globals).word(stage.platform)
        if not platform and not (self._is_legacy or self._is_old):
            raise self._wrong(stage, f"empty platform value from expression {stage.platform}")
        check_platform(platform, self._dockerfile.dialect)

    def _wrong(self, stage: Stage, message: str) -> DockerfileError:
        return DockerfileError(message, self._dockerfile.name, stage.line, stage.text)

    def _triggered(self, base: str, base_stage: int | None) -> Sequence[Instruction]:
        """Return what the ``ONBUILD`` of a base says, if that may copy from stages: 20.10's BuildKit forgets it."""
        if self._is_old and not self._is_legacy:
            return ()
        if base_stage is None:
            texts = self._triggers(base) if base != "scratch" else ()
        else:
            below = self._dockerfile.stages[base_stage].instructions
            texts = [one.trigger for one in below if isinstance(one, Onbuild)]
        try:
            return triggered_by(texts, self._dockerfile.dialect, base)
        except (BuildError, DockerfileError):
            # Whoever builds the stage says so.
            return ()

    def _sources(self, index: int, instructions: Sequence[Instruction]) -> Iterator[tuple[str, int]]:
        for word in _copied_from(instructions):
            named = self._before(word, index) if self._is_legacy else self._anywhere(word)
            if named is not None:
                yield word, named

    def _mounted(self, instructions: Sequence[Instruction]) -> Iterator[tuple[str, int]]:
        for word in _mounted_from(instructions):
            if word.lower() in self._later_names:
                yield word, self._later_names[word.lower()]

    def _before(self, word: str, index: int) -> int | None:
        """Return the earlier stage that a word means to the legacy builder, which complains of numbers later."""
        if INTEGER.fullmatch(word):
            return int(word) if 0 <= int(word) < index else None
        named = self._names.get(word.lower())
        return named if named != index else None

    def _anywhere(self, word: str) -> int | None:
        """Return the stage that a word means to BuildKit, be it a later one."""
        if INTEGER.fullmatch(word):
            if not 0 <= int(word) < len(self._dockerfile.stages):
                raise BuildError(f"invalid stage index {int(word)}")
            return int(word)
        if not self._is_old and _VARIABLE.search(word):
            hint = "define a new stage with FROM using ARG from global scope as a workaround"
            raise BuildError(f"variable expansion is not supported for --from, {hint}")
        return self._later_names.get(word.lower())

    def _target(self, target: str | None) -> int:
        if target is None or target == "":
            return len(self._dockerfile.stages) - 1
        # Of stages of one name the legacy builder takes the first.
        named = [at for at, stage in enumerate(self._dockerfile.stages) if stage.name == target.lower()]
        if named:
            return named[0 if self._is_legacy else -1]
        is_old = self._dockerfile.dialect.is_old
        if self._is_legacy and is_old:
            raise BuildError(f"failed to reach build target {target} in Dockerfile")
        told = "target stage {} could not be found" if is_old else 'target stage "{}" could not be found'
        raise BuildError(told.format(target))

    def _needed(self, last: int) -> set[int]:
        """Return the stages that one needs, itself included; a circle of any stages is an error."""
        done: set[int] = set()
        for stage in self._stages:
            if not self._ends(stage.index, done, frozenset()):
                raise BuildError(f"circular dependency detected on stage: {stage.name}")
        needed, waiting = {last}, [last]
        while waiting:
            index = waiting.pop()
            # What 20.10 takes of a later stage is there without it.
            waiting += {other for other in self._stages[index].needs if other < index or not self._is_old} - needed
            needed.update(waiting)
        return needed

    def _ends(self, index: int, done: set[int], above: frozenset[int]) -> bool:
        """Tell whether no way from a stage leads back to where it came from."""
        if index in above:
            return False
        if index not in done and not all(
            self._ends(other, done, above | {index}) for other in self._stages[index].needs
        ):
            return False
        done.add(index)
        return True


def _copied_from(instructions: Sequence[Instruction]) -> Iterator[str]:
    for instruction in instructions:
        if isinstance(instruction, Copy) and instruction.source_stage:
            yield instruction.source_stage


def _mounted_from(instructions: Sequence[Instruction]) -> Iterator[str]:
    for instruction in instructions:
        if isinstance(instruction, Run):
            yield from filter(None, map(source_of_mount, instruction.mounts))
