"""Bases with odd histories, owners that a host knows, contexts that imply directories: as the real builders do."""

from __future__ import annotations

import grp
import hashlib
import io
import json
import os
import pwd
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.build.builders import LEGACY20, LEGACY29
from tests.engine.archives import ImageSpec, docker_archive, stamp
from tests.engine.both_builds import BUILDERS
from tests.engine.copying import differences, import_images
from tests.engine.generations import profile_of
from tests.engine.rootfs import busybox_tar
from tests.tars import BORN, Entry, layer_tar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.build.builders import Builder as Dialect
    from tests.engine.both_builds import Builder
    from tests.engine.daemon import Daemon, Json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EACH_BUILDER = pytest.mark.parametrize("builder", BUILDERS)
MADE = datetime(2020, 1, 1, tzinfo=UTC)
LAYERS = (busybox_tar(), *(layer_tar([Entry(name, content=b"x")]) for name in ("x", "y")))
ROW: dict[str, object] = {"created": stamp(MADE), "created_by": "one"}
EMPTY: dict[str, object] = {**ROW, "created_by": "m", "empty_layer": True}
HISTORIES: dict[str, tuple[dict[str, object], ...]] = {
    "none": (),
    "empty": (EMPTY,),
    "one": (ROW,),
    "two": (ROW, EMPTY, ROW),
    "all": (ROW, ROW, ROW),
}
LINES = ["COPY f /f", "LABEL a=b", "", "ENV A=b\nRUN echo b > /ran\nWORKDIR /w\nADD f /w/\nRUN echo  b >> /ran"]


def archive_of(history: tuple[dict[str, object], ...]) -> bytes:
    return docker_archive([ImageSpec(LAYERS, ("odd:1",), MADE, history, {})])


def told(document: Json) -> list[Json]:
    """Return a history, times of this build left out."""
    steps = [dict(step) for step in document.get("history") or ()]
    for step in steps:
        step["created"] = step.get("created", "")[:4] == "2020"
    return steps


def theirs(daemon: Daemon, builder: Builder, folder: Path) -> list[Json]:
    is_kit = str(int(builder == "buildkit"))
    daemon.docker("build", "--network=none", "--tag=made:1", str(folder), DOCKER_BUILDKIT=is_kit)
    image = daemon.api("/v1.41/images/made:1/json")["Id"].removeprefix("sha256:")
    return told(json.loads((daemon.graph / "image/overlay2/imagedb/content/sha256" / image).read_bytes()))


def check_histories(daemon: Daemon, builder: Builder, folder: Path) -> None:
    (folder / "f").write_text("f")
    found = []
    for name, history in HISTORIES.items():
        daemon.docker("load", stdin=archive_of(history))
        for lines in LINES:
            (folder / "Dockerfile").write_text(f"FROM odd:1\n{lines}\n")
            engine = ls.Engine(profile=profile_of(daemon))
            engine.load(io.BytesIO(archive_of(history)))
            run = ls.runs({}, default=ls.effect(writes={"/ran": b""}))
            ours = told(json.loads(engine.build(folder, builder=builder, run=run).raw_config))
            real = theirs(daemon, builder, folder)
            found += [f"{name} {lines}:\n  ours   {ours}\n  theirs {real}"] if ours != real else []
    assert not found, "\n".join(found)


@EACH_BUILDER
def test_20_tells_of_layers_without_a_history(quick_daemon: Daemon, builder: Builder, tmp_path: Path) -> None:
    check_histories(quick_daemon, builder, tmp_path)


@EACH_BUILDER
def test_a_newer_engine_tells_of_layers_without_a_history(
    graph_daemon: Daemon, builder: Builder, tmp_path: Path
) -> None:
    check_histories(graph_daemon, builder, tmp_path)


def host_names(uid: int, gid: int) -> tuple[str, str]:
    """Return what this host calls a user and a group; nothing where it knows neither."""
    users = {one.pw_uid: one.pw_name for one in reversed(pwd.getpwall())}
    groups = {one.gr_gid: one.gr_name for one in reversed(grp.getgrall())}
    return users.get(uid, ""), groups.get(gid, "")


@pytest.mark.parametrize("owner", [(0, 0), (1, 1), (33, 44), (5, 6), (4711, 50)])
def test_20_hashes_the_names_that_the_host_of_the_engine_has_for_owners(
    quick_daemon: Daemon, owner: tuple[int, int], tmp_path: Path
) -> None:
    uid, gid = owner
    quick_daemon.docker("load", stdin=archive_of((ROW, ROW, ROW)))
    (tmp_path / "f").write_text("f")
    (tmp_path / "f").chmod(0o644)
    lines = f"FROM odd:1 AS b\nCOPY --chown={uid}:{gid} f /f\nFROM odd:1\nCOPY --from=b /f /g\n"
    (tmp_path / "Dockerfile").write_text(lines)
    text = theirs(quick_daemon, "legacy", tmp_path)[-1]["created_by"]
    user, group = host_names(uid, gid)
    head = f"namefmode33188uid{uid}gid{gid}size1typeflag0linknameuname{user}gname{group}devmajor0devminor0"
    found = re.search("file:([0-9a-f]{64})", text)
    assert found is not None
    assert found[1] == hashlib.sha256(f"{head}f".encode()).hexdigest()


def write_implying_context(folder: Path) -> None:
    """Write a context whose patterns leave out directories of which something is sent."""
    for name in ("d/e/k", "d/e/j", "d/x", "a/y/z"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / ".dockerignore").write_text("d\n!d/e/k\na\n!a/y\nDockerfile*\n.dockerignore\n")
    for path in folder.rglob("*"):
        os.utime(path, (BORN, BORN))


IMPLYING = ["COPY . /all", "COPY d /dd/", "COPY d/e /ee", "COPY a d /m/", "ADD d /ad", "COPY --chown=1:2 d /ch"]


def check_implied(daemon: Daemon, dialect: Dialect, folder: Path) -> None:
    import_images(daemon)
    write_implying_context(folder)
    assert list(differences(daemon, dialect, folder, IMPLYING)) == []


def test_20_makes_the_directories_that_a_context_implies(quick_daemon: Daemon, tmp_path: Path) -> None:
    check_implied(quick_daemon, LEGACY20, tmp_path)


def test_a_newer_engine_makes_the_directories_that_a_context_implies(graph_daemon: Daemon, tmp_path: Path) -> None:
    check_implied(graph_daemon, LEGACY29, tmp_path)
