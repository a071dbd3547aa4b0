"""Overlays: writes stay in the top, and the top is all that a layer needs to say it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

import layersim as ls
from layersim.testing import Operation, differences, operations
from tests.laws.sketches import NAMES, stacks
from tests.laws.test_union import layers_of
from tests.trees import snapshot

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from tests.reference import Folder

KINDS = ("write", "append", "mkdir", "unlink", "rmdir", "rename", "link", "symlink", "chmod", "truncate")


def works(max_size: int = 15) -> SearchStrategy[list[Operation]]:
    """Draw what a commit keeps, as the kernel would let it happen or not."""
    return operations(NAMES, kinds=KINDS, max_size=max_size)


@given(stacks, works())
def test_no_write_reaches_a_layer(stack: list[Folder], done: list[Operation]) -> None:
    layers = layers_of(stack)
    before = [(layer.diff_id, layer.tar_bytes(), [repr(entry) for entry in layer]) for layer in layers]
    view = ls.View(layers)
    shown, fs = snapshot(view), ls.Overlay(layers)
    for work in done:
        work.perform(fs)
    assert [(layer.diff_id, layer.tar_bytes(), [repr(entry) for entry in layer]) for layer in layers] == before
    assert all(ls.sha256(tar) == diff_id for diff_id, tar, _ in before)
    assert differences(shown, snapshot(view)) == []


@given(stacks, works())
def test_a_committed_top_shows_what_the_overlay_showed(stack: list[Folder], done: list[Operation]) -> None:
    fs = ls.Overlay(layers_of(stack))
    for work in done:
        work.perform(fs)
    again = ls.View([*fs.lower.layers, fs.to_layer()])
    assert differences(snapshot(fs), snapshot(again)) == []
    assert fs.to_layer().size == fs.size_rw


@given(stacks, works())
def test_what_containerd_commits_is_what_differs(stack: list[Folder], done: list[Operation]) -> None:
    fs = ls.Overlay(layers_of(stack), clock=lambda: 1_700_000_000 * 10**9)
    for work in done:
        work.perform(fs)
    layer = fs.to_layer(dialect="containerd")
    after = ls.View([*fs.lower.layers, layer])
    assert set(fs.lower.changes(after)) == set(fs.lower.changes(ls.View([*fs.lower.layers, fs.to_layer()])))
    assert len(layer) <= len(fs.to_layer()) + sum(change.kind == "D" for change in fs.changes())
    assert not any(entry.is_opaque for entry in layer)


@given(stacks, works())
def test_changes_are_the_difference_of_the_two_views(stack: list[Folder], done: list[Operation]) -> None:
    fs = ls.Overlay(layers_of(stack), clock=lambda: 1_700_000_000 * 10**9)
    for work in done:
        work.perform(fs)
    after = ls.View([*fs.lower.layers, fs.to_layer()])
    assert set(fs.changes()) == set(fs.lower.changes(after))


@given(stacks, works(8), works(8))
def test_forks_do_not_see_each_other(stack: list[Folder], before: list[Operation], after: list[Operation]) -> None:
    fs = ls.Overlay(layers_of(stack), clock=lambda: 0)
    for work in before:
        work.perform(fs)
    fork, shown = fs.fork(), snapshot(fs)
    for work in after:
        work.perform(fork)
    assert differences(shown, snapshot(fs)) == []
    for work in after:
        work.perform(fs)
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
