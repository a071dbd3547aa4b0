"""Points in time as Docker writes them: RFC 3339 text with up to nine digits after the second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from operator import index
from typing import TYPE_CHECKING, SupportsIndex

if TYPE_CHECKING:
    from datetime import tzinfo

# Go's zero time, which Docker writes where no time is known.
UNKNOWN = "0001-01-01T00:00:00Z"

_RFC3339 = re.compile(
    r"(?P<year>\d{4})(?P<day>-\d{2}-\d{2})T(?P<time>(?:[01]?\d|2[0-3]):\d{2}:\d{2})(?:[.,](?P<fraction>\d+))?"
    r"(?:Z|(?P<sign>[+-])(?P<hours>\d{2}):(?P<minutes>\d{2}))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN_S = -62_135_596_800
# Gregorian dates come again after so many days; a year in the middle of those that a `datetime` has.
_CYCLE_YEARS, _CYCLE, _MIDDLE = 400, timedelta(days=146_097), 5000
# The last microsecond of the year 9999: an offset may lead beyond it.
_LAST_US = 253_402_300_800 * 10**6 - 1
_FIRST_NS, _END_NS = _UNKNOWN_S * 10**9, (_LAST_US + 1) * 1000


def parse(text: str) -> int:
    """Return nanoseconds since 1970.

    Raises
    ------
    ValueError
        The text is not RFC 3339, or names a day or hour that does not exist.

    Notes
    -----
    As Go reads them: an hour may have one digit, there is a year 0, and an offset is any two numbers.
    """
    match = _matched(text)
    since = _shifted(match) - _EPOCH - _cycles(int(match["year"])) * _CYCLE - _offset(match)
    return since // timedelta(seconds=1) * 10**9 + int((match["fraction"] or "").ljust(9, "0")[:9])


def normalised(text: str) -> str:
    """Return the text as Go writes the same instant again: same zone, no trailing zeros."""
    match = _matched(text)
    fraction = (match["fraction"] or "")[:9].rstrip("0")
    moment = f"{match['year']}{_shifted(match):-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "")
    return moment + _format_offset(_offset(match))


def format_utc(nanoseconds: int) -> str:
    """Return an instant as Docker writes it into a config: UTC, no trailing zeros."""
    seconds, rest = divmod(nanoseconds, 10**9)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{text}{fraction}Z"


def from_clock(moment: object) -> int:
    """Return the nanoseconds since 1970 that a clock gave, which may be an aware ``datetime``.

    Raises
    ------
    TypeError
        It is neither.
    ValueError
        It is before the year 1 or after the year 9999, which no config could tell.
    """
    # A number is what nearly every clock gives, and a container is made in a microsecond.
    nanoseconds = moment if type(moment) is int else _counted(moment)
    if not _FIRST_NS <= nanoseconds < _END_NS:
        raise ValueError(f"expected a time of the years 1 to 9999 from the clock, got {moment!r:.80}")
    return nanoseconds


def _counted(moment: object) -> int:
    """Return the nanoseconds of an aware ``datetime`` or of another library's integer."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    if isinstance(moment, bool | datetime) or not isinstance(moment, SupportsIndex):
        raise TypeError(f"expected nanoseconds since 1970 or an aware datetime from the clock, got {moment!r:.80}")
    return index(moment)


def format_local(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment as Docker's command line writes it: whole seconds, in a zone, which is the process's by default.

    Seconds of an offset, which local mean times have, are left out, as Go does. In the first and the last hours
    that a `datetime` knows, a zone may already, or still, be in the year 0 or 10000.
    """
    day = timedelta(days=1)
    near = min(max(moment, datetime.min.replace(tzinfo=UTC) + day), datetime.max.replace(tzinfo=UTC) - day)
    offset = near.astimezone(zone).utcoffset() or timedelta()
    cycles = _cycles(moment.year)
    there = moment + cycles * _CYCLE + offset
    return f"{there.year - cycles * _CYCLE_YEARS:04d}{there:-%m-%dT%H:%M:%S}{_format_offset(offset)}"


def to_datetime(nanoseconds: int) -> datetime:
    """Return an aware ``datetime``; what is finer than a microsecond, or beyond the year 9999, is cut off."""
    return _EPOCH + timedelta(microseconds=min(max(_UNKNOWN_S * 10**6, nanoseconds // 1000), _LAST_US))


def unix_seconds(text: str | None) -> int:
    """Return whole seconds since 1970, those of Go's zero time where nothing is known."""
    return _UNKNOWN_S if text is None else parse(text) // 10**9


def _format_offset(offset: timedelta) -> str:
    if not offset:
        return "Z"
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if minutes and offset < timedelta() else "+"
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _matched(text: str) -> re.Match[str]:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time of RFC 3339: {text!r}")
    return match


def _shifted(match: re.Match[str]) -> datetime:
    """Return what is written, without its offset, some cycles of years away: a `datetime` has no year 0."""
    year = int(match["year"])
    shifted = year + _cycles(year) * _CYCLE_YEARS
    return datetime.fromisoformat(f"{shifted:04d}{match['day']}T{match['time']:0>8}+00:00")


def _cycles(year: int) -> int:
    """Return how many cycles lead away from the ends of what a `datetime` has."""
    return 1 if year < _MIDDLE else -1


def _offset(match: re.Match[str]) -> timedelta:
    size = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    return -size if match["sign"] == "-" else size
