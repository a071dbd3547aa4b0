"""Overlays: writes stay in the top, and the top is all that a layer needs to say it again."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

import layersim as ls
from layersim.testing import differences
from tests.laws.sketches import NAMES, stacks
from tests.laws.test_union import layers_of
from tests.trees import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.reference import Folder

PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
Work = tuple[str, str, str, bytes]
works = st.tuples(
    st.sampled_from(("write", "append", "mkdir", "unlink", "rmdir", "rename", "link", "symlink", "chmod", "truncate")),
    PATHS,
    PATHS,
    st.binary(max_size=10),
)


def perform(fs: ls.Overlay, work: Work) -> None:
    """Do one thing, if the kernel would let it happen."""
    name, path, other, data = work
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: fs.write_bytes(path, data),
        "append": lambda: _append(fs, path, data),
        "mkdir": lambda: fs.mkdir(path, 0o750),
        "unlink": lambda: fs.unlink(path),
        "rmdir": lambda: fs.rmdir(path),
        "rename": lambda: fs.rename(path, other),
        "link": lambda: fs.link(path, other),
        "symlink": lambda: fs.symlink("a", path),
        "chmod": lambda: fs.chmod(path, 0o640),
        "truncate": lambda: fs.truncate(path, len(data)),
    }
    with contextlib.suppress(OSError):
        acts[name]()


def _append(fs: ls.Overlay, path: str, data: bytes) -> None:
    with fs.open(path, os.O_WRONLY | os.O_APPEND) as file:
        file.write(data)


@given(stacks, st.lists(works, max_size=15))
def test_no_write_reaches_a_layer(stack: list[Folder], done: list[Work]) -> None:
    layers = layers_of(stack)
    before = [(layer.diff_id, layer.tar_bytes(), [repr(entry) for entry in layer]) for layer in layers]
    view = ls.View(layers)
    shown, fs = snapshot(view), ls.Overlay(layers)
    for work in done:
        perform(fs, work)
    assert [(layer.diff_id, layer.tar_bytes(), [repr(entry) for entry in layer]) for layer in layers] == before
    assert all(ls.sha256(tar) == diff_id for diff_id, tar, _ in before)
    assert differences(shown, snapshot(view)) == []


@given(stacks, st.lists(works, max_size=15))
def test_a_committed_top_shows_what_the_overlay_showed(stack: list[Folder], done: list[Work]) -> None:
    fs = ls.Overlay(layers_of(stack))
    for work in done:
        perform(fs, work)
    again = ls.View([*fs.lower.layers, fs.to_layer()])
    assert differences(snapshot(fs), snapshot(again)) == []
    assert fs.to_layer().size == fs.size_rw


@given(stacks, st.lists(works, max_size=15))
def test_what_containerd_commits_is_what_differs(stack: list[Folder], done: list[Work]) -> None:
    fs = ls.Overlay(layers_of(stack), clock=lambda: 1_700_000_000 * 10**9)
    for work in done:
        perform(fs, work)
    layer = fs.to_layer(dialect="containerd")
    after = ls.View([*fs.lower.layers, layer])
    assert set(fs.lower.changes(after)) == set(fs.lower.changes(ls.View([*fs.lower.layers, fs.to_layer()])))
    assert len(layer) <= len(fs.to_layer()) + sum(change.kind == "D" for change in fs.changes())
    assert not any(entry.is_opaque for entry in layer)


@given(stacks, st.lists(works, max_size=15))
def test_changes_are_the_difference_of_the_two_views(stack: list[Folder], done: list[Work]) -> None:
    fs = ls.Overlay(layers_of(stack), clock=lambda: 1_700_000_000 * 10**9)
    for work in done:
        perform(fs, work)
    after = ls.View([*fs.lower.layers, fs.to_layer()])
    assert set(fs.changes()) == set(fs.lower.changes(after))


@given(stacks, st.lists(works, max_size=8), st.lists(works, max_size=8))
def test_forks_do_not_see_each_other(stack: list[Folder], before: list[Work], after: list[Work]) -> None:
    fs = ls.Overlay(layers_of(stack), clock=lambda: 0)
    for work in before:
        perform(fs, work)
    fork, shown = fs.fork(), snapshot(fs)
    for work in after:
        perform(fork, work)
    assert differences(shown, snapshot(fs)) == []
    for work in after:
        perform(fs, work)
    assert differences(snapshot(fork), snapshot(fs)) == []


@given(stacks)
def test_copy_up_is_invisible_to_readers(stack: list[Folder]) -> None:
    fs = ls.Overlay(layers_of(stack))
    shown = snapshot(fs)
    for path, node in shown.items():
        if node.kind != "symlink":
            fs.chmod(path, node.mode)
    assert differences(shown, snapshot(fs)) == []
    assert fs.changes() == []
    assert fs.size_rw == sum(node.size for node in shown.values() if node.kind == "file")
