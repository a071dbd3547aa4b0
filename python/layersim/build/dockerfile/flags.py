"""The flags of an instruction: which there are, what they take, and what the builders say of wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from layersim.build.dockerfile.faults import WrongInstructionError
from layersim.build.dockerfile.mistakes import did_you_mean

if TYPE_CHECKING:
    from layersim.build.dockerfile.dialect import Dialect, FlagKind
    from layersim.build.dockerfile.nodes import Node


class Flags(msgspec.Struct, frozen=True):
    """The flags that one instruction was given, by name."""

    texts: dict[str, list[str]]

    def text(self, name: str) -> str | None:
        """Return the value of a flag, or None if it was not given."""
        found = self.texts.get(name)
        return found[0] if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of a flag that may be given several times."""
        return tuple(self.texts.get(name, ()))

    def is_set(self, name: str) -> bool | None:
        """Return the value of a boolean flag, or None if it was not given."""
        found = self.text(name)
        return None if found is None else found.lower() != "false"


_NONE = Flags({})


def read_flags(node: Node) -> Flags:
    """Check an instruction's flags against those that it has.

    Raises
    ------
    WrongInstructionError
        A flag is unknown, given twice, or its value is missing or wrong.
    """
    if not node.flags:
        return _NONE
    known = node.dialect.flags_of(node.name)
    given: dict[str, list[str]] = {}
    for flag in node.flags:
        name, equals, value = flag[2:].partition("=")
        if name not in known:
            raise _fault(node.dialect, "unknown flag", name, did_you_mean(name, known))
        if name in given and known[name] != "texts":
            raise _fault(node.dialect, "duplicate flag specified", name)
        _check_value(node.dialect, known[name], name, value, has_value=bool(equals))
        given.setdefault(name, []).append(value)
    return Flags(given)


def _check_value(dialect: Dialect, kind: FlagKind, name: str, value: str, *, has_value: bool) -> None:
    if kind == "bool":
        if has_value and not value:
            raise _fault(dialect, "missing a value on flag", name)
        if value.lower() not in ("", "true", "false"):
            raise _fault(dialect, "expecting boolean value for flag", name, f", not: {value}")
    elif not has_value:
        raise _fault(dialect, "missing a value on flag", name)


def _fault(dialect: Dialect, what: str, name: str, after: str = "") -> WrongInstructionError:
    """Return an error in the words of a generation."""
    if dialect.is_old:
        return WrongInstructionError(f"{what.capitalize()}: {name}{'' if after.startswith(' (') else after}")
    between = " " if what.startswith("expecting") else ": "
    return WrongInstructionError(f"{what}{between}--{name}{after}")
