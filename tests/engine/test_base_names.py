"""Whether real builders find a base, or what is copied from, by the id of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.build.test_base_names import LINES, MOUNT, names_of
from tests.engine.dockerfiles import images_tar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def check(daemon: Daemon, folder: Path) -> None:
    """Build with every name of an image, by both builders."""
    daemon.docker("load", stdin=images_tar())
    (folder / "f").write_text("f")
    for kind, name in names_of(str(daemon.inspect("bb:1")["Id"])).items():
        for line in (*LINES, MOUNT):
            (folder / "Dockerfile").write_text(line.format(name))
            is_known = kind == "digest" and daemon.keeps_snapshots
            done = daemon.run("build", "--no-cache", "--network=none", str(folder), DOCKER_BUILDKIT="1")
            assert (done.returncode == 0) == is_known, (kind, line)
            if line != MOUNT:
                done = daemon.run("build", "--no-cache", "--network=none", str(folder), DOCKER_BUILDKIT="0")
                assert (done.returncode == 0) == (kind != "digest" or is_known), (kind, line)


def test_an_older_engine(daemon: Daemon, tmp_path: Path) -> None:
    check(daemon, tmp_path)


def test_a_newer_engine(graph_daemon: Daemon, tmp_path: Path) -> None:
    check(graph_daemon, tmp_path)


def test_a_store_of_snapshots(snapshot_daemon: Daemon, tmp_path: Path) -> None:
    check(snapshot_daemon, tmp_path)
