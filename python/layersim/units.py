"""Sizes, ages and short ids exactly as Docker prints them (accounting.md section 9), and texts made harmless."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,18})?) ?(?:([kmgtp])(i?))?b", re.ASCII | re.IGNORECASE)
_LONGEST_S = (2**63 - 1) // 10**9
_ELLIPSIS = "…"
_STEP = 1000
_MINUTE_S = 60
_HOUR_S = 3600
# Marks, controls, format characters and line ends stand in no column of their own, but for a few format characters.
_NO_COLUMN = frozenset({"Cc", "Cf", "Mc", "Me", "Mn", "Zl", "Zp"})
_SHOWN_FORMATS = re.compile("[\u061c\u2060-\u2064\u2066-\u2069\U0001d173-\U0001d17a]")
# An emoji joined to the one before it, and the colour of its skin; two letters that make a flag.
_PARTS_OF_EMOJI = re.compile("\u200d[\u2600-\u27bf\U0001f000-\U0001faff]|[\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def human_size(size: float, precision: int = 4) -> str:
    """Return a size as Docker prints it.

    Parameters
    ----------
    size : int or float
        Bytes.
    precision : int, default 4
        Significant digits: 3 in `images`, `history` and `ps -s`, 4 in `system df`.

    Returns
    -------
    str
        Divided by 1000 until below 1000, then printed as C's ``%.<precision>g``; rounding up to 1000
        does not move on to the next unit, hence ``1e+03kB``.

    Examples
    --------
    >>> human_size(846, 3), human_size(999_999, 3), human_size(1_982_340)
    ('846B', '1e+03kB', '1.982MB')
    """
    value, unit = float(size), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value /= _STEP
        unit += 1
    return f"{value:.{precision}g}{_UNITS[unit]}"


def parse_size(text: str) -> int | None:
    """Return the bytes that a text such as ``40MB`` stands for; None where it is no number with a unit.

    ``MB`` is decimal, as Docker prints; ``MiB`` is binary. The case does not matter, a fraction of a byte is dropped.

    Examples
    --------
    >>> parse_size("1.5kB"), parse_size("40 MiB"), parse_size("40"), parse_size("a MB")
    (1500, 41943040, None, None)
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    number, letter, binary = found.groups()
    power = "bkmgtp".index((letter or "b").lower())
    return int(Decimal(number) * (1024 if binary else 1000) ** power)


def human_age(seconds: float) -> str:
    """Return a duration as Docker prints it, without the `` ago``.

    Parameters
    ----------
    seconds : float
        Anything below 1 counts as no time; what exceeds 292 years counts as 292 years, because
        Docker's durations are nanoseconds in 63 bits.

    Examples
    --------
    >>> human_age(119), human_age(47 * 3600 + 31 * 60), human_age(1094 * 86400)
    ('About a minute', '2 days', '2 years')
    """
    seconds = min(seconds, _LONGEST_S)
    whole = int(seconds)
    if seconds < 1:
        return "Less than a second"
    if whole == 1:
        return "1 second"
    if whole < _MINUTE_S:
        return f"{whole} seconds"
    return _minutes_or_more(seconds)


def _minutes_or_more(seconds: float) -> str:
    minutes = int(seconds / _MINUTE_S)
    if minutes == 1:
        return "About a minute"
    if minutes < _HOUR_S / _MINUTE_S:
        return f"{minutes} minutes"
    hours = int(seconds / _HOUR_S + 0.5)
    if hours == 1:
        return "About an hour"
    for below, divisor, unit in ((48, 1, "hours"), (336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months")):
        if hours < below:
            return f"{hours // divisor} {unit}"
    return f"{int(seconds / _HOUR_S) // 24 // 365} years"


def short_id(identifier: str) -> str:
    """Return the first twelve digits of an id, its algorithm left out.

    Examples
    --------
    >>> short_id("sha256:c7491612e694ab76fb3e9d0d47d05bf92a105ee4ba06efa2b1989f3e3b496059")
    'c7491612e694'
    """
    return identifier.partition(":")[2][:12] if ":" in identifier else identifier[:12]


def display_width(text: str) -> int:
    """Return how many terminal columns a text takes: wide runes take two (Unicode UAX #11)."""
    return len(text) if text.isascii() else sum(map(_rune_width, text))


def printed_width(text: str) -> int:
    """Return how many columns of a terminal a text fills once it is printed, as Docker's tables from 28 on count them.

    What a reader sees as one character is as wide as its first rune; clusters of Hangul letters are not known here.
    """
    if text.isascii() and text.isprintable():
        return len(text)
    whole = _FLAG.sub("-", _PARTS_OF_EMOJI.sub("", _SHOWN_FORMATS.sub("-", text)))
    return sum(_rune_width(rune) for rune in whole if unicodedata.category(rune) not in _NO_COLUMN)


def _rune_width(rune: str) -> int:
    return 2 if unicodedata.east_asian_width(rune) in "WF" else 1


def ellipsis(text: str, width: int) -> str:
    """Return a text cut to a display width, the last column an ellipsis where something was cut.

    Examples
    --------
    >>> ellipsis("sh -c 'echo hi > /x; sleep 1'", 20)
    "sh -c 'echo hi > /x…"
    """
    if display_width(text) <= width:
        return text
    taken = 0
    for index, rune in enumerate(text):
        taken += _rune_width(rune)
        if taken > width - 1:
            return text[:index] + _ELLIPSIS
    return text


def harmless(text: str, *, kept: str = "") -> str:
    """Return a text that cannot drive a terminal: what is not printable becomes an escape, but for `kept`.

    Names in archives are whatever their makers liked: escape sequences, line ends, bytes that are no text.
    """
    return "".join(rune if rune.isprintable() or rune in kept else ascii(rune)[1:-1] for rune in text)


def quoted(text: str) -> str:
    r"""Return a text in double quotes with escapes, as Go's ``strconv.Quote`` writes it.

    Examples
    --------
    >>> print(quoted('a"b'))
    "a\"b"
    """
    return '"' + "".join(_ESCAPES.get(rune) or _printable(rune) for rune in text) + '"'


def _printable(rune: str) -> str:
    if rune.isprintable():
        return rune
    # The lengths of Go's escapes: \xhh for ASCII, \uhhhh and \Uhhhhhhhh for the rest.
    letter, digits = ("x", 2) if rune.isascii() else ("u", 4) if rune <= "\uffff" else ("U", 8)
    return f"\\{letter}{ord(rune):0{digits}x}"
