"""Which rules count: ``# check=skip=A,B;error=true;experimental=C``, or the build argument in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from layersim.build.dockerfile.csv_fields import FALSE, TRUE
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK = "BUILDKIT_DOCKERFILE_CHECK"
"""The build argument that is read in place of the directive."""

_EXPERIMENTAL = frozenset(("CopyIgnoredFile",))
_ALL = "all"


@dataclass(frozen=True)
class Options:
    """What is said of the rules.

    Attributes
    ----------
    skipped, experimental : frozenset of str
        Rules that do not count, and rules of trial that do; ``all`` stands for all.
    is_error : bool
        Whether a remark ends the build.
    """

    skipped: frozenset[str] = frozenset()
    experimental: frozenset[str] = frozenset()
    is_error: bool = False

    @classmethod
    def of(cls, directives: Mapping[str, str], build_args: Mapping[str, str]) -> Self:
        """Read them where they stand; the build argument hides the directive.

        Raises
        ------
        BuildError
            In the builder's words.
        """
        if CHECK in build_args:
            return cls._read(build_args[CHECK], f"build-arg:{CHECK}")
        return cls._read(directives.get("check", ""), "check options")

    @classmethod
    def _read(cls, text: str, place: str) -> Self:
        found = cls()
        for option in text.split(";") if text else ():
            name, equals, value = option.partition("=")
            if not equals or name not in {"skip", "error", "experimental"}:
                raise BuildError(f'failed to parse {place}: invalid check option "{name.strip()}"')
            if name == "error" and value not in TRUE | FALSE:
                problem = f'strconv.ParseBool: parsing "{value}": invalid syntax'
                raise BuildError(f'failed to parse {place}: failed to parse check option "{option}": {problem}')
            found = found._with(name, value)
        return found

    def _with(self, name: str, value: str) -> Self:
        """Return them with one more: the last list of rules counts, but ``all`` stays."""
        if name == "error":
            return replace(self, is_error=value in TRUE)
        if name == "skip":
            return replace(self, skipped=_rules(self.skipped, value))
        return replace(self, experimental=_rules(self.experimental, value))

    def has(self, rule: str) -> bool:
        """Tell whether a rule counts: one of trial if it was asked for, whatever is skipped."""
        if rule in _EXPERIMENTAL:
            return bool(self.experimental & {rule, _ALL})
        return not self.skipped & {rule, _ALL}


def _rules(before: frozenset[str], value: str) -> frozenset[str]:
    """Return what a list names; ``all`` is no rule among others."""
    named = {value} if value == _ALL else set(value.split(",")) - {_ALL}
    return frozenset(named | (before & {_ALL}))
