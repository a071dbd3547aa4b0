"""The four builders, by what the context and the copying have to know of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Builder:
    """One generation of one builder."""

    builder: Literal["legacy", "buildkit"] = "buildkit"
    generation: Literal[20, 29] = 29


LEGACY20, BUILDKIT20 = Builder("legacy", 20), Builder("buildkit", 20)
LEGACY29, BUILDKIT29 = Builder("legacy", 29), Builder("buildkit", 29)
FOUR = (LEGACY20, BUILDKIT20, LEGACY29, BUILDKIT29)
