"""Durations as Go's package time reads and prints them, in nanoseconds."""

from __future__ import annotations

import re

from layersim.build.dockerfile.faults import WrongInstructionError
from layersim.build.dockerfile.golang import go_quote

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"([0-9]*)(\.?)([0-9]*)([^.0-9]*)")
_LONGEST_NS = (1 << 63) - 1


def read_duration(text: str) -> int:
    """Return a duration such as ``1h2.5s`` in nanoseconds.

    Raises
    ------
    WrongInstructionError
        It is none, in Go's words.
    """
    sign, unsigned = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if unsigned == "0":
        return 0
    if not unsigned:
        raise WrongInstructionError(f"time: invalid duration {go_quote(text)}")
    total, at = 0, 0
    while at < len(unsigned):
        part, at = _part(unsigned, at, text)
        total += part
    if total > _LONGEST_NS + (sign < 0):
        raise WrongInstructionError(f"time: invalid duration {go_quote(text)}")
    return sign * total


def _part(unsigned: str, at: int, text: str) -> tuple[int, int]:
    """Return one number with its unit in nanoseconds, and where the next begins."""
    found = _PART.match(unsigned, at)
    whole, _, fraction, unit = found.groups() if found else ("", "", "", "")
    if found is None or not (whole or fraction):
        raise WrongInstructionError(f"time: invalid duration {go_quote(text)}")
    if not unit:
        raise WrongInstructionError(f"time: missing unit in duration {go_quote(text)}")
    if unit not in _UNITS:
        raise WrongInstructionError(f"time: unknown unit {go_quote(unit)} in duration {go_quote(text)}")
    if len(whole) > len(str(_LONGEST_NS)):
        raise WrongInstructionError(f"time: invalid duration {go_quote(text)}")
    digits = fraction[:18]
    return int(whole or "0") * _UNITS[unit] + int(digits or "0") * _UNITS[unit] // 10 ** len(digits), found.end()


def print_duration(duration_ns: int) -> str:
    """Return a duration as Go prints it.

    Examples
    --------
    >>> from layersim.build.dockerfile.durations import print_duration
    >>> print_duration(3_602_500_000_000), print_duration(1_500_000), print_duration(0)
    ('1h0m2.5s', '1.5ms', '0s')
    """
    sign, rest = ("-", -duration_ns) if duration_ns < 0 else ("", duration_ns)
    for unit, name in ((1_000, "ns"), (1_000_000, "\u00b5s"), (1_000_000_000, "ms")):
        if 0 < rest < unit:
            return f"{sign}{_decimal(rest, unit // 1_000)}{name}"
    minutes, seconds = divmod(rest, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(seconds, _UNITS['s'])}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else sign + text


def _decimal(value: int, unit: int) -> str:
    """Return a value in a unit, a power of ten, without zeros at its end."""
    whole, fraction = divmod(value, unit)
    if not fraction:
        return str(whole)
    return f"{whole}.{str(unit + fraction)[1:].rstrip('0')}"
