"""The flags of an instruction: which there are, what they take, and what the builders say of wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layersim.build.dockerfile.faults import WrongInstructionError
from layersim.build.dockerfile.mistakes import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.nodes import Node


_NONE: Mapping[str, Any] = {}


def read_flags(node: Node) -> Mapping[str, Any]:
    """Return the flags that an instruction was given: of each the text, all its texts, or whether it is set.

    Raises
    ------
    WrongInstructionError
        A flag is unknown, given twice, or its value is missing or wrong.
    """
    if not node.flags:
        return _NONE
    known = node.dialect.flags_of(node.name)
    given: dict[str, Any] = {}
    for flag in node.flags:
        name, equals, value = flag[2:].partition("=")
        if name not in known:
            raise _fault(node.dialect, "unknown flag", name, did_you_mean(name, known))
        kind = known[name]
        if name in given and kind != "texts":
            raise _fault(node.dialect, "duplicate flag specified", name)
        if kind == "bool":
            given[name] = _boolean(node.dialect, name, value, has_value=bool(equals))
        elif not equals:
            raise _fault(node.dialect, "missing a value on flag", name)
        else:
            given[name] = value if kind == "text" else (*given.get(name, ()), value)
    return given


def _boolean(dialect: Dialect, name: str, value: str, *, has_value: bool) -> bool:
    if has_value and not value:
        raise _fault(dialect, "missing a value on flag", name)
    if value.lower() not in ("", "true", "false"):
        raise _fault(dialect, "expecting boolean value for flag", name, f", not: {value}")
    return value.lower() != "false"


def _fault(dialect: Dialect, what: str, name: str, after: str = "") -> WrongInstructionError:
    """Return an error in the words of a generation."""
    if dialect.is_old:
        return WrongInstructionError(f"{what.capitalize()}: {name}{'' if after.startswith(' (') else after}")
    between = " " if what.startswith("expecting") else ": "
    return WrongInstructionError(f"{what}{between}--{name}{after}")
