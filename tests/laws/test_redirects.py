"""Renamed directories of the layers: a commit, a copy, a saved top and an earlier state show what the overlay shows."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import layersim as ls
from layersim.errors import ArchiveError
from layersim.testing import Operation, assert_same_tree, operations, paths, stacks, tree_of, unchanged

NOW = 1_700_000_000 * 10**9
NAMES = ("a", "b", "c", "d")
SAID_BY_A_TAR = ("write", "append", "mkdir", "unlink", "rmdir", "rename", "link", "symlink", "chmod", "truncate")

renames = st.builds(Operation, kind=st.just("rename"), path=paths(NAMES), other=paths(NAMES))
works = st.tuples(
    st.lists(renames, max_size=4), operations(NAMES, kinds=SAID_BY_A_TAR, max_size=10), st.lists(renames, max_size=4)
).map(lambda parts: [work for part in parts for work in part])


def worked(layers: list[ls.Layer], done: list[Operation]) -> ls.Overlay:
    fs = ls.Overlay(layers, redirect_dir=True, clock=lambda: NOW)
    with unchanged(layers):
        for work in done:
            work.perform(fs)
    return fs


def marks(fs: ls.Overlay) -> dict[str, dict[str, bytes]]:
    """Return the marks of all directories that can be seen and were written."""
    found = {}
    for path, node in tree_of(fs).items():
        if node.kind == "dir":
            try:
                found[path] = fs.upper_marks(path)
            except OSError:
                continue
    return found


@given(stacks(NAMES, max_size=3), works)
@settings(max_examples=100)
def test_a_commit_shows_what_the_overlay_shows(layers: list[ls.Layer], done: list[Operation]) -> None:
    fs = worked(layers, done)
    after = ls.View([*layers, fs.to_layer()])
    assert_same_tree(fs, after, with_xattrs=False)
    assert fs.changes() == fs.lower.changes(after)
    by_containerd = ls.View([*layers, fs.to_layer(dialect="containerd")])
    assert set(fs.lower.changes(by_containerd)) == set(fs.changes())


@given(stacks(NAMES, max_size=3), works, works)
@settings(max_examples=50)
def test_copies_saved_tops_and_earlier_states_go_on_alike(
    layers: list[ls.Layer], done: list[Operation], after: list[Operation]
) -> None:
    fs = worked(layers, done)
    before, snapshot, fork, upper = tree_of(fs), fs.snapshot(), fs.fork(), fs.upper()
    twins = [fork] if upper is None else [fork, upper.over(fs.lower, redirect_dir=True, clock=lambda: NOW)]
    for twin in twins:
        assert (tree_of(twin), marks(twin), twin.changes(), twin.size_rw) == (
            before,
            marks(fs),
            fs.changes(),
            fs.size_rw,
        )
    for work in after:
        assert len({work.perform(twin) for twin in [fs, *twins]}) == 1
    for twin in twins:
        assert (tree_of(twin), marks(twin), twin.to_layer()) == (tree_of(fs), marks(fs), fs.to_layer())
    fs.rollback(snapshot)
    assert tree_of(fs) == before


BASE = ls.Layer.from_changes(
    [ls.write("/a/f", b"lower"), ls.hardlink("/a/g", "/a/f"), ls.mkdir("/a/b/c"), ls.write("/e/f", b"e")]
)


def test_a_renamed_directory_takes_no_room_and_its_commit_takes_all() -> None:
    fs = ls.Overlay([BASE], redirect_dir=True, clock=lambda: NOW)
    fs.rename("/a", "/e/x")
    assert (fs.size_rw, fs.to_layer().size, fs.upper_marks("/e/x")) == (0, 5, {"trusted.overlay.redirect": b"/a"})
    assert [str(change) for change in fs.changes()] == [
        "C /e",
        "A /e/x",
        "A /e/x/b",
        "A /e/x/b/c",
        "A /e/x/f",
        "A /e/x/g",
        "D /a",
    ]


def test_a_directory_that_is_back_has_not_changed() -> None:
    fs = ls.Overlay([BASE], redirect_dir=True, clock=lambda: NOW)
    fs.rename("/a", "/x")
    fs.rename("/x", "/a")
    assert (fs.changes(), fs.upper_marks("/a")) == ([], {"trusted.overlay.redirect": b"a"})
    assert [entry.path for entry in fs.to_layer()] == ["a"]


def test_a_mark_is_told_of_directories_that_the_top_has() -> None:
    fs = ls.Overlay([BASE], redirect_dir=True)
    with pytest.raises(FileNotFoundError):
        fs.upper_marks("/a")
    fs.mkdir("/n")
    fs.write_bytes("/a/f", b"1")
    assert (fs.upper_marks("/n"), fs.upper_marks("/a"), fs.upper_marks(b"/a/f")) == (
        {"trusted.overlay.opaque": b"y"},
        {},
        {},
    )


def test_docker_mounts_without_it() -> None:
    fs, other = ls.Overlay([BASE]), ls.Overlay([BASE], redirect_dir=True)
    assert (fs.redirect_dir, other.redirect_dir, other.fork().redirect_dir) == (False, True, True)
    with pytest.raises(OSError, match="cross-device") as caught:
        fs.rename("/a", "/x")
    assert caught.value.errno == errno.EXDEV
    other = ls.Overlay(fs.lower, redirect_dir=True)
    with pytest.raises(ValueError, match="mounted otherwise"):
        fs.rollback(other.snapshot())


def test_a_saved_top_is_for_the_layers_that_have_what_was_renamed() -> None:
    fs = ls.Overlay([BASE], redirect_dir=True)
    fs.rename("/a/b", "/x")
    upper = fs.upper()
    assert upper is not None
    assert upper.over(fs.lower).redirect_dir
    with pytest.raises(ArchiveError, match="a renamed directory that the layers do not have"):
        upper.over(ls.View([]))
