"""A replay says what `Engine.build` does, step for step and byte for byte."""

from __future__ import annotations

import pytest

from tests.replay.drawn import RUNS, draw
from tests.replay.twins import Builder, both

BUILDERS = [("buildkit", "overlay2"), ("buildkit", "docker20"), ("legacy", "overlay2"), ("legacy", "docker20")]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(("builder", "profile"), BUILDERS)
def test_a_replay_agrees_with_the_engine(builder: Builder, profile: str, seed: int) -> None:
    case = draw(seed)
    for number, (theirs, ours) in enumerate(both(case, RUNS, builder, profile)):
        assert ours == theirs, f"seed {seed}, build {number}\n{case.dockerfile}"
