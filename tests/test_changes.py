"""The edit language gives layers by value: equal lists, equal layers."""

from __future__ import annotations

import layersim as ls
from layersim import changes


def test_every_edit_is_public_in_both_places() -> None:
    for name in ("mkdir", "write", "symlink", "hardlink", "remove", "opaque"):
        assert getattr(changes, name) is getattr(ls, name)


def test_equal_edits_make_equal_layers() -> None:
    edits = [ls.mkdir("/a"), ls.write("/a/f", b"12345"), ls.symlink("/a/l", "f"), ls.hardlink("/a/h", "/a/f")]
    first, second = ls.Layer.from_changes(edits), ls.Layer.from_changes(list(edits))
    assert first.diff_id == second.diff_id
    assert first == second


def test_sizes_follow_the_inode_rule() -> None:
    """accounting.md section 1: two files of 1000, two links to the first, a symbolic link of ten characters."""
    layer = ls.Layer.from_changes(
        [
            ls.write("/a", bytes(1000)),
            ls.hardlink("/b", "/a"),
            ls.hardlink("/c", "/a"),
            ls.mkdir("/d"),
            ls.symlink("/s", "0123456789"),
            ls.write("/copy", bytes(1000)),
        ]
    )
    assert (layer.size, layer.tar_size) == (2010, 2000)


def test_whiteouts_and_opaque_marks_cost_nothing() -> None:
    layer = ls.Layer.from_changes([ls.remove("/gone"), ls.mkdir("/d"), ls.opaque("/d")])
    assert layer.size == 0
