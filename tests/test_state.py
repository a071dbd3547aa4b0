"""Keeping an engine: where it goes, what is read when, who holds a store, and what is said when something is wrong."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.container.identity import container_name
from layersim.errors import ContentMissingError, DigestMismatchError, StateError
from layersim.profiles import DOCKER20
from layersim.state import document, file
from tests.states import Clock, describe, tree

if TYPE_CHECKING:
    from pathlib import Path

BASE = ls.Layer.from_changes([ls.mkdir("/etc"), ls.write("/etc/motd", b"welcome\n"), ls.symlink("/motd", "etc/motd")])
TOP = ls.Layer.from_changes([ls.write("/app", b"main" * 1000), ls.symlink("/run", "app"), ls.remove("/etc/motd")])
LAYOUTS = ("host.lsim", "store/")


@pytest.fixture
def engine() -> ls.Engine:
    made = ls.Engine(clock=Clock())
    made.add_image([BASE], tag="base:1")
    made.add_image([BASE, TOP], tag="app:1", way="build")
    made.run("app:1", name="web").fs.write_bytes("/app", b"patched")
    return made


@pytest.fixture(params=LAYOUTS)
def path(request: pytest.FixtureRequest, engine: ls.Engine, tmp_path: Path) -> str:
    """A saved engine, in both layouts."""
    path = f"{tmp_path}/{request.param}"
    engine.save_state(path)
    return path


def blob_of(path: str, layer: ls.Layer) -> tuple[str, int]:
    """Return the file that holds a layer's tar, and where in it."""
    hexadecimal = layer.diff_id[7:]
    if os.path.isdir(path):
        return f"{path}/blobs/sha256/{hexadecimal}", 0
    with tarfile.open(path) as archive:
        return path, archive.getmember(f"blobs/sha256/{hexadecimal}").offset_data


def change(blob: str, offset: int) -> None:
    with open(blob, "r+b") as opened:
        opened.seek(offset)
        byte = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte[0] ^ 1]))


def test_a_directory_is_a_store_and_everything_else_a_file(engine: ls.Engine, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "new/", "file"):
        engine.save_state(f"{tmp_path}/{name}")
    engine.save_state(tmp_path / "asked", layout="directory")
    assert {name for name in os.listdir(tmp_path) if os.path.isdir(tmp_path / name)} == {"there", "new", "asked"}
    for name in os.listdir(tmp_path):
        with ls.Engine.open(tmp_path / name) as opened:
            assert str(opened.images()).count("\n") == 2


def test_a_state_file_is_a_store_packed_up(path: str, engine: ls.Engine, tmp_path: Path) -> None:
    if os.path.isdir(path):
        path = f"{tmp_path}/packed.lsim"
        engine.save_state(path)
    with tarfile.open(path) as archive:
        names = archive.getnames()
        assert names[0] == "state.json"
        for name in names[1:]:
            member = archive.extractfile(name)
            assert member is not None
            assert ls.sha256(member.read()) == f"sha256:{name.rpartition('/')[2]}"
    subprocess.run(["tar", "-xf", path, "-C", tmp_path], check=True)
    engine.save_state(f"{tmp_path}/again/")
    assert sorted(os.listdir(f"{tmp_path}/again/blobs/sha256")) == sorted(os.listdir(tmp_path / "blobs/sha256"))


def test_nothing_is_read_before_it_is_wanted_and_once_then(path: str) -> None:
    with ls.Engine.open(path) as opened:
        base, top = opened.get_image("app:1").layers
        assert str(opened.df(verbose=True)).count("MB") == 0
        assert (base.is_read, top.is_read, base.size, len(base), base.is_synthetic) == (False, False, 16, 3, False)
        assert base.tar_bytes() == BASE.tar_bytes()
        assert not base.is_read
        assert [entry.path for entry in base] == ["etc", "etc/motd", "motd"]
        assert (base.is_read, top.is_read) == (True, False)


def test_recorded_sizes_stay_when_they_are_not_the_layers_own(path: str, engine: ls.Engine) -> None:
    with ls.Engine.open(path) as opened:
        opened.add_image([BASE, TOP], tag="again:1", way="load")
        assert opened.get_image("app:1").layer_sizes == engine.get_image("app:1").layer_sizes
        assert opened.get_image("again:1").layer_sizes == (16, 4000)
        assert opened.get_image("again:1").layers[1].size == 4003


