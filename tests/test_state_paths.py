"""What a state may be called, what may stand in its place, and texts that are no UTF-8."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.cli import main
from layersim.errors import ContentMissingError, StateError
from tests.states import Clock, describe

if TYPE_CHECKING:
    from pathlib import Path

BASE = ls.Layer.from_changes([ls.write("/f", b"1" * 3000)])
PATH = "/caf\udce9 \udcff é"
ODD = f"{PATH} \ud800 \udc00"


@pytest.fixture
def engine() -> ls.Engine:
    made = ls.Engine(clock=Clock())
    made.add_image([BASE], tag="base:1")
    made.run("base:1", name="web").fs.write_bytes("/g", b"2")
    return made


@pytest.mark.parametrize("name", ["host.lsim", "store/", "odd-\udcff", "odd-\udcff/"])
def test_every_spelling_of_a_path_is_one_path(engine: ls.Engine, tmp_path: Path, name: str) -> None:
    text = f"{tmp_path}/{name}"
    for spelled in (text, os.fsencode(text), pathlib.Path(text), _Entry(os.fsencode(text))):
        engine.save_state(spelled)
        assert os.path.isdir(text) == name.endswith("/")
        with ls.Engine.open(spelled) as opened:
            assert describe(opened, Clock())["image"] == describe(engine, Clock())["image"]


class _Entry(os.PathLike[bytes]):
    """A path that is bytes."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return self._path


@pytest.mark.parametrize("target", ["host.lsim", "store/"])
def test_texts_that_are_no_utf8_come_back_as_they_were(tmp_path: Path, target: str) -> None:
    clock, again_clock = Clock(), Clock()
    engine = ls.Engine(clock=clock)
    config: dict[str, ls.image.document.Json] = {"Env": [f"NAME={ODD}"], "Cmd": [ODD], "WorkingDir": PATH}
    engine.add_image([BASE], tag="base:1", config=config, history=[ls.HistoryEntry(created_by=ODD)])
    container = engine.create("base:1", command=(ODD, "\udc80"), volumes={PATH: "data"})
    container.fs.write_bytes(f"{PATH}2", b"1")
    container.commit(tag="made:1", message=ODD, author=ODD)
    engine.add_cache_record(7, description=ODD)
    engine.save_state(f"{tmp_path}/{target}")
    again_clock.now = clock.now
    with ls.Engine.open(f"{tmp_path}/{target}", clock=again_clock, verify=True) as again:
        assert describe(again, again_clock) == describe(engine, clock)
        assert again.get_container(container.id).wishes.command == (ODD, "\udc80")
        assert [record.description for record in again.build_cache] == [ODD]
        again.save_state(tmp_path / "again")
        engine.save_state(tmp_path / "first")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "first").read_bytes()


def test_a_pipe_or_a_device_in_the_place_of_a_state_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (f"{tmp_path}/pipe", "/dev/null"):
        with pytest.raises(StateError, match=f"'{path}' is no saved engine: it is no regular file"):
            ls.Engine.open(path)
        with pytest.raises(OSError, match=f"{path} is no regular file"):
            ls.Engine().load(path)
        with pytest.raises(OSError, match=f"{path} is no regular file"):
            ls.Layer.from_tar(path)


def test_the_command_line_does_not_wait_for_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert main(["images", f"{tmp_path}/pipe"]) == 1
    assert "no regular file" in capsys.readouterr().err
    assert main(["check", f"{tmp_path}/pipe"]) == 1
    assert "no regular file" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["state.json", "layersim.lock", "layer", "upper"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "directory", "device"])
def test_nothing_else_has_the_name_of_a_file_in_a_store(
    engine: ls.Engine, tmp_path: Path, name: str, kind: str
) -> None:
    engine.save_state(f"{tmp_path}/store/")
    upper = engine.get_container("web").fs.upper()
    assert upper is not None
    hexadecimal = {"layer": BASE.diff_id[7:], "upper": upper.digest[7:]}.get(name)
    path = tmp_path / "store" / (f"blobs/sha256/{hexadecimal}" if hexadecimal else name)
    path.unlink()
    _make(path, kind)
    with pytest.raises(ContentMissingError if hexadecimal else (StateError, OSError), match=path.name):
        ls.Engine.open(tmp_path / "store", verify=True)
    if hexadecimal and kind != "directory":
        engine.save_state(f"{tmp_path}/store/")
        ls.Engine.open(tmp_path / "store", verify=True).close()


def _make(path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mknod(path, 0o600 | (0o010000 if kind == "pipe" else 0o140000))
