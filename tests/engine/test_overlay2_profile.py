"""The profile `overlay2` against the engine it describes: a newer dockerd with the overlay2 graphdriver."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.engine.archives import docker_archive
from tests.engine.compare import (
    assert_same_history,
    assert_same_images,
    assert_same_table,
    assert_same_text,
    assert_same_usage,
    loaded,
    new_engine,
    utc_now,
)
from tests.engine.families import FAMILY, build_family, take_over_everything
from tests.engine.random_images import random_images
from tests.engine.short_sessions import Session, play
from tests.seeds import seeds

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon


@pytest.fixture
def daemon(graph_daemon: Daemon) -> Daemon:
    return graph_daemon


def test_it_is_the_engine_that_the_profile_describes(daemon: Daemon) -> None:
    info = daemon.api("/info")
    assert daemon.major() >= 24
    assert info["Driver"] == "overlay2"
    assert dict(info["DriverStatus"])["Native Overlay Diff"] == "true"


def test_hidden_images_make_layers_shared(daemon: Daemon) -> None:
    """The worked example of accounting.md section 3, built by the legacy builder: nothing is unique to b, c, d."""
    build_family(daemon)
    engine = new_engine(daemon)
    take_over_everything(daemon, engine)
    assert_same_images(daemon, engine)
    assert_same_usage(daemon, engine)
    rows = {row.tags: (row.size, row.shared_size, row.unique_size) for row in engine.df().images}
    assert rows == {(name,): (size, size, 0) for name, size in FAMILY.items()}
    for name in FAMILY:
        assert_same_table(daemon, partial(engine.history, name), "history", name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(range(600, 612), gate=6))
def test_a_random_set(seed: int, daemon: Daemon, tmp_path: Path) -> None:
    images = random_images(seed, utc_now())
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_images(daemon, engine)
    assert_same_usage(daemon, engine)
    assert_same_text(daemon, engine)
    for image in images:
        assert_same_history(daemon, engine, image.image_id)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(range(700, 712), gate=6))
def test_a_session(seed: int, daemon: Daemon) -> None:
    play(Session(daemon, seed))
