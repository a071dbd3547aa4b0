"""Directories that were built before an engine was saved: what looks the same is not sent again after it was opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.build.context import tree
from layersim.errors import StateError
from tests.engine.syncing import Folder
from tests.test_state_check import forge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Json = dict[str, Any]


@pytest.fixture
def project(tmp_path: Path) -> Folder:
    one = Folder(tmp_path / "project")
    one.put("f", "aaa")
    one.put("d/s/x", "one")
    (one.root / "h").hardlink_to(one.root / "f")
    one.steps("COPY f h /", "COPY d /d")
    return one


def reopened(engine: ls.Engine, folder: Path) -> ls.Engine:
    engine.save_state(folder / "host.lsim")
    assert ls.Engine.check_state(folder / "host.lsim") == []
    return ls.Engine.open(folder / "host.lsim", clock=engine.now)


def was_run(build: ls.Build) -> list[str]:
    return [step.instruction for step in build.steps if step.was_run]


def no_hashing(*_: object) -> bytes:
    raise AssertionError("something is hashed")


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_nothing_is_hashed_again(
    project: Folder, profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ls.Engine(profile=profile)
    engine.build(project.root)
    monkeypatch.setattr(tree, "hash_files", no_hashing)
    opened = reopened(engine, tmp_path)
    project.put("f", "bbb")
    (project.root / "d/s").chmod(0o700)
    assert was_run(opened.build(project.root)) == []
    assert was_run(reopened(opened, tmp_path).build(project.root)) == []


def test_what_was_sent_is_the_same_after_it_was_kept(project: Folder, tmp_path: Path) -> None:
    engine = ls.Engine()
    engine.build(project.root)
    (place,) = engine._synced
    rows = list(engine._synced[place].rows())
    assert [row.path for row in rows] == ["", "d", "d/s", "d/s/x", "f", "h"]
    opened = reopened(engine, tmp_path)
    assert list(opened._synced[place].rows()) == rows
    assert opened._synced[place].records == engine._synced[place].records


def test_a_copy_that_runs_has_the_bytes_of_now_under_their_own_key(project: Folder, tmp_path: Path) -> None:
    engine = ls.Engine()
    engine.build(project.root)
    opened = reopened(engine, tmp_path)
    project.put("f", "bbb")
    project.steps("COPY f /elsewhere")
    assert ls.View(opened.build(project.root).layers).read_bytes("/elsewhere") == b"bbb"
    in_memory = opened.build({"Dockerfile": "FROM scratch\nCOPY f /elsewhere\n", "f": "aaa"})
    assert ls.View(in_memory.layers).read_bytes("/elsewhere") == b"aaa"


def test_pruning_forgets_what_was_kept(project: Folder, tmp_path: Path) -> None:
    engine = ls.Engine()
    engine.build(project.root)
    opened = reopened(engine, tmp_path)
    project.put("f", "bbb")
    opened.prune("build cache", unused_images=True)
    assert ls.View(opened.build(project.root).layers).read_bytes("/f") == b"bbb"


def test_a_directory_whose_name_is_no_text(tmp_path: Path) -> None:
    project = Folder(tmp_path / os.fsdecode(b"\xff"))
    project.put("f", "aaa")
    project.steps("COPY f /f")
    engine = ls.Engine()
    engine.build(project.root)
    assert was_run(reopened(engine, tmp_path).build(project.root)) == []


def _column(document: Json, name: str) -> list[Any]:
    found: list[Any] = document["builds"]["sent"][name]
    return found


DAMAGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "a column cut short": (lambda d: _column(d, "mode").pop(), "builds.sent: columns of different lengths"),
    "a text of nowhere": (lambda d: _column(d, "path").__setitem__(0, 10**6), "builds of nothing"),
    "a digest that is none": (lambda d: _column(d, "digest").__setitem__(0, _column(d, "place")[0]), "no sense"),
    "a name twice": (lambda d: _column(d, "path").__setitem__(0, _column(d, "path")[1]), "what was sent twice"),
    "a negative size": (lambda d: _column(d, "size").__setitem__(0, -1), ">= 0"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_refused_and_told(damage: str, project: Folder, tmp_path: Path) -> None:
    engine = ls.Engine()
    engine.build(project.root)
    engine.save_state(f"{tmp_path}/store/")
    edit, words = DAMAGES[damage]
    forge(tmp_path / "store/state.json", edit)
    with pytest.raises(StateError):
        ls.Engine.open(f"{tmp_path}/store")
    found = [str(breach) for breach in ls.Engine.check_state(f"{tmp_path}/store")]
    assert any(words in breach for breach in found), found
