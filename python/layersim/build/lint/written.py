"""Remarks about how a Dockerfile is written, whatever its variables are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile import Maintainer, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.build.dockerfile import Dockerfile, Stage

_RESERVED = frozenset(("context", "scratch"))


def written(dockerfile: Dockerfile) -> Iterator[Remark]:
    """Yield what is told of the words of all stages, needed or not."""
    yield from (Remark(one.line, "Empty continuation line", "NoEmptyContinuation") for one in dockerfile.warnings)
    names: set[str] = set()
    for stage in dockerfile.stages:
        yield from _from(stage)
        if stage.name is not None and stage.name in names:
            text = f'Duplicate stage name "{stage.name}", stage names should be unique'
            yield Remark(stage.line, text, "DuplicateStageName")
        names.add(stage.name or "")
        for one in stage.instructions:
            if isinstance(one, Maintainer):
                text = "Maintainer instruction is deprecated in favor of using label"
                yield Remark(one.line, text, "MaintainerDeprecated")
    yield from _casing(dockerfile)


def _from(stage: Stage) -> Iterator[Remark]:
    words = stage.text.split()
    if stage.name is not None:
        keyword, preposition, name = words[0], words[-2], words[-1]
        if (keyword.isupper(), keyword.islower()) != (preposition.isupper(), preposition.islower()) and (
            keyword.isupper() or keyword.islower()
        ):
            text = f"'{preposition}' and '{keyword}' keywords' casing do not match"
            yield Remark(stage.line, text, "FromAsCasing")
        if name != name.lower():
            yield Remark(stage.line, f"Stage name '{name}' should be lowercase", "StageNameCasing")
        if stage.name in _RESERVED:
            text = f'Stage name should not use the same name as reserved stage "{stage.name}"'
            yield Remark(stage.line, text, "ReservedStageName")


def _casing(dockerfile: Dockerfile) -> Iterator[Remark]:
    """Yield the instructions that are not written as most are."""
    written = [(stage.text, stage.line) for stage in dockerfile.stages]
    written += [(one.text, one.line) for stage in dockerfile.stages for one in stage.instructions]
    lines = [(text.split(None, 1)[0], line) for text, line in written]
    lower = sum(word.islower() for word, _ in lines)
    upper = sum(word.isupper() for word, _ in lines)
    is_lower = lower > upper
    kind = "lowercase" if is_lower else "uppercase"
    for word, line in lines:
        if not (word.islower() if is_lower else word.isupper()):
            text = f"Command '{word}' should match the case of the command majority ({kind})"
            yield Remark(line, text, "ConsistentInstructionCasing")
