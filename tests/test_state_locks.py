"""One store, one engine: with real processes."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import StoreLockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys, layersim as ls
engine = ls.Engine.open(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
engine.close()
print("closed", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty store."""
    ls.Engine().save_state(f"{tmp_path}/store/")
    return tmp_path / "store"


@pytest.fixture
def holder(store: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the store open, until it is told a line."""
    with subprocess.Popen([sys.executable, "-c", HOLD, store], stdin=-1, stdout=-1, text=True) as process:
        assert said(process) == "open"
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_another_process_is_named(store: Path, holder: subprocess.Popen[str]) -> None:
    for use in (lambda: ls.Engine.open(store), lambda: ls.Engine().save_state(store)):
        with pytest.raises(StoreLockedError, match=rf"open in process {holder.pid} on \S+ since 20") as caught:
            use()
        assert (caught.value.pid, caught.value.host) == (holder.pid, os.uname().nodename)


def test_closing_lets_others_in(store: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert said(holder) == "closed"
    ls.Engine.open(store).close()


def test_so_does_death(store: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with ls.Engine.open(store) as opened:
        opened.save_state(store)


def test_one_process_is_one_engine_too(store: Path) -> None:
    with ls.Engine.open(store) as first:
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()} "):
            ls.Engine.open(store)
        with pytest.raises(StoreLockedError):
            ls.Engine().save_state(store)
        first.save_state(f"{store}/../store")
        first.close()
        first.close()
        ls.Engine.open(store).close()


def test_a_saver_holds_a_store_for_the_save_alone(store: Path) -> None:
    engine = ls.Engine()
    engine.save_state(store)
    with ls.Engine.open(store):
        pass
    engine.save_state(store)


def test_an_engine_that_is_forgotten_holds_nothing(store: Path) -> None:
    ls.Engine.open(store)
    gc.collect()
    ls.Engine.open(store).close()


def test_a_lock_that_says_nothing_is_a_lock(store: Path) -> None:
    with ls.Engine.open(store):
        (store / "layersim.lock").write_bytes(b"")
        with pytest.raises(StoreLockedError, match="has not said where") as caught:
            ls.Engine.open(store)
        assert caught.value.pid is None


def test_what_cannot_be_opened_is_not_held(store: Path) -> None:
    (store / "state.json").write_bytes(b"nonsense")
    for _ in range(2):
        with pytest.raises(ls.errors.StateError, match="no saved engine"):
            ls.Engine.open(store)


def test_the_lock_is_of_the_store_and_not_of_its_path(tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([ls.Layer.from_changes([ls.write("/f", b"x")])], tag="a:1")
    engine.save_state(f"{tmp_path}/store/")
    with ls.Engine.open(tmp_path / "store") as opened:
        (tmp_path / "store").rename(tmp_path / "moved")
        engine.save_state(f"{tmp_path}/store/")
        with (
            ls.Engine.open(tmp_path / "store"),
            pytest.raises(ls.errors.StoreLockedError),
        ):
            opened.save_state(f"{tmp_path}/store/")
        opened.save_state(f"{tmp_path}/moved/")
        opened.save_state(f"{tmp_path}/new/")
    assert [image.tags for image in ls.Engine.open(tmp_path / "new").images()] == [("a:1",)]
