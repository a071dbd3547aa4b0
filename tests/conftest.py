"""What every test shares: hypothesis profiles, and where the repository is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.oracles import IN_CI

# CI derives its examples from the test alone, so that a red run is red again at a desk.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("ci" if IN_CI else "desk")

for asserting in (
    "tests.engine.agreement",
    "tests.engine.compare",
    "tests.engine.snapshots",
    "tests.engine.twin_images",
    "tests.engine.twins",
    "tests.kernel.agreement",
):
    pytest.register_assert_rewrite(asserting)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parents[1]
