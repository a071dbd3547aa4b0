"""One store, one engine: with real processes."""

from __future__ import annotations

import fcntl
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import StoreLockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


def in_a_fork(work: Callable[[], object]) -> Iterator[None]:
    """Let a forked child work, and then live until the test goes on."""
    (told, tell), (done, end) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os.write(tell, b"!")
            os.close(end)
            os.read(done, 1)
            os._exit(status)
    os.read(told, 1)
    yield
    for handle in (told, tell, done, end):
        os.close(handle)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_holds_nothing(store: Path) -> None:
    opened = ls.Engine.open(store)
    for _ in in_a_fork(lambda: None):
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()} "):
            ls.Engine.open(store)
        opened.save_state(store)
        opened.close()
        ls.Engine.open(store).close()


def test_a_forked_child_does_not_save_in_its_parents_place(store: Path) -> None:
    opened = ls.Engine.open(store)

    def save() -> None:
        with pytest.raises(StoreLockedError, match=f"process {os.getppid()} "):
            opened.save_state(store)
        opened.save_state(f"{store}/../copy/")
        opened.close()

    for _ in in_a_fork(save):
        with pytest.raises(StoreLockedError):
            ls.Engine.open(store)
        ls.Engine.open(f"{store}/../copy").close()
    opened.close()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_hold_nothing(store: Path, method: str) -> None:
    opened = ls.Engine.open(store)
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(len, ["a", "bb"]) == [1, 2]
        opened.close()
        ls.Engine.open(store).close()


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first save fails between our opening of the lock and our taking it."""
    calls = []

    def flock(handle: int, operation: int) -> None:
        monkeypatch.undo()
        (store / "layersim.lock").unlink()
        calls.append(handle)
        fcntl.flock(handle, operation)

    monkeypatch.setattr("layersim.state.lock.fcntl.flock", flock)
    with ls.Engine.open(store):
        assert len(calls) == 1
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()} "):
            ls.Engine.open(store)
