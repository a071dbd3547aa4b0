"""Forty random image sets, each loaded into a real engine and into ours, and compared in all respects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.archives import docker_archive
from tests.engine.compare import (
    assert_same_export,
    assert_same_history,
    assert_same_images,
    assert_same_merged_tree,
    assert_same_text,
    assert_same_usage,
    loaded,
    utc_now,
)
from tests.engine.random_images import random_images
from tests.seeds import seeds

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

SEEDS = seeds(range(40), gate=14)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_set_is_the_same_in_both_engines(seed: int, daemon: Daemon, tmp_path: Path) -> None:
    images = random_images(seed, utc_now())
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_images(daemon, engine)
    assert_same_usage(daemon, engine)
    assert_same_text(daemon, engine)
    for image in images:
        assert_same_history(daemon, engine, image.image_id)
        assert_same_merged_tree(daemon, engine, image.image_id)
    assert_same_export(daemon, engine, images[0].image_id, tmp_path)
