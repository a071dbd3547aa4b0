"""The oracle itself: a private engine that loads, runs, commits and forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.daemon import Daemon


def test_it_is_the_engine_that_the_profile_describes(daemon: Daemon) -> None:
    info = daemon.api("/info")
    assert info["ServerVersion"].startswith("20.10.")
    assert info["Driver"] == "overlay2"
    assert dict(info["DriverStatus"])["Native Overlay Diff"] == "true"


def test_a_container_runs(daemon: Daemon, busybox: str) -> None:
    assert daemon.docker("run", "--network", "none", "--name", "box", busybox, "sh", "-c", "echo new > /data/f; echo out") == "out\n"
    assert sorted(daemon.lines("diff", "box")) == ["A /data/f", "C /data"]


def test_it_is_empty_again_for_every_test(daemon: Daemon) -> None:
    assert daemon.api("/system/df")["LayersSize"] == 0
