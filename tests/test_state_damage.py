"""Saves into a store that was damaged, and first saves that fail."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import ContentMissingError, DigestMismatchError, StateError, StoreLockedError
from layersim.state import known

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = [ls.Layer.from_changes([ls.write(f"/{number}", bytes([number]) * 5000)]) for number in range(3)]


@pytest.fixture
def engine() -> ls.Engine:
    made = ls.Engine(clock=lambda: 0)
    made.add_image(LAYERS, tag="a:1")
    made.run("a:1", name="web").fs.write_bytes("/written", b"w" * 5000)
    return made


@pytest.fixture
def store(engine: ls.Engine, tmp_path: Path) -> Path:
    engine.save_state(f"{tmp_path}/store/")
    return tmp_path / "store"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the blobs that are hashed where they are."""
    names: list[str] = []

    def digest_of(path: Path) -> str:
        names.append(path.name)
        return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    monkeypatch.setattr(known, "digest_of", digest_of)
    return names


def blobs_of(store: Path) -> list[Path]:
    return sorted((store / "blobs/sha256").iterdir())


def damage(blob: Path) -> None:
    """Flip a bit, so that the length stays."""
    data = bytearray(blob.read_bytes())
    data[600] ^= 1
    blob.write_bytes(data)


def copy_of(engine: ls.Engine) -> ls.Engine:
    """Return an engine with the same content in memory that has never seen the store."""
    made = ls.Engine(clock=lambda: 0)
    made.add_image([ls.Layer.from_tar(layer.tar_bytes()) for layer in LAYERS], tag="a:1")
    made.run("a:1", name="web").fs.write_bytes("/written", b"w" * 5000)
    assert made.df().layers_size == engine.df().layers_size
    return made


def test_a_damaged_blob_is_written_again(engine: ls.Engine, store: Path) -> None:
    good = {blob.name: blob.read_bytes() for blob in blobs_of(store)}
    assert len(good) == 4
    for saver in (engine, copy_of(engine)):
        for blob in blobs_of(store):
            damage(blob)
            with pytest.raises(DigestMismatchError):
                ls.Engine.open(store, verify=True)
            saver.save_state(store)
            assert {blob.name: blob.read_bytes() for blob in blobs_of(store)} == good
    ls.Engine.open(store, verify=True).close()


def test_what_was_written_or_hashed_is_not_hashed_again(engine: ls.Engine, store: Path, hashed: list[str]) -> None:
    engine.save_state(store)
    assert hashed == []
    other = copy_of(engine)
    other.save_state(store)
    assert sorted(hashed) == [blob.name for blob in blobs_of(store)]
    other.save_state(store)
    assert len(hashed) == 4
    damage(blobs_of(store)[2])
    other.save_state(store)
    assert hashed[4:] == [blobs_of(store)[2].name] * 2


def test_what_was_not_read_is_hashed_only_when_asked(store: Path, hashed: list[str]) -> None:
    with ls.Engine.open(store) as opened:
        opened.save_state(store)
        assert hashed == []
        opened.save_state(store, verify=True)
        assert len(hashed) == 4
        opened.save_state(store, verify=True)
        assert len(hashed) == 8


def test_what_nobody_has_any_more_is_an_error_and_changes_nothing(store: Path) -> None:
    before = (store / "state.json").read_bytes()
    damage(store / "blobs/sha256" / LAYERS[1].diff_id[7:])
    with ls.Engine.open(store) as opened:
        opened.tag("a:1", "b:1")
        with pytest.raises(DigestMismatchError, match=LAYERS[1].diff_id[7:]):
            opened.save_state(store, verify=True)
        assert (store / "state.json").read_bytes() == before


def test_a_layer_that_was_read_from_the_damaged_file_itself_repairs_nothing(store: Path) -> None:
    """It is mapped: what is changed in the file is changed in the layer."""
    with ls.Engine.open(store, verify=True) as opened:
        blob = store / "blobs/sha256" / LAYERS[1].diff_id[7:]
        with blob.open("r+b") as file:
            file.seek(600)
            file.write(b"!")
        with pytest.raises(DigestMismatchError, match=blob.name) as caught:
            opened.save_state(store)
        assert caught.value.expected == LAYERS[1].diff_id


@pytest.mark.parametrize("there", ["no directory", "an empty one"])
def test_a_first_save_that_fails_leaves_no_store(engine: ls.Engine, store: Path, tmp_path: Path, there: str) -> None:
    target = tmp_path / "second"
    with ls.Engine.open(store) as opened:
        (store / "blobs/sha256" / LAYERS[2].diff_id[7:]).unlink()
        if there == "an empty one":
            target.mkdir()
        with pytest.raises(ContentMissingError):
            opened.save_state(f"{target}/")
    assert [os.listdir(path) for path in tmp_path.iterdir() if path != store] == (
        [] if there == "no directory" else [[]]
    )
    engine.save_state(f"{target}/")
    ls.Engine.open(target, verify=True).close()


def test_a_later_save_that_fails_leaves_the_store_as_it_was(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "second"
    ls.Engine().save_state(f"{target}/")
    before = (target / "state.json").read_bytes()
    with ls.Engine.open(store) as opened:
        (store / "blobs/sha256" / LAYERS[2].diff_id[7:]).unlink()
        with pytest.raises(ContentMissingError):
            opened.save_state(target)
    assert (target / "state.json").read_bytes() == before
    ls.Engine.open(target).close()


def test_a_save_that_was_killed_before_its_state_was_there_is_no_store(engine: ls.Engine, tmp_path: Path) -> None:
    (tmp_path / "half/blobs/sha256").mkdir(parents=True)
    (tmp_path / "half/layersim.lock").write_bytes(b"")
    (tmp_path / "half/blobs/sha256" / LAYERS[0].diff_id[7:]).write_bytes(b"half")
    with pytest.raises(StateError, match="is no saved engine"):
        ls.Engine.open(tmp_path / "half")
    engine.save_state(tmp_path / "half")
    ls.Engine.open(tmp_path / "half", verify=True).close()


def test_a_store_that_somebody_else_is_making_is_left_to_them(engine: ls.Engine, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with ls.state.StoreLock(tmp_path / "made"), pytest.raises(StoreLockedError):
        engine.save_state(tmp_path / "made")
    assert os.listdir(tmp_path / "made") == ["layersim.lock"]
