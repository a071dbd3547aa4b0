"""What real builders say of ``RUN --device``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.build.test_devices import GIVEN, UNBUILT, UNGIVEN, WRONG
from tests.engine.dockerfiles import images_tar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
KNOWN_SINCE = 28


def said(daemon: Daemon, folder: Path, value: str, builder: str) -> str:
    """Return what an engine prints that refuses."""
    (folder / "Dockerfile").write_text(f"FROM bb:1\nRUN --device={value} true\n")
    done = daemon.run("build", "--network=none", str(folder), DOCKER_BUILDKIT=str(int(builder == "buildkit")))
    assert done.returncode != 0, (value, builder)
    return done.stderr.decode()


@pytest.mark.parametrize("builder", ["buildkit", "legacy"])
def test_an_older_engine(daemon: Daemon, tmp_path: Path, builder: str) -> None:
    daemon.docker("load", stdin=images_tar())
    for value in (*GIVEN, *WRONG):
        assert "dockerfile parse error line 2: Unknown flag: device" in said(daemon, tmp_path, value, builder)


@pytest.mark.parametrize("builder", ["buildkit", "legacy"])
def test_a_newer_engine(graph_daemon: Daemon, tmp_path: Path, builder: str) -> None:
    graph_daemon.docker("load", stdin=images_tar())
    given = UNGIVEN if builder == "buildkit" else UNBUILT
    for value in (*GIVEN, *WRONG):
        words = f"dockerfile parse error on line 2: {WRONG[value]}" if value in WRONG else given
        expected = words if graph_daemon.major() >= KNOWN_SINCE else "on line 2: unknown flag: device"
        assert expected in said(graph_daemon, tmp_path, value, builder), value
