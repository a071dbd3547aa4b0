"""Signals of STOPSIGNAL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from layersim.build.dockerfile.dialect import Dialect

_NAMES = frozenset(
    (
        "ABRT",
        "ALRM",
        "BUS",
        "CHLD",
        "CLD",
        "CONT",
        "FPE",
        "HUP",
        "ILL",
        "INT",
        "IO",
        "IOT",
        "KILL",
        "PIPE",
        "POLL",
        "PROF",
        "PWR",
        "QUIT",
        "SEGV",
        "STKFLT",
        "STOP",
        "SYS",
        "TERM",
        "TRAP",
        "TSTP",
        "TTIN",
        "TTOU",
        "URG",
        "USR1",
        "USR2",
        "VTALRM",
        "WINCH",
        "XCPU",
        "XFSZ",
        "RTMIN",
        "RTMAX",
    )
)
_REAL_TIME = re.compile(r"RTMIN\+(?:[1-9]|1[0-5])|RTMAX-(?:[1-9]|1[0-4])")
_NUMBER = re.compile(r"[+-]?[0-9]+")


def check_signal(word: str, dialect: Dialect) -> None:
    """Check that a word, its variables replaced, is a signal: a name, with or without ``SIG``, or a number but 0.

    Parameters
    ----------
    word : str
        The word.
    dialect : Dialect
        Whose words the error has.

    Raises
    ------
    DockerfileError
        It is none.
    """
    name = word.upper().removeprefix("SIG")
    is_number = _NUMBER.fullmatch(word) and word.strip("+-0")
    if not is_number and name not in _NAMES and not _REAL_TIME.fullmatch(name):
        start = "Invalid" if dialect.is_old else "invalid"
        raise DockerfileError(f"{start} signal: {word}", text=word)
