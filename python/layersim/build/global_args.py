"""The variables before the first ``FROM``: those of the platform, and what each global ``ARG`` comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.evaluated import Evaluator
from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile import Dockerfile

_PLATFORM = {
    "BUILDPLATFORM": "{os}/{arch}",
    "BUILDOS": "{os}",
    "BUILDOSVERSION": "",
    "BUILDARCH": "{arch}",
    "BUILDVARIANT": "",
    "TARGETPLATFORM": "{os}/{arch}",
    "TARGETOS": "{os}",
    "TARGETOSVERSION": "",
    "TARGETARCH": "{arch}",
    "TARGETVARIANT": "",
}
_STAGE = "TARGETSTAGE"


@dataclass(frozen=True)
class GlobalArgs:
    """What the global variables of a Dockerfile are worked out from.

    Attributes
    ----------
    dockerfile : Dockerfile
        What was read.
    given : mapping of str to str
        The build arguments.
    platform : tuple of str
        Operating system and architecture.
    target : str or None
        The stage to build.
    """

    dockerfile: Dockerfile
    given: Mapping[str, str]
    platform: tuple[str, str]
    target: str | None

    def values(self) -> dict[str, str]:
        """Return what each variable is.

        Raises
        ------
        DockerfileError
            A default cannot be read, and the builder does not overlook that.
        """
        return self._values(self.given)

    def defaults(self) -> dict[str, str] | None:
        """Return what each would be without build arguments, but for those of the platform; None if one is wrong."""
        try:
            return self._values({})
        except DockerfileError:
            return None

    def _values(self, given: Mapping[str, str]) -> dict[str, str]:
        values = self._predefined()
        for argument in self.dockerfile.globals:
            before = dict(values)
            for name, default in argument.pairs:
                seen = before if self._is_legacy else values
                value = given[name] if name in given and self._skips_given else self._default(default, seen)
                value = given.get(name, value)
                if value is not None:
                    values[name] = value
        return values

    def _predefined(self) -> dict[str, str]:
        if self._is_legacy:
            return {}
        system, machine = self.platform
        values = {name: form.format(os=system, arch=machine) for name, form in _PLATFORM.items()}
        if not self._is_old:
            values[_STAGE] = self.target or self.dockerfile.stages[-1].name or "default"
        return values | {name: value for name, value in self.given.items() if name in values}

    @property
    def _is_legacy(self) -> bool:
        return self.dockerfile.dialect.builder == "legacy"

    @property
    def _is_old(self) -> bool:
        return self.dockerfile.dialect.is_old

    @property
    def _skips_given(self) -> bool:
        """Whether a default is not even read when a value was given."""
        return not (self._is_legacy or self._is_old)

    def _default(self, default: str | None, values: Mapping[str, str]) -> str | None:
        """Return what the default of a global ARG comes to; 20.10's BuildKit takes nothing for one that is wrong."""
        if default is None:
            return None
        try:
            return Evaluator(values, self.dockerfile.dialect, self.dockerfile.escape).word(default)
        except DockerfileError:
            if self._is_legacy or not self._is_old:
                raise
            return ""
