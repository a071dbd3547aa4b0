"""The layer of a commit on the containerd store, by the words of layers.md section 7."""

from __future__ import annotations

import io
import tarfile

import pytest

import layersim as ls

BASE = ls.Layer.from_changes(
    [
        ls.mkdir("/d"),
        ls.write("/d/a", b"a"),
        ls.write("/d/s", b"s"),
        ls.mkdir("/k"),
        ls.write("/k/t", b"t"),
        ls.write("/big", b"b" * 1000),
    ]
)


@pytest.fixture
def fs() -> ls.Overlay:
    return ls.Overlay([BASE], clock=lambda: 5 * 10**9)


def names(fs: ls.Overlay) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(fs.to_layer(dialect="containerd").tar_bytes())) as tar:
        return tar.getnames()


def test_a_directory_made_anew_is_itself_and_a_whiteout_a_name(fs: ls.Overlay) -> None:
    for name in ("/d/a", "/d/s"):
        fs.unlink(name)
    fs.rmdir("/d")
    fs.mkdir("/d")
    fs.write_bytes("/d/new", b"n")
    assert names(fs) == ["d", "d/.wh.a", "d/new", "d/.wh.s"]


def test_what_is_as_it_was_is_left_out(fs: ls.Overlay) -> None:
    fs.chmod("/big", 0o644)
    fs.chmod("/d/a", 0o644)
    assert names(fs) == []
    fs.write_bytes("/d/new", b"n")
    assert names(fs) == ["d", "d/new"]


def test_a_directory_made_again_the_same_does_not_appear(fs: ls.Overlay) -> None:
    fs.unlink("/k/t")
    fs.rmdir("/k")
    fs.mkdir("/k", 0o755)
    fs.write_bytes("/k/t", b"t")
    fs.chmod("/k/t", 0o644)
    fs.utime("/k/t", ns=(0, 0))
    assert names(fs) == []


def test_other_bytes_of_the_same_second_appear_where_both_say_whole_seconds(fs: ls.Overlay) -> None:
    fs.write_bytes("/k/t", b"T")
    fs.utime("/k/t", ns=(0, 0))
    assert fs.changes() == []
    assert names(fs) == ["k", "k/t"]


def test_a_removed_directory_is_one_whiteout_and_a_replaced_one_none(fs: ls.Overlay) -> None:
    fs.unlink("/k/t")
    fs.rmdir("/k")
    for name in ("/d/a", "/d/s"):
        fs.unlink(name)
    fs.rmdir("/d")
    fs.write_bytes("/d", b"file")
    assert names(fs) == ["d", ".wh.k"]


def test_a_new_name_of_an_old_file_brings_the_file(fs: ls.Overlay) -> None:
    fs.link("/big", "/hl")
    layer = fs.to_layer(dialect="containerd")
    assert sorted(entry.path for entry in layer) == ["big", "hl"]
    assert layer.size == 1000


def test_a_mark_says_nothing_of_itself(fs: ls.Overlay) -> None:
    fs.unlink("/big")
    with tarfile.open(fileobj=io.BytesIO(fs.to_layer(dialect="containerd").tar_bytes())) as tar:
        (mark,) = tar
        assert (mark.name, mark.mode, mark.mtime, mark.size, mark.linkname) == (".wh.big", 0, 0, 0, "")


def test_the_engine_commits_so(fs: ls.Overlay) -> None:
    engine = ls.Engine("containerd", clock=lambda: 5 * 10**9)
    engine.add_image([BASE], tag="base:1")
    container = engine.run("base:1")
    container.fs.chmod("/big", 0o644)
    assert len(container.commit("same:1").layers) == 1
    container.fs.write_bytes("/new", b"n")
    image = container.commit("other:1")
    assert [entry.path for entry in image.layers[-1]] == ["new"]
    fs.write_bytes("/new", b"n")
    assert image.diff_ids[-1] == fs.to_layer(dialect="containerd").diff_id
