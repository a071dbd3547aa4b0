"""The goldens, and where they lie; PROVENANCE.md says who made them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DOCKER20 = Path(__file__).parent / "docker20"
DOCKER28 = Path(__file__).parent / "docker28"


@dataclass(frozen=True)
class Printed:
    """What one command line printed, by arguments, at one moment."""

    now_ns: int
    texts: dict[str, str]


def printed(version: str) -> Printed:
    """Return what the command line of this version printed."""
    return Printed(**json.loads((DOCKER20 / f"cli{version}.json").read_text()))
