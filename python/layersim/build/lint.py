"""What newer BuildKit remarks about a Dockerfile: its rules, and what ``# check=`` says of them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from layersim.build.dockerfile import (
    Arg,
    Cmd,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Maintainer,
    Remark,
    Shell,
    Workdir,
)
from layersim.build.stage import StageState
from layersim.errors import BuildError, DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from layersim.build.dockerfile import Dockerfile, Instruction, Stage
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Request

_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE | re.ASCII
)
_PUBLIC = re.compile(r"(?:_|^)public(?:_|$)", re.IGNORECASE | re.ASCII)
_RESERVED = frozenset(("context", "scratch"))
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_ONCE = (Cmd, Entrypoint, Healthcheck)


def remarks(
    request: Request, needed: Sequence[PlannedStage], begin: Callable[[PlannedStage], StageState]
) -> list[Remark]:
    """Return what the builder remarks, in the order of lines.

    Parameters
    ----------
    request : Request
        The build, whose Dockerfile was read by the rules of newer BuildKit.
    needed : sequence of PlannedStage
        The stages that are built, bases first; only of them the instructions are looked at one by one.
    begin : callable
        What a stage upon an image, or upon nothing, starts from.

    Raises
    ------
    BuildError
        ``# check=`` says that a remark is an error, or is wrong; in the builder's words.
    """
    dockerfile = request.dockerfile
    skipped, is_error = _options(dockerfile.directives.get("check", ""))
    found = [*_whole(dockerfile), *_casing(dockerfile), *_stages(request, needed, begin)]
    kept = [one for one in found if not skipped & {one.rule, "all"}]
    if kept and is_error:
        rules = ", ".join(sorted({one.rule for one in kept}))
        raise BuildError(f"lint violation found for rules: {rules}")
    return sorted(kept, key=lambda one: (one.line, one.rule))


def _options(text: str) -> tuple[frozenset[str], bool]:
    """Read ``skip=A,B;error=true``."""
    skipped: frozenset[str] = frozenset()
    is_error = False
    for option in filter(None, text.split(";")):
        name, _, value = option.partition("=")
        if name == "skip":
            skipped = frozenset(value.split(","))
        elif name == "error":
            is_error = _boolean(option, value)
        elif name.strip() not in {"skip", "error", "experimental"}:
            raise BuildError(f'failed to parse check options: invalid check option "{name}"')
    return skipped, is_error


def _boolean(option: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        problem = f'strconv.ParseBool: parsing "{value}": invalid syntax'
        raise BuildError(f'failed to parse check options: failed to parse check option "{option}": {problem}')
    return value in _TRUE


def _whole(dockerfile: Dockerfile) -> Iterator[Remark]:
    """Yield what is told of all stages, needed or not."""
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
    platform = stage.platform or ""
    if platform in {"$TARGETPLATFORM", "${TARGETPLATFORM}"}:
        text = f"Setting platform to predefined {platform} in FROM is redundant as this is the default behavior"
        yield Remark(stage.line, text, "RedundantTargetPlatform")
    elif platform and "$" not in platform and not any(part in (stage.name or "") for part in platform.split("/")):
        text = f'FROM --platform flag should not use constant value "{platform}"'
        yield Remark(stage.line, text, "FromPlatformFlagConstDisallowed")


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


def _stages(
    request: Request, needed: Sequence[PlannedStage], begin: Callable[[PlannedStage], StageState]
) -> Iterator[Remark]:
    told: dict[int, _StageRules] = {}
    for planned in sorted(needed, key=lambda one: one.index):
        below = told.get(planned.base_stage) if planned.base_stage is not None else None
        rules = told[planned.index] = _StageRules(
            request, below.above(planned) if below is not None else begin(planned)
        )
        if below is not None:
            rules.has_shell, rules.has_directory = below.has_shell, below.has_directory
        for one in planned.stage.instructions:
            yield from rules.instruction(one)
        yield from _repeated(planned.stage)


def _repeated(stage: Stage) -> Iterator[Remark]:
    for kind in _ONCE:
        for one in [found for found in stage.instructions if isinstance(found, kind)][:-1]:
            name = kind.__name__.upper()
            text = f"Multiple {name} instructions should not be used in the same stage"
            text += " because only the last one will be used"
            yield Remark(one.line, text, "MultipleInstructionsDisallowed")


class _StageRules:
    """The instructions of one stage, one after the other."""

    def __init__(self, request: Request, state: StageState) -> None:
        self._request, self._state = request, state
        self.has_shell, self.has_directory = bool(state.draft.words("Shell")), False

    def above(self, planned: PlannedStage) -> StageState:
        """Return what a stage upon this one starts from."""
        scope = self._state.scope
        return StageState(planned, self._state.draft, scope.inherited(dict(scope.env)))

    def instruction(self, one: Instruction) -> Iterator[Remark]:
        """Yield what is told of one instruction; of a WORKDIR with its variables replaced."""
        evaluated = one
        if isinstance(one, Arg | Env | Workdir):
            # What is wrong in it is told when the builder comes to it.
            with suppress(DockerfileError):
                evaluated = self._state.evaluated(one, self._request)
        rule = _RULES.get(type(one))
        if rule is not None:
            yield from rule(self, evaluated if isinstance(one, Workdir) else one)

    def command(self, one: Cmd | Entrypoint) -> Iterator[Remark]:
        """Ask for JSON, unless the shell was chosen."""
        if one.command.is_shell and not self.has_shell:
            name = type(one).__name__.upper()
            text = f"JSON arguments recommended for {name} to prevent unintended behavior related to OS signals"
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
        name = type(one).__name__.upper()
        if _is_legacy_form(one):
            text = f'"{name} key=value" should be used instead of legacy "{name} key value" format'
            yield Remark(one.line, text, "LegacyKeyValueFormat")
        if isinstance(one, Env):
            yield from self.secrets(one)

    def secrets(self, one: Arg | Env) -> Iterator[Remark]:
        """Look for names that sound of secrets."""
        for name, _ in one.pairs:
            if _SECRET.search(name) and not _PUBLIC.search(name):
                kind = type(one).__name__.upper()
                text = f'Do not use ARG or ENV instructions for sensitive data ({kind} "{name}")'
                yield Remark(one.line, text, "SecretsUsedInArgOrEnv")

    def ports(self, one: Expose) -> Iterator[Remark]:
        """Ask for protocols in lower case, and for nothing but ports of the container."""
        for port in one.ports:
            number, _, protocol = port.partition("/")
            if "$" not in port and protocol != protocol.lower():
                text = f"Defined protocol '{port}' in EXPOSE instruction should be lowercase"
                yield Remark(one.line, text, "ExposeProtoCasing")
            if ":" in number and "$" not in port:
                text = "EXPOSE instruction should not define an IP address or host-port mapping, found"
                yield Remark(one.line, f"{text} '{port}'", "ExposeInvalidFormat")


def _is_legacy_form(one: Env | Label) -> bool:
    """Tell whether the first word is a name alone; a blank that is escaped or quoted is none."""
    words = one.text.split(None, 1)
    first = re.match(r"(?:\\.|\"[^\"]*\"|'[^']*'|[^\s\"'\\])*", words[1]) if len(words) > 1 else None
    return first is not None and "=" not in first[0]


_RULES: dict[type, Callable[[_StageRules, Any], Iterator[Remark]]] = {
    Cmd: _StageRules.command,
    Entrypoint: _StageRules.command,
    Shell: _StageRules.shell,
    Workdir: _StageRules.directory,
    Env: _StageRules.pairs,
    Label: _StageRules.pairs,
    Arg: _StageRules.secrets,
    Expose: _StageRules.ports,
}
