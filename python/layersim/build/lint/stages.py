"""Remarks about the instructions of the stages that are built, with their variables replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from layersim.build.context.remote import is_repository, is_url
from layersim.build.dockerfile import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Onbuild,
    Remark,
    Run,
    Shell,
    Workdir,
    read_mount,
)
from layersim.build.dockerfile.mistakes import nearest
from layersim.build.evaluated import Evaluator
from layersim.build.lint.bases import wanted_platform
from layersim.build.lint.watched import Watched
from layersim.build.plan import triggered_by
from layersim.build.platforms import Platform
from layersim.build.stage import StageState
from layersim.errors import LayerSimError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from layersim.build.buildkit import BuildKit
    from layersim.build.dockerfile import Instruction
    from layersim.build.plan import PlannedStage
    from layersim.build.scope import Scope
    from layersim.image import Image

_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE | re.ASCII
)
_PUBLIC = re.compile(r"(?:_|^)public(?:_|$)", re.IGNORECASE | re.ASCII)
_ONCE = (Cmd, Entrypoint, Healthcheck)
_UNSET = frozenset(("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"))
"""Arguments that are for the builder alone: no variable is ever called so."""


def built(building: BuildKit) -> Iterator[Remark]:
    """Yield what is told of the stages that the target needs.

    Raises
    ------
    DockerfileError
        Something in them cannot be read.
    ImageNotFoundError, InvalidReferenceError
        A base is not there.
    """
    told: dict[int, _Stage] = {}
    for planned in sorted(building.plan.stages, key=lambda one: one.index):
        at = planned.base_stage
        stage = told[planned.index] = _Stage.begun(building, planned) if at is None else told[at].continued(planned)
        yield from stage.remarks()


@dataclass
class _Stage:
    """One stage, its instructions one after the other.

    Attributes
    ----------
    building : BuildKit
        The build.
    planned : PlannedStage
        What it is.
    scope : Scope
        The variables that it sees.
    triggers : list of str
        What the ``ONBUILD`` of its base says.
    has_shell, has_directory : bool
        Whether a shell or an absolute directory was chosen.
    base : Image or None
        The image that it stands on.
    """

    building: BuildKit
    planned: PlannedStage
    scope: Scope
    triggers: list[str]
    has_shell: bool = False
    has_directory: bool = False
    base: Image | None = None

    @classmethod
    def begun(cls, building: BuildKit, planned: PlannedStage) -> Self:
        """Return a stage that stands on an image, or on nothing."""
        base = None if planned.base == "scratch" else building.image(planned.base)
        state = StageState.upon(planned, base, building.request, building.plan.globals)
        has_shell = bool(state.draft.words("Shell"))
        return cls(building, planned, state.scope, state.draft.triggers, has_shell=has_shell, base=base)

    def continued(self, planned: PlannedStage) -> _Stage:
        """Return a stage that stands on this one."""
        triggers = [one.trigger for one in self.planned.stage.instructions if isinstance(one, Onbuild)]
        scope = self.scope.inherited(dict(self.scope.env))
        return _Stage(self.building, planned, scope, triggers, self.has_shell, self.has_directory)

    def remarks(self) -> Iterator[Remark]:
        """Yield what is told of it; what its base says stands where the base is named."""
        stage = self.planned.stage
        if self.base is not None:
            wanted = wanted_platform(self.planned, self.building)
            yield from self._platform(stage.line, self.planned.base, self.base, wanted)
        triggered = triggered_by(self.triggers, self.scope.dialect, self.planned.base)
        instructions = [*(replace(one, line=stage.line) for one in triggered), *stage.instructions]
        for one in instructions:
            yield from self._instruction(one)
        for kind in _ONCE:
            for one in [found for found in instructions if isinstance(found, kind)][:-1]:
                text = f"Multiple {_keyword(one)} instructions should not be used in the same stage"
                text += " because only the last one will be used"
                yield Remark(one.line, text, "MultipleInstructionsDisallowed")

    def _platform(self, line: int, name: str, image: Image, wanted: Platform) -> Iterator[Remark]:
        found = Platform.of(image)
        if not found.is_for(wanted):
            text = f'Base image {name} was pulled with platform "{found}", expected "{wanted}" for current build'
            yield Remark(line, text, "InvalidBaseImagePlatform")

    def _evaluator(self, watched: Watched) -> Evaluator:
        return Evaluator(watched, self.scope.dialect, self.building.request.dockerfile.escape)

    def _instruction(self, one: Instruction) -> Iterator[Remark]:
        if isinstance(one, Arg):
            yield from self._arguments(one)
            return
        watched = Watched(self.scope.variables)
        evaluator = self._evaluator(watched)
        evaluated = evaluator.instruction(one)
        for text in one.mounts if isinstance(one, Run) else ():
            read_mount(text, self.scope.dialect, evaluator.word)
        if not isinstance(one, Expose):
            yield from self._undefined(watched, one)
        if isinstance(evaluated, Env):
            self.scope.set_env(evaluated.pairs)
        rule = _RULES.get(type(one))
        if rule is not None:
            yield from rule(self, evaluated)

    def _arguments(self, one: Arg) -> Iterator[Remark]:
        for name, default in one.pairs:
            watched = Watched(self.scope.variables)
            is_given = name in self.building.request.build_args
            value = None if is_given else self._evaluator(watched).optional(default)
            yield from self._undefined(watched, one)
            self.scope.declare(name, value)
        yield from self._secrets(one)

    def _undefined(self, watched: Watched, one: Instruction) -> Iterator[Remark]:
        """Ask for variables that are set, or declared at least."""
        declared = {name for name, _ in self.scope.declared} | _UNSET
        for name in watched.missing:
            if name not in declared:
                near = nearest(name, (known for known, _ in self.scope.ordered))
                question = f" (did you mean ${near}?)" if near else ""
                yield Remark(one.line, f"Usage of undefined variable '${name}'{question}", "UndefinedVar")

    def command(self, one: Cmd | Entrypoint) -> Iterator[Remark]:
        """Ask for JSON, unless the shell was chosen."""
        if one.command.is_shell and not self.has_shell:
            text = (
                f"JSON arguments recommended for {_keyword(one)} to prevent unintended behavior related to OS signals"
            )
            yield Remark(one.line, text, "JSONArgsRecommended")

    def shell(self, _: Shell) -> Iterator[Remark]:
        """Note that what follows has a shell that was chosen."""
        self.has_shell = True
        yield from ()

    def directory(self, one: Workdir) -> Iterator[Remark]:
        """Ask for an absolute one, unless one was set before."""
        if not one.path.startswith("/") and not self.has_directory:
            text = f'Relative workdir "{one.path}" can have unexpected results if the base image changes'
            yield Remark(one.line, text, "WorkdirRelativePath")
        self.has_directory = True

    def pairs(self, one: Env | Label) -> Iterator[Remark]:
        """Ask for the form with ``=``, and look for secrets."""
        if _is_legacy_form(one):
            name = _keyword(one)
            text = f'"{name} key=value" should be used instead of legacy "{name} key value" format'
            yield Remark(one.line, text, "LegacyKeyValueFormat")
        if isinstance(one, Env):
            yield from self._secrets(one)

    def _secrets(self, one: Arg | Env) -> Iterator[Remark]:
        """Look for names that sound of secrets."""
        for name, _ in one.pairs:
            if _SECRET.search(name) and not _PUBLIC.search(name):
                text = f'Do not use ARG or ENV instructions for sensitive data ({_keyword(one)} "{name}")'
                yield Remark(one.line, text, "SecretsUsedInArgOrEnv")

    def ports(self, one: Expose) -> Iterator[Remark]:
        """Ask for protocols in lower case, and for nothing but ports of the container."""
        for port in one.ports:
            number, _, protocol = port.partition("/")
            if protocol != protocol.lower():
                text = f"Defined protocol '{port}' in EXPOSE instruction should be lowercase"
                yield Remark(one.line, text, "ExposeProtoCasing")
            if ":" in number:
                text = "EXPOSE instruction should not define an IP address or host-port mapping, found"
                yield Remark(one.line, f"{text} '{port}'", "ExposeInvalidFormat")

    def files(self, one: Copy | Add) -> Iterator[Remark]:
        """Look at the image that is copied from; of the context ask for what was sent."""
        if isinstance(one, Copy) and one.source_stage is not None:
            yield from self._source(one, one.source_stage)
            return
        for source in one.sources:
            is_elsewhere = is_url(source) or is_repository(source, self.scope.dialect)
            if not is_elsewhere and self.building.request.context.ignore.excludes(source):
                text = f'Attempting to {_keyword(one).capitalize()} file "{source}" that is excluded by .dockerignore'
                yield Remark(one.line, text, "CopyIgnoredFile")

    def _source(self, one: Copy, word: str) -> Iterator[Remark]:
        if word in self.planned.sources:
            return
        try:
            image = self.building.image(word)
        except LayerSimError:
            return  # The build says so when it comes there.
        yield from self._platform(one.line, word, image, Platform(*self.building.plan.arguments.platform))


def _keyword(one: Instruction) -> str:
    return type(one).__name__.upper()


def _is_legacy_form(one: Env | Label) -> bool:
    """Tell whether the first word is a name alone; a blank that is escaped or quoted is none."""
    words = one.text.split(None, 1)
    first = re.match(r"(?:\\.|\"[^\"]*\"|'[^']*'|[^\s\"'\\])*", words[1]) if len(words) > 1 else None
    return first is not None and "=" not in first[0]


_RULES: dict[type, Callable[[_Stage, Any], Iterator[Remark]]] = {
    Cmd: _Stage.command,
    Entrypoint: _Stage.command,
    Shell: _Stage.shell,
    Workdir: _Stage.directory,
    Env: _Stage.pairs,
    Label: _Stage.pairs,
    Expose: _Stage.ports,
    Copy: _Stage.files,
    Add: _Stage.files,
}
