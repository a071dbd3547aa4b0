"""Seeds of random tests: a share of them is tried in the gate, all by `make test-thorough`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet


def seeds(numbers: range, gate: int) -> list[ParameterSet]:
    """Return the seeds of a test; those after the first `gate` are marked ``thorough``."""
    return [
        pytest.param(seed, id=f"seed-{seed:03}", marks=[pytest.mark.thorough] if at >= gate else [])
        for at, seed in enumerate(numbers)
    ]
