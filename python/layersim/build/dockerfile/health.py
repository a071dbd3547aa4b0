"""HEALTHCHECK: its kinds, durations and retries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile.durations import read_duration
from layersim.build.dockerfile.faults import WrongInstructionError
from layersim.build.dockerfile.flags import read_flags
from layersim.build.dockerfile.golang import go_quote
from layersim.build.dockerfile.instructions import Command, Healthcheck

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.nodes import Node

_SHORTEST_NS = 1_000_000
_MOST_RETRIES = (1 << 31) - 1


def healthcheck(node: Node, arguments: tuple[str, Command]) -> Healthcheck:
    """Return the health check that a node is.

    Raises
    ------
    WrongInstructionError
        Its kind, a duration or the number of retries is wrong.
    """
    kind, command = arguments
    if not kind:
        raise WrongInstructionError("HEALTHCHECK requires at least one argument")
    place = (node.text, node.line, node.end_line, ())
    if kind.upper() == "NONE":
        if command.words:
            raise WrongInstructionError("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(*place, None)
    flags = read_flags(node)
    if kind.upper() != "CMD":
        raise WrongInstructionError(f"Unknown type {go_quote(kind.upper())} in HEALTHCHECK (try CMD)")
    if not command.words:
        raise WrongInstructionError("Missing command after HEALTHCHECK CMD")
    return Healthcheck(
        *place,
        command,
        interval_ns=_duration(flags, "interval", node.dialect),
        timeout_ns=_duration(flags, "timeout", node.dialect),
        start_period_ns=_duration(flags, "start-period", node.dialect),
        start_interval_ns=_duration(flags, "start-interval", node.dialect),
        retries=_retries(flags, node.dialect),
    )


def _duration(flags: Mapping[str, str], name: str, dialect: Dialect) -> int:
    text = flags.get(name)
    if not text:
        return 0
    duration_ns = read_duration(text)
    # 20.10 takes no 0 for "as it was".
    if duration_ns < _SHORTEST_NS and (duration_ns or dialect.is_old):
        raise WrongInstructionError(f"Interval {go_quote(name)} cannot be less than 1ms")
    return duration_ns


def _retries(flags: Mapping[str, str], dialect: Dialect) -> int:
    text = flags.get("retries")
    if not text:
        return 0
    retries = _integer(text)
    if dialect.is_old and retries < 1:
        raise WrongInstructionError(f"--retries must be at least 1 (not {retries})")
    if retries < 0:
        raise WrongInstructionError(f"--retries cannot be negative ({retries})")
    return retries


def _integer(text: str) -> int:
    """Read an integer of 32 bits, and complain as Go does."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    problem = f"strconv.ParseInt: parsing {go_quote(text)}"
    if not (digits.isascii() and digits.isdecimal()):
        raise WrongInstructionError(f"{problem}: invalid syntax")
    is_negative = text.startswith("-")
    if len(digits.lstrip("0")) > len(str(_MOST_RETRIES)) or int(digits) > _MOST_RETRIES + is_negative:
        raise WrongInstructionError(f"{problem}: value out of range")
    return -int(digits) if is_negative else int(digits)
