r"""Platforms: what ``FROM --platform`` names, as containerd reads it, and how BuildKit writes and compares them.

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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from layersim.build.dockerfile.golang import go_quote
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim.build.dockerfile import Dialect
    from layersim.image import Image

_WORD_20, _WORD = "^[A-Za-z0-9_-]+$", "^[A-Za-z0-9_.-]+$"
_SYSTEM = r"^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$"
_IS_SYSTEM = re.compile(
    "aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|linux|nacl|netbsd|openbsd|plan9|solaris|windows|zos"
)
_IS_MACHINE = re.compile(
    "386|amd64|amd64p32|arm|armbe|arm64|arm64be|loong64|mips|mipsle|mips64|mips64le|mips64p32|mips64p32le|ppc|ppc64|"
    "ppc64le|riscv|riscv64|s390|s390x|sparc|sparc64|wasm"
)
_ALIASES = {
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_PLAIN_VARIANTS = {("amd64", "v1"), ("arm64", "8"), ("arm64", "v8")}
_MOST_WORDS = 3


@dataclass(frozen=True)
class Platform:
    """An operating system and a machine.

    Attributes
    ----------
    os, architecture, variant : str
        As they are written, if not `normalized`.
    """

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def of(cls, image: Image) -> Self:
        """Return the platform that an image is for."""
        config = image.config
        return cls(config.os or "linux", config.architecture or "", config.variant or "")

    @classmethod
    def parse(cls, text: str, default: Platform) -> Platform | None:
        """Return what a text says, or None where it says nothing; one part alone is completed."""
        parts = text.split("/")
        if len(parts) > _MOST_WORDS or not all(re.fullmatch(_WORD[1:-1], part) for part in parts):
            return None
        if len(parts) > 1:
            return cls(*parts).normalized
        alone = cls(parts[0], default.architecture).normalized
        if _IS_SYSTEM.fullmatch(alone.os):
            return alone
        machine = cls(default.os, parts[0]).normalized
        return machine if _IS_MACHINE.fullmatch(machine.architecture) else None

    @property
    def normalized(self) -> Platform:
        """The same with the names that Go has."""
        system = {"macos": "darwin"}.get(self.os.lower(), self.os.lower())
        machine, variant = self.architecture.lower(), self.variant.lower()
        machine, variant = _ALIASES.get(machine, (machine, variant))
        if machine == "arm":
            variant = "v7" if variant in {"", "7"} else variant
            variant = f"v{variant}" if variant in {"5", "6", "8"} else variant
        return Platform(system, machine, "" if (machine, variant) in _PLAIN_VARIANTS else variant)

    def is_for(self, other: Platform) -> bool:
        """Tell whether system and machine are written alike, which is all that counts."""
        return (self.os, self.architecture) == (other.os, other.architecture)

    def __str__(self) -> str:
        """Return it as it is printed."""
        one = self.normalized
        return "/".join(filter(None, (one.os, one.architecture, one.variant)))


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
    if len(words) == 1 and not _is_known(words[0].partition("(")[0].lower()):
        return f"{whole}: unknown operating system or architecture"
    return f"{whole}: cannot parse platform specifier" if len(words) > _MOST_WORDS else ""


def _is_known(word: str) -> bool:
    is_alias = word in _ALIASES or word == "macos"
    return is_alias or bool(_IS_SYSTEM.fullmatch(word) or _IS_MACHINE.fullmatch(word))
