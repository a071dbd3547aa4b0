"""Records of BuildKit's cache after builds: names, sizes, uses and sharing, in real engines and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import layersim as ls
from tests.engine.daemon import API
from tests.engine.generations import profile_of
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.daemon import Daemon

BASE = layer_tar([Entry("bin", content=b"x")])
STAGES = """\
FROM bb:1 AS a
COPY f /f
WORKDIR /w
COPY f /ff
FROM bb:1
COPY g /g
COPY --from=a /ff /x
WORKDIR /q
"""
FIRST = "FROM bb:1\nWORKDIR /q\nCOPY g /g\nCOPY --from=bb:1 /bin /bin2\n"


def edits(folder: Path) -> Iterator[str]:
    """Change what is built, step by step; tell what was changed."""
    dockerfile = folder / "Dockerfile"
    (folder / "f").write_text("1")
    (folder / "g").write_text("1")
    dockerfile.write_text(STAGES)
    yield "the first build"
    yield "nothing"
    (folder / "g").write_text("2" * 5000)
    yield "a file of the last stage"
    yield "nothing again"
    (folder / "f").write_text("3")
    yield "a file of the first stage"
    dockerfile.write_text(f"{STAGES}LABEL a=2\n")
    yield "a label"
    dockerfile.write_text(FIRST)
    yield "the whole Dockerfile"
    (folder / "g").write_text("4")
    yield "a file in the middle"
    yield "nothing at the end"


def compare(daemon: Daemon, folder: Path) -> None:
    """Build on both sides after each edit, and compare all records."""
    daemon.docker("builder", "prune", "--all", "--force")
    daemon.docker("import", "-", "bb:1", stdin=BASE)
    engine = ls.Engine(profile=profile_of(daemon))
    engine.import_tar(BASE, "bb:1")
    for edit in edits(folder):
        daemon.docker("build", "--quiet", "--tag=made:1", str(folder), DOCKER_BUILDKIT="1")
        engine.build(folder, tag="made:1")
        theirs = [
            (one["Description"], one["Type"], one["Size"], one["UsageCount"], one["InUse"], one["Shared"])
            for one in daemon.api(f"/{API}/system/df")["BuildCache"]
        ]
        ours = [
            (one.description, one.type, one.size, one.usage_count, one.in_use, one.shared)
            for one in engine.df(verbose=True).build_cache
        ]
        assert sorted(ours) == sorted(theirs), edit


def test_records_of_20(quick_daemon: Daemon, tmp_path: Path) -> None:
    compare(quick_daemon, tmp_path)


def test_records_of_29(graph_daemon: Daemon, tmp_path: Path) -> None:
    compare(graph_daemon, tmp_path)
