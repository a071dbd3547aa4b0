"""Saving is invisible: an engine that was saved and opened shows the same, and goes on the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

import layersim as ls
from tests.laws.sketches import stacks
from tests.laws.test_overlay import works
from tests.laws.test_union import layers_of
from tests.states import Clock, describe, do, random_session, tree

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.testing import Operation
    from tests.reference import Folder


@pytest.mark.parametrize("seed", range(12))
def test_an_engine_that_is_saved_again_and_again_goes_on_as_one_that_never_was(seed: int, tmp_path: Path) -> None:
    rng, clock, again_clock = random.Random(seed), Clock(), Clock()
    profile = ("docker20", "overlay2", "containerd")[seed % 3]
    never, opened = ls.Engine(profile, clock=clock), ls.Engine(profile, clock=again_clock)
    path = tmp_path / ("host.lsim", "store")[seed % 2]
    for _ in range(6):
        for command in random_session(rng, 15):
            assert do(opened, command) == do(never, command), command
        opened.save_state(path, layout="directory" if path.name == "store" else "file")
        opened.close()
        opened = ls.Engine.open(path, clock=again_clock, verify=rng.random() < 0.2)
        assert describe(opened, again_clock) == describe(never, clock)
    opened.close()


@pytest.mark.parametrize("seed", range(3))
def test_what_is_saved_again_without_being_looked_into_is_the_same_file(seed: int, tmp_path: Path) -> None:
    engine = ls.Engine(clock=Clock())
    for command in random_session(random.Random(seed), 40):
        do(engine, command)
    one, two, store = tmp_path / "one.lsim", tmp_path / "two.lsim", tmp_path / "store"
    engine.save_state(one)
    with ls.Engine.open(one) as opened:
        opened.save_state(f"{store}/")
    with ls.Engine.open(store) as opened:
        opened.save_state(two)
        assert not any(layer.is_read for row in opened.images(all=True) for layer in opened.get_image(row.id).layers)
    assert two.read_bytes() == one.read_bytes()


@given(stacks, works(12), works(6))
@settings(max_examples=50)
def test_an_upper_is_the_whole_top(stack: list[Folder], before: list[Operation], after: list[Operation]) -> None:
    clock, again_clock = Clock(), Clock()
    view = ls.View(layers_of(stack))
    fs = ls.Overlay(view, clock=clock)
    for work in before:
        work.perform(fs)
    upper = fs.upper()
    if upper is None:
        assert fs.changes() == []
        return
    again_clock.now = clock.now
    again = upper.over(view, clock=again_clock)
    assert (upper.size_rw, again.size_rw) == (fs.size_rw, fs.size_rw)
    for done in range(len(after) + 1):
        for work in after[:done][-1:]:
            work.perform(fs)
            work.perform(again)
        assert (again.changes(), tree(again)) == (fs.changes(), tree(fs))
        assert again.to_layer().diff_id == fs.to_layer().diff_id
