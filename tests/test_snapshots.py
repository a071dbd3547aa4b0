"""Snapshots: an overlay goes back to what it was, as often as it is asked to."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

import layersim as ls
from layersim.testing import Operation, assert_same_tree, operations, stacks

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = ls.Layer.from_changes([ls.mkdir("/d"), ls.write("/d/f", b"lower"), ls.write("/g", b"g")])


@given(stacks(), operations(), operations(), operations())
def test_going_back_undoes_all_and_only_what_came_after(
    layers: list[ls.Layer], before: list[Operation], after: list[Operation], again: list[Operation]
) -> None:
    fs = ls.Overlay(layers, clock=lambda: 10**18)
    for operation in before:
        operation.perform(fs)
    snapshot, twin = fs.snapshot(), fs.fork()
    for operation in after:
        operation.perform(fs)
    fs.rollback(snapshot)
    assert_same_tree(twin, fs)
    assert (fs.size_rw, fs.changes(), fs.to_layer()) == (twin.size_rw, twin.changes(), twin.to_layer())
    assert [operation.perform(fs) for operation in again] == [operation.perform(twin) for operation in again]
    assert_same_tree(twin, fs)
    fs.rollback(snapshot)
    assert fs.changes() == ls.View.changes(fs.lower, ls.View([*fs.lower.layers, fs.to_layer()]))


def test_a_snapshot_of_nothing_written_is_the_layers() -> None:
    fs = ls.Overlay([BASE])
    start = fs.snapshot()
    fs.unlink("/d/f")
    fs.write_bytes("/new", b"1")
    fs.rollback(start)
    assert (fs.size_rw, fs.changes(), fs.read_bytes("/d/f"), fs.exists("/new")) == (0, [], b"lower", False)
    assert repr(start) == "Snapshot()"


STALE: dict[str, Callable[[ls.File], object]] = {
    "read": lambda file: file.read(1),
    "pread": lambda file: file.pread(1, 0),
    "write": lambda file: file.write(b"1"),
    "pwrite": lambda file: file.pwrite(b"1", 0),
    "seek": lambda file: file.seek(0, os.SEEK_END),
    "truncate": lambda file: file.truncate(1),
    "stat": lambda file: file.stat(),
}


@pytest.mark.parametrize("call", STALE)
@pytest.mark.parametrize("path", ["/g", "/own"])
def test_files_that_were_open_are_stale(call: str, path: str) -> None:
    fs = ls.Overlay([BASE])
    fs.write_bytes("/own", b"own")
    snapshot = fs.snapshot()
    with fs.open(path, os.O_RDWR if path == "/own" else os.O_RDONLY) as file:
        fs.rollback(snapshot)
        with pytest.raises(OSError, match="Stale file handle") as refused:
            STALE[call](file)
        assert refused.value.errno == errno.ESTALE
    assert fs.read_bytes("/own") == b"own"


def test_files_without_a_name_go_when_their_snapshot_comes_back() -> None:
    fs = ls.Overlay([])
    file = fs.open("/f", os.O_CREAT | os.O_WRONLY)
    file.write(b"12345")
    fs.unlink("/f")
    snapshot = fs.snapshot()
    file.close()
    fs.rollback(snapshot)
    assert (fs.size_rw, fs.listdir("/")) == (0, [])
    fs.write_bytes("/f", b"1")
    assert fs.read_bytes("/f") == b"1"


def test_forks_go_back_to_the_same_snapshot() -> None:
    fs = ls.Overlay([BASE])
    fs.write_bytes("/f", b"1")
    snapshot, fork = fs.snapshot(), fs.fork()
    fork.unlink("/f")
    fork.rollback(snapshot)
    assert fork.read_bytes("/f") == b"1"


def test_a_snapshot_on_other_layers_is_refused() -> None:
    fs = ls.Overlay([BASE])
    with pytest.raises(ValueError, match="the snapshot is of an overlay on other layers"):
        fs.rollback(ls.Overlay([BASE, BASE]).snapshot())


def test_mounts_stay_where_they_have_a_directory() -> None:
    volume = ls.Overlay([])
    fs = ls.Overlay([BASE], mounts={"/d": volume, "/later": ls.Overlay([])})
    start = fs.snapshot()
    fs.make_mountpoints()
    fs.write_bytes("/later/f", b"1")
    fs.write_bytes("/d/kept", b"1")
    fs.rollback(start)
    assert fs.read_bytes("/d/kept") == b"1"
    assert not fs.exists("/later")
