"""The merged view against the reference, and against its own other spellings."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import layersim as ls
from tests.laws.sketches import NAMES, sketches, stacks
from tests.reference import File, Folder, Link, edits, entries, paths, union
from tests.tars import layer_tar
from tests.trees import differences, snapshot

if TYPE_CHECKING:
    import random


def layers_of(stack: list[Folder]) -> list[ls.Layer]:
    return [ls.Layer.from_tar(layer_tar(entries(sketch))) for sketch in stack]


@given(stacks)
def test_a_view_shows_what_the_reference_shows(stack: list[Folder]) -> None:
    view = ls.View(layers_of(stack))
    expected = dict(paths(union(stack)))
    shown = snapshot(view)
    assert shown.keys() == expected.keys()
    for path, thing in expected.items():
        found = shown[path]
        if isinstance(thing, File):
            assert (found.kind, found.mode, view.read_bytes(path)) == ("file", thing.mode, thing.data)
        elif isinstance(thing, Link):
            assert (found.kind, found.target) == ("symlink", thing.target)
        else:
            assert isinstance(thing, Folder)
            assert (found.kind, found.mode) == ("dir", thing.mode)


@given(stacks)
def test_a_tar_and_the_language_of_changes_say_the_same(stack: list[Folder]) -> None:
    written = ls.View([ls.Layer.from_changes(edits(sketch)) for sketch in stack])
    assert differences(snapshot(ls.View(layers_of(stack))), snapshot(written)) == []


@given(stacks)
def test_a_flattened_view_is_the_view(stack: list[Folder]) -> None:
    view, tar = ls.View(layers_of(stack)), io.BytesIO()
    view.write_tar(tar)
    flat = ls.Layer.from_tar(tar.getvalue())
    assert differences(snapshot(view), snapshot(ls.View([flat]))) == []


@given(stacks, st.lists(st.sampled_from(NAMES), max_size=3))
def test_a_lookup_is_what_lstat_says(stack: list[Folder], parts: list[str]) -> None:
    view = ls.View(layers_of(stack))
    asked = [*dict(paths(union(stack))), "/" + "/".join(parts), "/a/b/c", "/a/../b", "//c", "/"]
    found = view.lookup(asked)
    for at, path in enumerate(asked):
        try:
            status = view.lstat(f"/.{path}")  # a spelling that no table holds: the tree answers
        except OSError:
            assert (found.layer[at], found.kind[at], found.size[at]) == (-1, 0, 0)
            assert path not in view
        else:
            assert view.lstat(path) == status
            assert (found.layer[at], found.mode[at], found.size[at]) == (status.layer, status.st_mode, status.st_size)
            assert found.kind[at] == status.st_mode >> 12
            assert path in view


@given(stacks, st.lists(st.lists(st.sampled_from((*NAMES, "..", ".")), max_size=4), max_size=4))
def test_a_walk_through_the_layers_finds_what_the_index_knows(stack: list[Folder], parts: list[list[str]]) -> None:
    view = ls.View(layers_of([*stack, stack[0]]))
    asked = [*dict(paths(union(stack))), *("/" + "/".join(part) for part in parts), "", "/", "/a/", "a/b/c"]
    known, walked = view.lookup(asked), view.lookup(asked, strategy="walk")
    for column in ("layer", "kind", "size", "mode", "probes"):
        assert getattr(known, column).tolist() == getattr(walked, column).tolist(), column


@given(sketches, st.randoms(use_true_random=False))
def test_the_order_of_members_means_nothing(sketch: Folder, rng: random.Random) -> None:
    members = entries(sketch)
    straight = ls.Layer.from_tar(layer_tar(members))
    rng.shuffle(members)
    shuffled = ls.Layer.from_tar(layer_tar(members))
    assert (straight.size, straight.tar_size, len(straight)) == (shuffled.size, shuffled.tar_size, len(shuffled))
    assert differences(snapshot(ls.View([straight])), snapshot(ls.View([shuffled]))) == []


@given(sketches)
def test_a_layer_writes_the_tar_that_it_was_read_from(sketch: Folder) -> None:
    tar = layer_tar(entries(sketch))
    layer, target = ls.Layer.from_tar(tar), io.BytesIO()
    layer.write_tar(target)
    assert target.getvalue() == tar
    assert layer.diff_id == ls.sha256(tar)
    made = ls.Layer.from_changes(edits(sketch))
    assert ls.Layer.from_tar(made.tar_bytes()) == made
    assert [repr(entry) for entry in ls.Layer.from_tar(made.tar_bytes())] == [repr(entry) for entry in made]


def test_the_reference_can_tell_trees_apart() -> None:
    one, two = Folder({"a": File(b"1")}), Folder({"a": File(b"2")})
    assert union([one]) != union([two])
    with pytest.raises(TypeError):
        hash(one)
