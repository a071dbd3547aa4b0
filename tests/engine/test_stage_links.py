"""What the legacy builder makes of links in a directory that comes from another image: sums follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import layersim as ls
from tests.build.test_context_sums import LINKS, linked_tar
from tests.engine.generations import profile_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon


def compare(daemon: Daemon, folder: Path) -> None:
    """Copy a directory with each link on both sides, and compare what history says."""
    engine = ls.Engine(profile=profile_of(daemon))
    for name, target in LINKS.items():
        tar = linked_tar(target)
        daemon.docker("import", "-", f"{name}:1", stdin=tar)
        engine.import_tar(tar, f"{name}:1")
        (folder / "Dockerfile").write_text(f"FROM scratch\nCOPY --from={name}:1 /d /d\n")
        daemon.docker("build", "--quiet", "--tag=made:1", str(folder), DOCKER_BUILDKIT="0")
        ours = engine.build(folder, builder="legacy")
        theirs = daemon.docker("history", "--no-trunc", "--format={{.CreatedBy}}", "made:1")
        assert [row.created_by for row in engine.history(ours.id)] == theirs.splitlines()


def test_20_follows_links_as_we_do(quick_daemon: Daemon, tmp_path: Path) -> None:
    compare(quick_daemon, tmp_path)


def test_29_follows_links_as_we_do(graph_daemon: Daemon, tmp_path: Path) -> None:
    compare(graph_daemon, tmp_path)
