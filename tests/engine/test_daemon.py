"""The oracle itself: a private engine that loads, runs, commits and forgets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from layersim.testing import differences
from tests.engine.archives import docker_archive
from tests.engine.merged import export, kernel_mount, unpacked, without_init
from tests.engine.random_images import random_images
from tests.kernel.mount import KernelOverlay
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon


def test_it_is_the_engine_that_the_profile_describes(daemon: Daemon) -> None:
    info = daemon.api("/info")
    assert info["ServerVersion"].startswith("20.10.")
    assert info["Driver"] == "overlay2"
    assert dict(info["DriverStatus"])["Native Overlay Diff"] == "true"


NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(300, 306))
def test_the_oracles_agree(seed: int, daemon: Daemon, tmp_path: Path) -> None:
    """The engine's folders, its export, and this suite's own extraction of the same tars: three times one tree."""
    images = random_images(seed, NOW)
    daemon.docker("load", stdin=docker_archive(images))
    for number, image in enumerate(images):
        with kernel_mount(daemon, image.image_id) as merged:
            shown = snapshot(Disk(merged))
        with KernelOverlay(tmp_path / f"own{number}", image.layers) as own:
            assert differences(shown, snapshot(Disk(own.merged))) == []
        bare = {path: node._replace(xattrs=()) for path, node in shown.items()}
        exported = snapshot(unpacked(export(daemon, image.image_id), tmp_path / f"export{number}"), with_xattrs=False)
        assert differences(bare, without_init(exported)) == []


def test_a_container_runs(daemon: Daemon, busybox: str) -> None:
    assert (
        daemon.docker("run", "--network", "none", "--name", "box", busybox, "sh", "-c", "echo new > /data/f; echo out")
        == "out\n"
    )
    assert sorted(daemon.lines("diff", "box")) == ["A /data/f", "C /data"]


def test_it_is_empty_again_for_every_test(daemon: Daemon) -> None:
    assert daemon.api("/system/df")["LayersSize"] == 0
