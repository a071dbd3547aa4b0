"""What is taken for unchanged between two builds of a directory, and what happens when that is wrong."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim._core import hash_files
from layersim.build.context import Ignore, Synced, tree
from layersim.build.context.asked import asked_of
from layersim.build.context.directory import read_directory
from layersim.build.context.reading import SyncedTexts
from layersim.build.context.synced import SyncedTree
from layersim.errors import BuildError
from tests.build.builders import BUILDKIT20, BUILDKIT29
from tests.engine.syncing import Folder
from tests.tars import BORN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROFILES = ("docker20", "overlay2")
EACH_PROFILE = pytest.mark.parametrize("profile", PROFILES)
NOTHING = Ignore([], BUILDKIT29)
EVERYTHING = frozenset({""})
MANY, EDITS = 10_000, 60


@pytest.fixture
def project(tmp_path: Path) -> Folder:
    one = Folder(tmp_path / "project")
    one.put("f", "aaa")
    one.put("d/x", "one")
    one.steps("COPY f /f", "COPY d /d")
    return one


def was_run(build: ls.Build) -> list[str]:
    return [step.instruction for step in build.steps if step.was_run]


def read(build: ls.Build, path: str) -> bytes:
    return ls.View(build.layers).read_bytes(path)


def age(project: Folder) -> None:
    """Let nothing of a directory be so new that a later write might have the same time."""
    for path in project.root.rglob("*"):
        os.utime(path, (BORN, BORN), follow_symlinks=False)


def no_hashing(*_: object) -> bytes:
    raise AssertionError("something is hashed")


def synced_tree(synced: Synced, root: Path) -> SyncedTree:
    """Return the tree of one more build, which asks for everything."""
    found = synced.tree(str(root), NOTHING, BUILDKIT29)
    found.digests([path for path, sent in found.names.items() if stat.S_ISREG(sent.st_mode)])
    synced.settle(found, asked_of(found, EVERYTHING), is_whole=True)
    return found


@EACH_PROFILE
def test_what_has_not_changed_is_not_read(project: Folder, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ls.Engine(profile=profile)
    engine.build(project.root)
    monkeypatch.setattr(tree, "hash_files", no_hashing)
    assert was_run(engine.build(project.root)) == []
    project.put("d/new", "", age=1)
    with pytest.raises(AssertionError, match="hashed"):
        engine.build(project.root)


def test_the_same_tree_serves_as_long_as_nothing_changes(project: Folder) -> None:
    synced = Synced("here")
    age(project)
    first = synced_tree(synced, project.root)
    assert synced_tree(synced, project.root) is first
    (project.root / "d").chmod(0o700)
    second = synced_tree(synced, project.root)
    assert second is not first
    assert second.names["d/x"] is first.names["d/x"]
    assert second.modes == {"d": stat.S_IFDIR | 0o755}


@EACH_PROFILE
def test_other_bytes_of_the_same_size_and_age_are_not_seen(project: Folder, profile: str) -> None:
    engine = ls.Engine(profile=profile)
    engine.build(project.root)
    project.put("f", "bbb")
    assert was_run(engine.build(project.root)) == []
    project.steps("COPY f /elsewhere")
    assert read(engine.build(project.root), "/elsewhere") == b"aaa"
    project.put("f", "bbb", age=1)
    assert read(engine.build(project.root), "/elsewhere") == b"bbb"


@pytest.mark.parametrize(("later_ns", "seen"), [(1_000_000, b"bbb"), (1_000_000_000, b"aaa")])
def test_a_write_within_a_tick_of_the_clock_is_seen(tmp_path: Path, later_ns: int, seen: bytes) -> None:
    """Where clocks of file systems stand still between two writes, nothing tells the files apart."""
    path = tmp_path / "f"
    path.write_bytes(b"aaa")
    root, written_ns = os.fsencode(tmp_path), path.stat().st_mtime_ns
    names = dict(read_directory(str(tmp_path), NOTHING, BUILDKIT29).names)
    first = SyncedTree(root, names, listed_ns=written_ns + later_ns)
    first.digests(["f"])
    path.write_bytes(b"bbb")
    assert SyncedTree(root, names, first).digests(["f"]) == [hashlib.sha256(seen).digest()]


@pytest.mark.parametrize(("later_ns", "seen"), [(1_000_000, b"bbb"), (1_000_000_000, b"aaa")])
def test_a_dockerfile_within_a_tick_of_the_clock_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later_ns: int, seen: bytes
) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"aaa")
    frozen = path.stat()
    monkeypatch.setattr(Path, "stat", lambda _: frozen)
    monkeypatch.setattr(time, "time_ns", lambda: frozen.st_mtime_ns + later_ns)
    texts = SyncedTexts()
    assert texts.reader(str(tmp_path))("Dockerfile") == b"aaa"
    path.write_bytes(b"bbb")
    assert texts.reader(str(tmp_path))("Dockerfile") == seen


@EACH_PROFILE
def test_the_legacy_builder_looks_at_bytes(project: Folder, profile: str) -> None:
    engine = ls.Engine(profile=profile)
    engine.build(project.root, builder="legacy")
    project.put("f", "bbb")
    assert read(engine.build(project.root, builder="legacy"), "/f") == b"bbb"


@EACH_PROFILE
def test_files_in_memory_are_compared_by_content(profile: str) -> None:
    engine = ls.Engine(profile=profile)
    built = [engine.build({"Dockerfile": "FROM scratch\nCOPY f /f\n", "f": text}) for text in ("aaa", "bbb")]
    assert [read(build, "/f") for build in built] == [b"aaa", b"bbb"]


@EACH_PROFILE
def test_pruning_forgets_what_was_sent(project: Folder, profile: str) -> None:
    engine = ls.Engine(profile=profile)
    engine.build(project.root)
    project.put("f", "bbb")
    engine.prune("build cache", unused_images=True)
    assert read(engine.build(project.root), "/f") == b"bbb"


@EACH_PROFILE
def test_bytes_that_no_layer_has_kept_are_read_anew_under_their_own_key(project: Folder, profile: str) -> None:
    engine = ls.Engine(profile=profile)
    engine.build(project.root)
    other = Folder(project.root.with_name("other"))
    other.put("f", "aaa")
    other.steps("COPY f /f")
    assert was_run(engine.build(other.root)) == []
    other.put("f", "bbb")
    other.steps("COPY f /elsewhere")
    assert read(engine.build(other.root), "/elsewhere") == b"bbb"
    for text in ("aaa", "bbb"):
        built = engine.build({"Dockerfile": "FROM scratch\nCOPY f /elsewhere\n", "f": text})
        assert read(built, "/elsewhere") == text.encode()


@EACH_PROFILE
def test_a_file_that_changes_while_it_is_read_is_an_error_and_no_layer(
    project: Folder, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hash_and_change(paths: Sequence[bytes], heads: Sequence[bytes] | None) -> bytes:
        digests = hash_files(paths, heads)
        project.put("f", "bbb")
        return digests

    engine = ls.Engine(profile=profile)
    with monkeypatch.context() as patch:
        patch.setattr(tree, "hash_files", hash_and_change)
        with pytest.raises(BuildError, match="'f' changed while it was read"):
            engine.build(project.root)
    assert read(engine.build(project.root), "/f") == b"bbb"


def _gone(path: Path) -> None:
    path.unlink()


def _linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory_gone(path: Path) -> None:
    shutil.rmtree(path.parent / "d")


@pytest.mark.parametrize("change", [_gone, _linked, _directory_gone])
def test_what_goes_between_listing_and_hashing_is_named(project: Folder, change: Callable[[Path], None]) -> None:
    found = Synced("here").tree(str(project.root), NOTHING, BUILDKIT29)
    change(project.root / "f")
    with pytest.raises(BuildError, match=r"project/(f|d/x)"):
        found.digests(["f", "d/x"])


@pytest.mark.parametrize("change", [_gone, _linked, _piped])
def test_what_goes_between_hashing_and_reading_is_named(project: Folder, change: Callable[[Path], None]) -> None:
    found = Synced("here").tree(str(project.root), NOTHING, BUILDKIT29)
    found.digests(["f"])
    change(project.root / "f")
    with pytest.raises(BuildError, match="'f'"):
        found.read_bytes("f")


def test_a_directory_that_is_gone_is_an_error_until_it_is_back(project: Folder) -> None:
    engine = ls.Engine()
    engine.build(project.root)
    away = project.root.with_name("away")
    project.root.rename(away)
    with pytest.raises((BuildError, OSError)):
        engine.build(project.root)
    away.rename(project.root)
    assert was_run(engine.build(project.root)) == []


def test_names_that_are_no_text_and_special_files(project: Folder) -> None:
    root = os.fsencode(project.root)
    with open(root + b"/\xff\xfe", "wb") as file:
        file.write(b"odd")
    os.mkfifo(project.root / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(project.root / "socket"))
        age(project)
        synced = Synced("here")
        found = synced_tree(synced, project.root)
        assert synced_tree(synced, project.root) is found
    assert set(found.names) == {"", "Dockerfile", "d", "d/x", "f", "pipe", "\udcff\udcfe"}
    assert found.read_bytes("\udcff\udcfe") == b"odd"


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_that_is_carried_on_is_the_one_that_is_listed_afresh(project: Folder, seed: int) -> None:
    dice, synced, root = random.Random(seed), Synced("here"), project.root
    for number in range(EDITS):
        _edit(dice, project, number)
        ignore = Ignore(dice.choice([[], [], ["d"], ["*2"], ["d", "!d/e"]]), BUILDKIT20)
        fresh, carried = read_directory(str(root), ignore, BUILDKIT20), synced.tree(str(root), ignore, BUILDKIT20)
        assert list(carried.names.items()) == list(fresh.names.items())
        files = [path for path, sent in fresh.names.items() if stat.S_ISREG(sent.st_mode)]
        assert carried.digests(files) == fresh.digests(files)
        asked = asked_of(carried, dice.choice([EVERYTHING, frozenset({"d"} & carried.names.keys())]))
        synced.settle(carried, asked, is_whole=dice.random() < 0.8)


def _edit(dice: random.Random, project: Folder, number: int) -> None:
    """Change something of a project; a file that gets other bytes gets younger."""
    path = project.root / dice.choice(("f", "f2", "d/x", "d/e/y", "d/e2/z", "l"))
    kind = dice.choice(("write", "write", "mode", "remove", "link", "move", "nothing"))
    if kind == "write":
        path.unlink(missing_ok=True)
        project.put(str(path.relative_to(project.root)), dice.choice(("a", "bb", "cc")), age=number)
    elif kind == "mode" and path.parent.exists():
        path.parent.chmod(dice.choice((0o700, 0o755)))
    elif kind == "remove":
        path.unlink(missing_ok=True)
    elif kind == "link" and path.parent.exists():
        path.unlink(missing_ok=True)
        path.symlink_to(dice.choice(("f", "d/x")))
    elif kind == "move" and (project.root / "d/e").exists():
        shutil.rmtree(project.root / "d/e3", ignore_errors=True)
        (project.root / "d/e").rename(project.root / "d/e3")


def test_many_names_are_listed_and_compared(tmp_path: Path) -> None:
    for number in range(MANY):
        (tmp_path / f"{number:06}").touch()
    synced = Synced("here")
    first = synced.tree(str(tmp_path), NOTHING, BUILDKIT29)
    assert len(first.names) == MANY + 1
    synced.settle(first, asked_of(first, EVERYTHING), is_whole=True)
    assert synced.tree(str(tmp_path), NOTHING, BUILDKIT29) is first
    os.utime(tmp_path / "000007", (BORN, BORN))
    assert synced.tree(str(tmp_path), NOTHING, BUILDKIT29) is not first
