"""What the context has to know of a builder: which it is, and of which engine."""

from __future__ import annotations

from typing import Literal, Protocol

OLD: Literal[20] = 20
"""The generation of 20.10."""


class Dialect(Protocol):
    """One generation of one builder."""

    @property
    def builder(self) -> Literal["legacy", "buildkit"]:
        """Whose rules hold."""

    @property
    def generation(self) -> Literal[20, 29]:
        """Of which engine: 20.10, or 29."""


def is_legacy(dialect: Dialect) -> bool:
    """Tell whether it is the builder in the engine, not BuildKit."""
    return dialect.builder == "legacy"


def is_new_buildkit(dialect: Dialect) -> bool:
    """Tell whether it is BuildKit, of a newer engine than 20.10."""
    return not is_legacy(dialect) and dialect.generation != OLD


def is_old_buildkit(dialect: Dialect) -> bool:
    """Tell whether it is BuildKit as 20.10 has it."""
    return not is_legacy(dialect) and dialect.generation == OLD
