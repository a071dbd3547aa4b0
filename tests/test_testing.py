"""The public strategies and helpers: they reach what they are for, and they catch what they should."""

from __future__ import annotations

import doctest
import importlib
import stat
from collections import Counter
from typing import cast

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis.stateful import run_state_machine_as_test

import layersim as ls
from layersim import testing
from layersim.testing.operations import KINDS

_SEEN: Counter[object] = Counter()


@settings(max_examples=150)
@given(testing.stacks(), testing.operations())
def _count(layers: list[ls.Layer], done: list[testing.Operation]) -> None:
    _SEEN.update(entry.kind for layer in layers for entry in layer)
    _SEEN["meeting"] += len(ls.View(layers)) < sum(len(ls.View([layer])) for layer in layers)
    fs = ls.Overlay(layers)
    _SEEN.update((operation.kind, operation.perform(fs) == 0) for operation in done)


def test_layers_meet_and_operations_succeed_and_fail() -> None:
    _SEEN.clear()
    _count()
    assert {"file", "symlink", "directory", "whiteout", "meeting"} <= set(+_SEEN)
    done = [seen for seen in _SEEN if isinstance(seen, tuple)]
    assert {kind for kind, succeeded in done if not succeeded} == set(KINDS)
    assert len({kind for kind, succeeded in done if succeeded}) > len(KINDS) // 3


@given(testing.image_sets())
def test_images_of_a_set_share_their_bases(images: dict[str, list[ls.Layer]]) -> None:
    engine = ls.Engine()
    for tag, layers in images.items():
        engine.add_image(layers, tag=tag)
    bases = [layers for tag, layers in images.items() if tag.startswith("base:")]
    assert all(any(layers[: len(base)] == base for base in bases) for layers in images.values())
    assert engine.df().layers_size <= sum(row.size for row in engine.images(all=True))


def test_a_failure_shrinks_to_what_matters() -> None:
    def empties(done: list[testing.Operation]) -> bool:
        fs = ls.Overlay([ls.Layer.from_changes([ls.write("/a", b"1")])])
        for operation in done:
            operation.perform(fs)
        return not fs.exists("/a")

    (only,) = find(testing.operations(), empties)
    assert (only.kind, only.path) in {("unlink", "/a"), ("rename", "/a")}


def test_trees_that_differ_are_told_line_by_line() -> None:
    one = ls.View([ls.Layer.from_changes([ls.write("/etc/motd", b"hello"), ls.write("/only", b"")])])
    two = ls.View([ls.Layer.from_changes([ls.write("/etc/motd", b"other", mode=0o600)])])
    with pytest.raises(AssertionError) as told:
        testing.assert_same_tree(one, two)
    lines = str(told.value).splitlines()
    assert lines[0] == "the trees differ:"
    assert lines[1].startswith("'/etc/motd': mode 420 became 384, content 'sha256:")
    assert lines[2].startswith("'/only': expected Node(kind='file'")
    assert len(lines) == 3
    testing.assert_same_tree(one, one)


def test_times_of_a_clock_can_be_left_out() -> None:
    fs = ls.Overlay([], clock=lambda: 2 * 10**18)
    fs.write_bytes("/f", b"")
    assert testing.tree_of(fs)["/f"].mtime_ns == 2 * 10**18
    assert testing.tree_of(fs, times_before_ns=10**18)["/f"].mtime_ns is None
    assert stat.S_ISREG(fs.lstat("/f").st_mode)


class _Leaking(testing.OverlayMachine):
    """A machine whose layers are exchanged behind its back, as if a write had reached one."""

    def act(self, fs: ls.Overlay, operation: testing.Operation) -> None:
        if operation.perform(fs) == 0 and operation.kind == "write":
            self.layers = [ls.Layer.from_changes([ls.write(operation.path, operation.data)]), *self.layers[1:]]


def test_the_machine_runs_and_catches_a_write_to_a_layer() -> None:
    few = settings(max_examples=20, stateful_step_count=15)
    run_state_machine_as_test(testing.OverlayMachine, settings=few)
    with pytest.raises(AssertionError, match="a layer was written to"):
        run_state_machine_as_test(_Leaking, settings=settings(few, max_examples=100, phases=[Phase.generate]))


@pytest.mark.parametrize("module", ["guard", "machine", "strategies", "trees"])
def test_the_examples_of_docstrings_run(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"layersim.testing.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


class _Wrong:
    """A layer whose bytes are no longer those of its digest."""

    diff_id = ls.sha256(b"before")

    def __iter__(self) -> object:
        return iter(())

    def tar_bytes(self) -> bytes:
        return b"after"


def test_a_layer_that_is_not_what_its_digest_says_is_named() -> None:
    with pytest.raises(AssertionError, match=_Wrong.diff_id), testing.unchanged([cast("ls.Layer", _Wrong())]):
        pass
