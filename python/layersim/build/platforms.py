r"""What ``FROM --platform`` names: a system, a machine, or both, as containerd reads them.

Examples
--------
>>> from layersim.build.dockerfile import BUILDKIT29
>>> check_platform("linux/arm64", BUILDKIT29)
>>> check_platform("x", BUILDKIT29)
Traceback (most recent call last):
    ...
layersim.errors.BuildError: failed to parse platform x: "x": unknown operating system or architecture: invalid argument
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile.golang import go_quote
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim.build.dockerfile import Dialect

_WORD_20, _WORD = "^[A-Za-z0-9_-]+$", "^[A-Za-z0-9_.-]+$"
_SYSTEM = r"^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$"
_SYSTEMS = "aix android darwin dragonfly freebsd hurd illumos ios js linux macos nacl netbsd openbsd plan9 solaris zos"
_MACHINES = "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc"
_OTHERS = "windows sparc64 wasm i386 x86_64 x86-64 aarch64 armhf armel amd64p32 armbe arm64be mips64p32 mips64p32le"
_KNOWN = frozenset(f"{_SYSTEMS} {_MACHINES} {_OTHERS}".split())
_MOST_WORDS = 3


def check_platform(text: str, dialect: Dialect) -> None:
    """Refuse what is no platform.

    Parameters
    ----------
    text : str
        Variables replaced.
    dialect : Dialect
        Whose words.

    Raises
    ------
    BuildError
        In the builder's words.
    """
    fault = _fault(text, dialect)
    if fault:
        raise BuildError(f"failed to parse platform {text}: {fault}: invalid argument")


def _fault(text: str, dialect: Dialect) -> str:
    whole, words = go_quote(text), text.split("/")
    if "*" in text:
        return f"{whole}: wildcards not yet supported"
    for number, word in enumerate(words):
        is_system = number == 0 and not dialect.is_old
        wanted = _SYSTEM if is_system else _WORD_20 if dialect.is_old else _WORD
        if not re.fullmatch(wanted[1:-1], word):
            kind, of = ("OS component", "OSAndVersion") if is_system else ("component", "platform")
            rule = f"{of} specifier component must match {go_quote(wanted)}"
            return f"{go_quote(word)} is an invalid {kind} of {whole}: {rule}"
    if len(words) == 1 and words[0].partition("(")[0].lower() not in _KNOWN:
        return f"{whole}: unknown operating system or architecture"
    return f"{whole}: cannot parse platform specifier" if len(words) > _MOST_WORDS else ""
