"""Remarks about ``FROM``: the variables in it, and platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile import Remark
from layersim.build.dockerfile.mistakes import nearest
from layersim.build.evaluated import Evaluator
from layersim.build.lint.watched import Watched
from layersim.build.platforms import Platform
from layersim.errors import DockerfileError, InvalidReferenceError
from layersim.image.grammar import parse_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layersim.build.buildkit import BuildKit
    from layersim.build.dockerfile import Dockerfile, Stage
    from layersim.build.plan import Plan, PlannedStage

_TARGET = "TARGETPLATFORM"


def bases(building: BuildKit) -> Iterator[Remark]:
    """Yield what is told of every ``FROM``, needed or not."""
    dockerfile, plan = building.request.dockerfile, building.plan
    yield from _defaults(dockerfile, plan)
    for stage in dockerfile.stages:
        yield from _undeclared(stage, stage.base, dockerfile, plan)
        if stage.platform:
            yield from _undeclared(stage, stage.platform, dockerfile, plan)
            yield from _platform(stage, dockerfile, plan)


def wanted_platform(planned: PlannedStage, building: BuildKit) -> Platform:
    """Return the platform that the base of a stage should be for."""
    system, machine = building.plan.arguments.platform
    default = Platform(system, machine)
    if not planned.stage.platform:
        return default
    watched = Watched(building.plan.globals)
    text = _evaluated(planned.stage.platform, watched, building.request.dockerfile)
    return Platform.parse(text, default) or default


def _evaluated(word: str, variables: Mapping[str, str], dockerfile: Dockerfile) -> str:
    return Evaluator(variables, dockerfile.dialect, dockerfile.escape).word(word)


def _defaults(dockerfile: Dockerfile, plan: Plan) -> Iterator[Remark]:
    """Ask for defaults that make names; one that cannot be read ends it without a word."""
    values = plan.arguments.defaults()
    if values is None:
        return
    for stage in dockerfile.stages:
        try:
            name = _evaluated(stage.base, values, dockerfile)
        except DockerfileError:
            return
        try:
            parse_name(name)
        except InvalidReferenceError:
            text = f"Default value for ARG {stage.base} results in empty or invalid base image name"
            yield Remark(stage.line, text, "InvalidDefaultArgInFrom")


def _undeclared(stage: Stage, word: str, dockerfile: Dockerfile, plan: Plan) -> Iterator[Remark]:
    """Ask for an ``ARG`` before the first ``FROM``; of names that are equally near BuildKit takes any."""
    watched = Watched(plan.globals)
    _evaluated(word, watched, dockerfile)
    declared = dict.fromkeys(name for one in dockerfile.globals for name, _ in one.pairs)
    known = declared | dict.fromkeys(plan.globals)
    for name in watched.missing:
        if name not in known:
            near = nearest(name, known)
            question = f" (did you mean {near}?)" if near else ""
            yield Remark(stage.line, f"FROM argument '{name}' is not declared{question}", "UndefinedArgInFrom")


def _platform(stage: Stage, dockerfile: Dockerfile, plan: Plan) -> Iterator[Remark]:
    watched = Watched(plan.globals)
    written = stage.platform or ""
    value = _evaluated(written, watched, dockerfile)
    if watched.missing or watched.found:
        is_redundant = list(watched.found) == [_TARGET] and not watched.missing and value == plan.globals[_TARGET]
        if is_redundant:
            text = f"Setting platform to predefined {written} in FROM is redundant as this is the default behavior"
            yield Remark(stage.line, text, "RedundantTargetPlatform")
        return
    one = Platform.parse(value, Platform(*plan.arguments.platform))
    if one is not None and not any(part in (stage.name or "") for part in (one.os, one.architecture)):
        text = f'FROM --platform flag should not use constant value "{value}"'
        yield Remark(stage.line, text, "FromPlatformFlagConstDisallowed")
