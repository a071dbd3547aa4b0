"""Killed at any point of a save, the target has the old state or the new one: with real processes and real kills."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests import saver
from tests.states import Clock, describe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Saver = subprocess.Popen[str]
LAYOUTS = ("host.lsim", "store/")


@pytest.fixture
def process(repository: Path) -> Iterator[Saver]:
    """A process that saves and is killed."""
    environment = os.environ | {"PYTHONPATH": f"{repository}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "tests.saver"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=environment) as started:
        yield started
        assert started.stdin is not None
        started.stdin.close()


def tell(process: Saver, path: object, which: str, how: str, amount: int = 0) -> str:
    """Let one child save, and end it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{path} {which} {how} {amount}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def told(engine: ls.Engine) -> dict[str, object]:
    return describe(engine, Clock())


def opened(path: str) -> dict[str, object]:
    """Tell what is at a path, every byte verified."""
    with ls.Engine.open(path, clock=lambda: saver.NOW, verify=True) as engine:
        return told(engine)


class Target:
    """A path that is saved to, and what must be there."""

    def __init__(self, process: Saver, path: str) -> None:
        self.process, self.path = process, path
        self.states = {"old": told(saver.old()), "new": told(saver.new())}
        self.seen: Counter[tuple[str, str]] = Counter()
        assert tell(process, path, "old", "never") == "saved"
        self.now = "old"

    def kill(self, how: str, amount: int) -> None:
        """Save the state that is not there, be killed, and look."""
        wanted = "new" if self.now == "old" else "old"
        end = tell(self.process, self.path, wanted, how, amount)
        found = opened(self.path)
        assert found in (self.states["old"], self.states["new"]), f"neither, {how} {amount}"
        after = wanted if found == self.states[wanted] else self.now
        assert end == "killed" or (end, after) == ("saved", wanted)
        self.seen[end, "stayed" if after == self.now else "changed"] += 1
        self.now = after


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_killed_by_the_clock(process: Saver, layout: str, tmp_path: Path) -> None:
    target = Target(process, f"{tmp_path}/{layout}")
    start = time.perf_counter()
    for which in ("new", "old"):
        tell(process, target.path, which, "never")
    whole_us = (time.perf_counter() - start) / 2 * 1e6
    for point in range(60):
        target.kill("after", int(whole_us * point / 50))
    assert target.seen["killed", "stayed"] > 10
    _works_and_is_clean(target)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_killed_at_a_byte(process: Saver, layout: str, tmp_path: Path) -> None:
    target = Target(process, f"{tmp_path}/{layout}")
    longest = 1_300_000 if layout == "host.lsim" else 130_000
    for point in range(40):
        target.kill("bytes", longest * point // 40)
    assert target.seen["killed", "stayed"] > 10
    _works_and_is_clean(target)


def test_killed_at_a_call(process: Saver, tmp_path: Path) -> None:
    target = Target(process, f"{tmp_path}/store/")
    for point in [*range(40), *range(40)]:
        target.kill("at", point)
    assert target.seen["killed", "stayed"] > 10
    assert target.seen["killed", "changed"] > 2
    _works_and_is_clean(target)


def test_killed_before_the_first_state_there_is_none_and_the_next_save_makes_it(process: Saver, tmp_path: Path) -> None:
    for point in range(12):
        path = f"{tmp_path}/{point}/"
        if tell(process, path, "old", "at", point) == "saved" or os.path.exists(f"{path}state.json"):
            assert opened(path) == told(saver.old())
            continue
        if os.path.isdir(path):
            with pytest.raises(ls.errors.StateError, match=r"without 'state\.json'"):
                ls.Engine.open(path)
        assert tell(process, path, "new", "never") == "saved"
        assert opened(path) == told(saver.new())


def _works_and_is_clean(target: Target) -> None:
    """After all those kills a save that lives leaves the state, and of a store nothing beside it."""
    for which in ("new", "old"):
        assert tell(target.process, target.path, which, "never") == "saved"
        assert opened(target.path) == target.states[which]
    if os.path.isdir(target.path):
        held = {layer.diff_id[7:] for layer in saver.old().get_image("base:1").layers}
        assert len(set(os.listdir(f"{target.path}/blobs/sha256")) - held) == 1  # what the container has written
