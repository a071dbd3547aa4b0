"""What history says of each instruction (spec/build.md section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile import (
    Add,
    Arg,
    Cmd,
    Copy,
    CreatedBy,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Shell,
    StopSignal,
    User,
    Volume,
    copy_flags,
    read_ports,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from layersim.build.dockerfile import Instruction
    from layersim.build.draft import Draft
    from layersim.build.scope import Scope

_NOP = "#(nop) "


def created_by(instruction: Instruction, draft: Draft, scope: Scope) -> str | None:
    """Return what history says of an instruction that changes the config alone.

    Parameters
    ----------
    instruction : Instruction
        Variables replaced.
    draft : Draft
        After the instruction.
    scope : Scope
        The variables after the instruction.

    Returns
    -------
    str or None
        None where the builder writes nothing down.
    """
    return _TEXTS[type(instruction)](CreatedBy(scope.dialect, draft.shell), instruction, draft, scope)


def copied_by(instruction: Copy | Add, draft: Draft, scope: Scope, digest: str = "") -> str:
    """Return what history says of a COPY or ADD; the legacy builder calls its sources by a digest."""
    sources = [*instruction.sources, *(f"<<{doc.name}" for doc in instruction.contents)]
    parents = isinstance(instruction, Copy) and instruction.parents
    chmod = instruction.chmod if scope.dialect.builder == "buildkit" else None
    flags = copy_flags(chown=instruction.chown, chmod=chmod, parents=parents)
    keyword = type(instruction).__name__.upper()
    text = CreatedBy(scope.dialect, draft.shell)
    return text.copy(keyword, sources, instruction.dest, flags=flags, digest=digest)


def step_words(text: str, shell: Sequence[str]) -> list[str]:
    """Return the words of a container's command that make up a text of the legacy builder."""
    rest = text.removeprefix(f"{' '.join(shell)} {_NOP}")
    return [*shell, _NOP, rest[1:]] if rest.startswith(" ") else [*shell, f"{_NOP}{rest}"]


def _arg(text: CreatedBy, one: Arg, _: Draft, scope: Scope) -> str:
    return text.arg((name, _value(name, default, scope)) for name, default in one.pairs)


def _value(name: str, default: str | None, scope: Scope) -> str | None:
    """Return what an ARG is told with: its default, or with newer BuildKit the value in force."""
    is_given = scope.dialect.builder == "buildkit" and not scope.dialect.is_old
    return scope.value_of(name) if is_given else default


_TEXTS: dict[type, Callable[[CreatedBy, Any, Draft, Scope], str | None]] = {
    Arg: _arg,
    Env: lambda text, one, _draft, _scope: text.env(one.pairs),
    Label: lambda text, one, _draft, _scope: text.label(one.pairs),
    Maintainer: lambda text, one, _draft, _scope: text.maintainer(one.author),
    User: lambda text, one, _draft, _scope: text.user(one.user),
    StopSignal: lambda text, one, _draft, _scope: text.stop_signal(one.signal),
    Shell: lambda text, one, _draft, _scope: text.shell(one.words),
    Volume: lambda text, one, _draft, _scope: text.volume(one.paths),
    Onbuild: lambda text, one, _draft, _scope: text.onbuild(one.trigger),
    Healthcheck: lambda text, one, _draft, _scope: text.healthcheck(one),
    Expose: lambda text, one, _draft, scope: text.expose(one.ports, read_ports(one.ports, scope.dialect)),
    Cmd: lambda text, _one, draft, _scope: text.cmd(draft.words("Cmd")),
    Entrypoint: lambda text, _one, draft, _scope: text.entrypoint(draft.words("Entrypoint")),
}
