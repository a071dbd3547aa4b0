"""Which variables a stage sees, and with which value (spec/build.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile import Dialect

PREDEFINED = frozenset(
    name
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (proxy, proxy.lower())
)
"""Arguments that need no ``ARG``; ``ALL_PROXY`` since 23."""


@dataclass
class Scope:
    """The variables of one stage.

    Attributes
    ----------
    dialect : Dialect
        Whose rules count.
    given : mapping of str to str
        The ``--build-arg`` of the build.
    globals : mapping of str to str
        Values of the ``ARG`` before the first ``FROM``, and of the platform.
    env : dict
        What ``ENV`` of the base and of this stage set.
    declared : list
        The arguments that this stage declared, in order, each with its value or None.
    overrides : dict
        With BuildKit: arguments declared after an ``ENV`` of the same name, which they hide.
    order : list of str
        The names of variables as BuildKit lists them to commands: one that is set again comes last.
    """

    dialect: Dialect
    given: Mapping[str, str]
    globals: Mapping[str, str]
    env: dict[str, str] = field(default_factory=dict)
    declared: list[tuple[str, str | None]] = field(default_factory=list)
    overrides: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the variables of the base, in its order."""
        self.order = self.order or list(self.env)

    def declare(self, name: str, default: str | None) -> str | None:
        """Take an ``ARG`` in; return its value in force, or None if it has none."""
        value = self.given.get(name, default if default is not None else self.globals.get(name))
        self.declared.append((name, value))
        if value is not None:
            self.overrides[name] = value
            self._put_last(name)
        return value

    def set_env(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Take an ``ENV`` in."""
        for name, value in pairs:
            self.env[name] = value
            self.overrides.pop(name, None)
            self._put_last(name)

    def _put_last(self, name: str) -> None:
        self.order = [*(known for known in self.order if known != name), name]

    def inherited(self, env: dict[str, str]) -> Scope:
        """Return what a stage that is built upon this one sees with BuildKit."""
        kept = {name: value for name, value in self.overrides.items() if name not in env}
        declared = list(self.declared) if not self.dialect.is_old else []
        # Each variable of the image is set again, so that they come after arguments that are none of them.
        order = [*(name for name in self.order if name not in env), *env]
        return Scope(self.dialect, self.given, self.globals, env, declared, kept, order)

    def value_of(self, name: str) -> str | None:
        """Return the value in force of an argument that was declared."""
        return dict(self.declared).get(name)

    @property
    def variables(self) -> dict[str, str]:
        """What ``$name`` means in this stage."""
        if self.dialect.builder == "buildkit":
            return self.env | self.overrides
        return self._allowed() | self.env

    @property
    def ordered(self) -> tuple[tuple[str, str], ...]:
        """Names and values in BuildKit's order, which counts for a command."""
        values = self.variables
        return tuple((name, values[name]) for name in self.order if name in values)

    @property
    def run_env(self) -> dict[str, str]:
        """What commands find in their environment."""
        if self.dialect.builder == "legacy":
            return self.variables
        return self.variables | self._proxies()

    def _proxies(self) -> dict[str, str]:
        """With BuildKit: the proxies that were given, each by its name in capitals and in small letters."""
        given = {name: value for name, value in self.given.items() if name in PREDEFINED}
        return {name.upper(): v for name, v in given.items()} | {name.lower(): v for name, v in given.items()}

    @property
    def run_args(self) -> list[tuple[str, str]] | None:
        """The arguments that history tells of a ``RUN``, in the order in which it does; None where it tells of none.

        The legacy builder counts those that need no declaration and shows only those that were declared.
        """
        if self.dialect.builder == "buildkit":
            values = self.variables
            told = [(name, values.get(name, "")) for name, _ in self.declared]
            return (told if self.dialect.is_old else list(dict(told).items())) or None
        allowed = {name: value for name, value in self._allowed().items() if name not in self.env}
        names = {name for name, _ in self.declared}
        return sorted((pair for pair in allowed.items() if pair[0] in names), key="=".join) if allowed else None

    def _allowed(self) -> dict[str, str]:
        """With the legacy builder: arguments that have a value, those that need no declaration among them."""
        declared = {name: value for name, value in dict(self.declared).items() if value is not None}
        return {name: value for name, value in self.given.items() if name in PREDEFINED} | declared