def test_many_threads_may_want_a_layer_first(path: str) -> None:
    with ls.Engine.open(path) as opened:
        view_layers, found = opened.get_image("app:1").layers, []
        threads = [threading.Thread(target=lambda: found.append(len(ls.View(view_layers)))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [len(ls.View([BASE, TOP]))] * 8


def test_a_blob_that_was_changed_is_found_when_it_is_read_and_named(path: str) -> None:
    blob, offset = blob_of(path, TOP)
    change(blob, offset + 600)
    with ls.Engine.open(path) as opened:
        base, top = opened.get_image("app:1").layers
        assert base.tar_bytes() == BASE.tar_bytes()
        for use in (top.read, top.tar_bytes, lambda: opened.get_container("web").fs, lambda: ls.View([base, top])):
            with pytest.raises(DigestMismatchError, match=os.path.basename(blob)) as caught:
                use()
            assert (caught.value.expected, caught.value.actual != TOP.diff_id) == (TOP.diff_id, True)
        with pytest.raises(DigestMismatchError):
            opened.save_state(f"{path.rstrip('/')}.copy")
        assert not os.path.exists(f"{path.rstrip('/')}.copy")
    with pytest.raises(DigestMismatchError):
        ls.Engine.open(path, verify=True)
    change(blob, offset + 600)
    ls.Engine.open(path, verify=True).close()


def test_what_a_container_wrote_is_verified_too(path: str, engine: ls.Engine) -> None:
    upper = engine.get_container("web").fs.upper()
    assert upper is not None
    blob = path
    if os.path.isdir(path):
        blob = f"{path}/blobs/sha256/{upper.digest[7:]}"
    with open(blob, "rb") as opened_file:
        offset = opened_file.read().index(b"patched")
    change(blob, offset)
    with ls.Engine.open(path) as opened:
        container = opened.get_container("web")
        assert container.size_rw == 7
        with pytest.raises(DigestMismatchError, match=os.path.basename(blob)):
            container.changes()


def test_a_blob_that_is_gone_is_named(engine: ls.Engine, tmp_path: Path) -> None:
    engine.save_state(f"{tmp_path}/store/")
    blob, _ = blob_of(f"{tmp_path}/store", TOP)
    os.unlink(blob)
    with ls.Engine.open(tmp_path / "store") as opened, pytest.raises(ContentMissingError, match=blob):
        opened.get_image("app:1").layers[1].read()


def test_a_file_may_be_replaced_under_who_has_it_open(engine: ls.Engine, tmp_path: Path) -> None:
    path = tmp_path / "host.lsim"
    engine.save_state(path)
    with ls.Engine.open(path) as opened:
        ls.Engine().save_state(path)
        assert opened.get_image("app:1").layers[1].tar_bytes() == TOP.tar_bytes()
        opened.save_state(path)
    assert describe(ls.Engine.open(path), Clock())["image"] == describe(engine, Clock())["image"]


def test_a_store_writes_no_blob_twice_and_sweeps_what_nobody_names(engine: ls.Engine, tmp_path: Path) -> None:
    store = f"{tmp_path}/store/"
    engine.save_state(store)
    before = {name: os.stat(f"{store}/blobs/sha256/{name}").st_ino for name in os.listdir(f"{store}/blobs/sha256")}
    third = ls.Layer.from_changes([ls.write("/third", b"3")])
    engine.add_image([BASE, third], tag="third:1")
    assert engine.save_state(store) < 6 * 1024 + os.stat(f"{store}/state.json").st_size
    after = {name: os.stat(f"{store}/blobs/sha256/{name}").st_ino for name in os.listdir(f"{store}/blobs/sha256")}
    assert after == before | {third.diff_id[7:]: after[third.diff_id[7:]]}
    engine.remove_image("third:1")
    engine.save_state(store)
    assert set(os.listdir(f"{store}/blobs/sha256")) == set(before)


def test_a_directory_that_holds_something_else_is_left_alone(engine: ls.Engine, tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "precious").write_bytes(b"1")
    with pytest.raises(StateError, match="holds something else"):
        engine.save_state(tmp_path)
    assert os.listdir(tmp_path) == ["blobs"]


def test_names_that_were_given_away_stay_so(tmp_path: Path) -> None:
    clock, again_clock = Clock(), Clock()
    engine = ls.Engine(clock=clock)
    engine.add_image([BASE], tag="base:1")
    engine.create("base:1", name=container_name(3))
    engine.create("base:1").remove()
    engine.save_state(tmp_path / "host.lsim")
    again_clock.now = clock.now
    with ls.Engine.open(tmp_path / "host.lsim", clock=again_clock) as again:
        for _ in range(3):
            assert again.create("base:1").name == engine.create("base:1").name
        assert {row.number for row in map(again.get_container, (r.id for r in again.containers(all=True)))} == {
            1,
            4,
            5,
            6,
        }


def test_open_files_are_not_saved_but_what_they_wrote_is(engine: ls.Engine, tmp_path: Path) -> None:
    fs = engine.get_container("web").fs
    with fs.open("/nameless", os.O_RDWR | os.O_CREAT) as nameless, fs.open("/log", os.O_RDWR | os.O_CREAT) as log:
        nameless.write(b"gone")
        log.write(b"kept")
        fs.unlink("/nameless")
        engine.save_state(tmp_path / "host.lsim")
    with ls.Engine.open(tmp_path / "host.lsim") as opened:
        again = opened.get_container("web").fs
        assert (again.read_bytes("/log"), again.exists("/nameless")) == (b"kept", False)
        assert tree(again) == tree(fs)


def test_removing_and_loading_again_gives_the_same_state(engine: ls.Engine, tmp_path: Path) -> None:
    archive, now = tmp_path / "app.tar", Clock()()
    engine.save("base:1", archive)
    engine.save_state(tmp_path / "host.lsim")
    with ls.Engine.open(tmp_path / "host.lsim", clock=lambda: now) as again:
        before = describe(again, Clock())
        again.remove_image("base:1")
        again.load(archive)
        after = describe(again, Clock())
    assert after["df"] == before["df"]
    assert after["container"] == before["container"]
    assert after["ps -a -s"] == before["ps -a -s"]


def test_a_profile_of_ones_own_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    own = dataclasses.replace(DOCKER20, name="mine")
    with pytest.raises(StateError, match="'mine'"):
        ls.Engine(profile=own).save_state(tmp_path / "host.lsim")
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_replaced_while_it_is_opened_is_the_new_one(
    engine: ls.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves between the reading of the document and the mapping of the blobs."""
    path, other = tmp_path / "host.lsim", ls.Engine()
    other.add_image([TOP, BASE], tag="other:1")
    engine.save_state(path)

    def unsealed(data: bytes, name: str) -> tuple[document.Document, int, int]:
        monkeypatch.undo()
        other.save_state(path)
        return document.unsealed(data, name)

    monkeypatch.setattr(file, "unsealed", unsealed)
    with ls.Engine.open(path, verify=True) as opened:
        assert [row.tags for row in opened.images()] == [("other:1",)]
