"""Platforms as BuildKit writes and compares them: ``os/architecture[/variant]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from layersim.image import Image

_COMPONENT = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_SYSTEM = re.compile(
    "aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|linux|nacl|netbsd|openbsd|plan9|solaris|windows|zos"
)
_MACHINE = re.compile(
    "386|amd64|amd64p32|arm|armbe|arm64|arm64be|ppc64|ppc64le|loong64|mips|mipsle|mips64|mips64le|mips64p32|"
    "mips64p32le|ppc|riscv|riscv64|s390|s390x|sparc|sparc64|wasm"
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
_LONGEST = 3


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
        if len(parts) > _LONGEST or not all(map(_COMPONENT.fullmatch, parts)):
            return None
        if len(parts) > 1:
            return cls(*parts).normalized
        alone = cls(parts[0], default.architecture).normalized
        if _SYSTEM.fullmatch(alone.os):
            return alone
        machine = cls(default.os, parts[0]).normalized
        return machine if _MACHINE.fullmatch(machine.architecture) else None

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
