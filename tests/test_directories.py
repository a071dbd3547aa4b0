"""Directories of the host as layers, and views as directories: every path, owner, link, device and attribute."""

from __future__ import annotations

import io
import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.testing import differences
from tests.oracles import require_root
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from pathlib import Path

TIME = (1_400_000_000, 1_400_000_000)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory of everything."""
    require_root()
    root = tmp_path / "tree"
    (root / "d" / "deep").mkdir(parents=True)
    (root / "d" / "file").write_bytes(b"content")
    os.link(root / "d" / "file", root / "hard")
    (root / "sym").symlink_to("../nowhere")
    (root / "sparse").touch()
    os.truncate(root / "sparse", 10_000_000)
    os.mkfifo(root / "fifo", 0o640)
    os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(root / "loop", stat.S_IFBLK | 0o660, os.makedev(7, 300))
    (root / os.fsdecode(b"\xff\xfe name\n")).write_bytes(b"odd")
    os.chown(root / "d", 1234, 70_000)
    os.chmod(root / "d" / "file", 0o6700)
    os.chmod(root / "d" / "deep", 0o1700)
    os.setxattr(root / "d" / "file", "user.note", b"\0\xff binary")
    os.setxattr(root / "d", "user.empty", b"")
    for path in root.rglob("*"):
        os.utime(path, TIME, follow_symlinks=False)
    return root


def test_a_directory_becomes_a_layer_and_a_directory_again(tree: Path, tmp_path: Path) -> None:
    layer = ls.Layer.from_directory(tree)
    assert layer == ls.Layer.from_tar(layer.tar_bytes())
    assert layer.size == sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir()) - len(b"content")
    view = ls.View([layer])
    expected = snapshot(Disk(tree))
    # An empty attribute cannot be told in a PAX record: to take a value away is what it means there.
    expected["/d"] = expected["/d"]._replace(xattrs=())
    assert differences(expected, snapshot(view)) == []
    assert view.stat("/hard").st_ino == view.stat("/d/file").st_ino
    view.extract(tmp_path / "out")
    assert differences(expected, snapshot(Disk(tmp_path / "out"))) == []
    assert (tmp_path / "out" / "hard").samefile(tmp_path / "out" / "d" / "file")
    assert ls.Layer.from_directory(tmp_path / "out") == layer


def test_sockets_are_left_out(tmp_path: Path) -> None:
    here = tmp_path / "s"
    here.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(here / "socket"))
        assert [entry.path for entry in ls.Layer.from_directory(here)] == []


def test_an_extraction_does_not_follow_links_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    layers = [
        ls.Layer.from_changes([ls.symlink("/way", str(outside)), ls.symlink("/dots", "../outside")]),
        ls.Layer.from_changes([ls.write("/way/in", b"1"), ls.write("/dots/in", b"1")]),
    ]
    ls.View(layers).extract(tmp_path / "root")
    assert list(outside.iterdir()) == []
    assert (tmp_path / "root" / "way" / "in").read_bytes() == b"1"


def test_nothing_is_extracted_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    with pytest.raises(ValueError, match="not empty"):
        ls.View([ls.Layer.from_changes([ls.write("/f", b"")])]).extract(tmp_path)
    assert os.listdir(tmp_path) == ["kept"]


def test_a_written_tar_replaces_its_target_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "layer.tar"
    target.write_bytes(b"old")
    synthetic = ls.Layer.synthetic(diff_id="sha256:" + "0" * 64, size=1)
    with pytest.raises(ls.LayerSimError):
        synthetic.write_tar(target)
    assert target.read_bytes() == b"old"
    layer = ls.Layer.from_changes([ls.write("/f", b"x")])
    assert layer.write_tar(target) == len(layer.tar_bytes())
    assert target.read_bytes() == layer.tar_bytes()
    assert os.listdir(tmp_path) == ["layer.tar"]
    memory = io.BytesIO()
    layer.write_tar(memory)
    assert memory.getvalue() == layer.tar_bytes()
