"""Changesets: what they say is enough to make one tree of the other, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

import layersim as ls
from layersim.testing import differences
from tests.laws.sketches import stacks
from tests.laws.test_union import layers_of
from tests.trees import snapshot

if TYPE_CHECKING:
    from tests.reference import Folder


def as_edits(changes: list[ls.Change], upper: ls.View) -> list[ls.Edit]:
    """Spell a changeset as a layer, with the contents of the newer tree."""
    made = []
    for change in changes:
        if change.kind == "D":
            made.append(ls.remove(change.path))
            continue
        status = upper.lstat(change.path)
        mode, mtime_ns = status.st_mode & 0o7777, status.st_mtime_ns
        if status.st_mode >> 12 == 4:
            made.append(ls.mkdir(change.path, mode=mode, mtime_ns=mtime_ns))
        elif status.st_mode >> 12 == 10:
            made.append(ls.symlink(change.path, upper.readlink(change.path), mtime_ns=mtime_ns))
        else:
            made.append(ls.write(change.path, upper.read_bytes(change.path), mode=mode, mtime_ns=mtime_ns))
    return made


@given(stacks, stacks)
def test_applying_a_difference_gives_the_other_tree(one: list[Folder], two: list[Folder]) -> None:
    older, newer = ls.View(layers_of(one)), ls.View(layers_of(two))
    patch = ls.Layer.from_changes(as_edits(older.changes(newer), newer))
    assert differences(snapshot(newer), snapshot(ls.View([*older.layers, patch]))) == []


@given(stacks)
def test_nothing_differs_from_itself(stack: list[Folder]) -> None:
    assert ls.View(layers_of(stack)).changes(ls.View(layers_of(stack))) == []


@given(stacks, stacks)
def test_a_difference_turned_round_swaps_what_came_and_what_went(one: list[Folder], two: list[Folder]) -> None:
    older, newer = ls.View(layers_of(one)), ls.View(layers_of(two))
    there, back = older.changes(newer), newer.changes(older)
    changed = {change.path for change in there if change.kind == "C"}
    assert changed == {change.path for change in back if change.kind == "C"}
    assert {change.path for change in there if change.kind == "D"} <= {
        change.path for change in back if change.kind == "A"
    }


@given(stacks, stacks)
def test_a_shared_base_changes_nothing_of_the_answer(base: list[Folder], own: list[Folder]) -> None:
    shared = layers_of(base)
    older, newer = ls.View(shared), ls.View([*shared, *layers_of(own)])
    apart = ls.View(layers_of(base))
    assert older.changes(newer) == apart.changes(newer)
