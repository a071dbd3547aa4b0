"""What steps are told apart by, beside what is below them and the content that they copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.legacy.probing import NEWER_FIELDS, STEP_FIELDS
from layersim.build.texts import step_words

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from layersim.build.dockerfile import Dialect, Run
    from layersim.build.draft import Draft
    from layersim.build.scope import Scope


class Interned:
    """Numbers for values, the same for equal ones."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, value: Hashable) -> int:
        """Return the number of a value."""
        return self._numbers.setdefault(value, len(self._numbers))


def buildkit_run(draft: Draft, instruction: Run, command: Sequence[str], scope: Scope) -> Hashable:
    """Return what BuildKit keys a RUN by."""
    network = instruction.network or ""
    return "Run", tuple(command), scope.ordered, draft.working_dir or "/", draft.user, instruction.mounts, network


def legacy_step(
    draft: Draft, told: str | Sequence[str], dialect: Dialect, arguments: Sequence[tuple[str, str]] | None = None
) -> Hashable:
    """Return what the legacy builder compares of a step: the config of its container.

    Parameters
    ----------
    draft : Draft
        The config.
    told : str or sequence of str
        What history says, or the words of a RUN.
    dialect : Dialect
        20.10 compares fewer fields.
    arguments : sequence of (str, str), optional
        Of a RUN.
    """
    if isinstance(told, str):
        config = draft.config | {"Cmd": list(step_words(told, draft.shell))}
    else:
        counted = [] if arguments is None else [f"|{len(arguments)}", *(f"{name}={value}" for name, value in arguments)]
        config = draft.config | {"Cmd": [*counted, *told], "Entrypoint": None}
    names = (*STEP_FIELDS, *(() if dialect.is_old else NEWER_FIELDS))
    return tuple(_frozen(config.get(name) or None) for name in names)


def _frozen(value: object) -> Hashable:
    """Return a value of a config in a form that can be a key; the order of names does not count."""
    if isinstance(value, dict):
        return "object", tuple(sorted((name, _frozen(one)) for name, one in value.items()))
    if isinstance(value, list):
        return "list", tuple(_frozen(one) for one in value)
    return repr(value)
