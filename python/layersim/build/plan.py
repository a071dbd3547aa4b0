"""Which stages there are, what each stands on and takes from, and which of them a build needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.dockerfile import Copy, Run, is_cache, source_of_mount
from layersim.build.evaluated import Evaluator
from layersim.errors import BuildError, DockerfileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layersim.build.dockerfile import Dockerfile, Stage

_PLATFORM = {
    "BUILDPLATFORM": "{os}/{arch}",
    "BUILDOS": "{os}",
    "BUILDOSVERSION": "",
    "BUILDARCH": "{arch}",
    "BUILDVARIANT": "",
    "TARGETPLATFORM": "{os}/{arch}",
    "TARGETOS": "{os}",
    "TARGETOSVERSION": "",
    "TARGETARCH": "{arch}",
    "TARGETVARIANT": "",
}


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
    """

    stages: tuple[PlannedStage, ...]
    target: int
    globals: Mapping[str, str]
    is_single: bool


def plan(dockerfile: Dockerfile, target: str | None, given: Mapping[str, str], platform: tuple[str, str]) -> Plan:
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

    Raises
    ------
    BuildError, DockerfileError
        There is no such target, a stage stands on itself, or the name of a base comes out empty.
    """
    return _Planner(dockerfile, given, platform).plan(target)


class _Planner:
    def __init__(self, dockerfile: Dockerfile, given: Mapping[str, str], platform: tuple[str, str]) -> None:
        self._dockerfile = dockerfile
        self._is_legacy = dockerfile.dialect.builder == "legacy"
        self._names: dict[str, int] = {}
        self._later_names = {stage.name: at for at, stage in enumerate(dockerfile.stages) if stage.name}
        self.globals = self._global_values(given, platform)
        self._stages = [self._planned(index, stage) for index, stage in enumerate(dockerfile.stages)]

    def plan(self, target: str | None) -> Plan:
        last = self._target(target)
        if self._is_legacy:
            order = list(range(last + 1))
        else:
            order = sorted(self._needed(last), key=lambda index: (self._rank(index), index))
        chosen = tuple(self._stages[index] for index in order)
        return Plan(chosen, last, self.globals, is_single=self._is_single)

    @property
    def _is_single(self) -> bool:
        """Whether there is one stage alone; a mount counts as one too, in 20.10 that of a cache or an image."""
        runs = [one for stage in self._dockerfile.stages for one in stage.instructions if isinstance(one, Run)]
        mounts = [text for run in runs for text in run.mounts]
        if self._dockerfile.dialect.is_old:
            mounts = [text for text in mounts if source_of_mount(text) or is_cache(text)]
        return len(self._stages) == 1 and not mounts

    def _global_values(self, given: Mapping[str, str], platform: tuple[str, str]) -> dict[str, str]:
        names = {} if self._is_legacy else _PLATFORM
        system, machine = platform
        values = {name: form.format(os=system, arch=machine) for name, form in names.items()}
        values |= {name: value for name, value in given.items() if name in values}
        for argument in self._dockerfile.globals:
            evaluated = self._evaluator(values).instruction(argument)
            for name, default in evaluated.pairs:
                value = given.get(name, default)
                if value is not None:
                    values[name] = value
        return values

    def _evaluator(self, values: Mapping[str, str]) -> Evaluator:
        return Evaluator(values, self._dockerfile.dialect, self._dockerfile.escape)

    def _planned(self, index: int, stage: Stage) -> PlannedStage:
        base = self._evaluator(self.globals).word(stage.base)
        if not base:
            message = f"base name ({stage.base}) should not be blank"
            raise DockerfileError(message, self._dockerfile.name, stage.line, stage.text)
        base_stage = self._names.get(base.lower())
        if stage.name is not None:
            if self._is_legacy and stage.name in self._names:
                message = f"duplicate name {stage.name}: a stage name already used"
                raise DockerfileError(message, self._dockerfile.name, stage.line, stage.text)
            self._names[stage.name] = index
        return PlannedStage(
            index, stage, base, base_stage, dict(self._sources(index, stage)), dict(self._mounted(stage))
        )

    def _sources(self, index: int, stage: Stage) -> Iterator[tuple[str, int]]:
        for word in _copied_from(stage):
            named = self._stage_named(word, index)
            if named is not None:
                yield word, named

    def _mounted(self, stage: Stage) -> Iterator[tuple[str, int]]:
        for word in _mounted_from(stage):
            if word.lower() in self._later_names:
                yield word, self._later_names[word.lower()]

    def _stage_named(self, word: str, index: int) -> int | None:
        """Return the stage that a word means; with BuildKit also a later one."""
        count = len(self._dockerfile.stages)
        limit = index if self._is_legacy else count
        if word.isdecimal() and word.isascii():
            return int(word) if int(word) < limit and int(word) != index else None
        if self._is_legacy:
            return self._names.get(word.lower())
        return self._later_names.get(word.lower())

    def _target(self, target: str | None) -> int:
        if target is None or target == "":
            return len(self._stages) - 1
        for stage in reversed(self._stages):
            if stage.stage.name == target.lower():
                return stage.index
        is_old = self._dockerfile.dialect.is_old
        if self._is_legacy and is_old:
            raise BuildError(f"failed to reach build target {target} in Dockerfile")
        told = "target stage {} could not be found" if is_old else 'target stage "{}" could not be found'
        raise BuildError(told.format(target))

    def _needed(self, last: int) -> set[int]:
        needed: set[int] = set()
        self._need(last, needed, ())
        return needed

    def _need(self, index: int, needed: set[int], above: tuple[int, ...]) -> None:
        stage = self._stages[index]
        if index in above:
            raise BuildError(f"circular dependency detected on stage: {stage.stage.name or index}")
        if index in needed:
            return
        for other in sorted(stage.needs):
            self._need(other, needed, (*above, index))
        needed.add(index)

    def _rank(self, index: int) -> int:
        """Return how many stages have to be built one after another before this one."""
        return 1 + max((self._rank(other) for other in self._stages[index].needs), default=-1)


def _copied_from(stage: Stage) -> Iterator[str]:
    for instruction in stage.instructions:
        if isinstance(instruction, Copy) and instruction.source_stage:
            yield instruction.source_stage


def _mounted_from(stage: Stage) -> Iterator[str]:
    for instruction in stage.instructions:
        if isinstance(instruction, Run):
            yield from filter(None, map(source_of_mount, instruction.mounts))
