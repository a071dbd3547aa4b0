"""Whole blocks: what an unpacked layer takes on ext4, by our rule and by the disk's own count."""

from __future__ import annotations

import random
import tarfile
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.random_images import random_layer
from tests.kernel.mount import extract
from tests.oracles import lacking, require_root
from tests.tars import Entry, directory, hardlink, layer_tar, symlink
from tests.trees import blocks_size, is_on_ext4

if TYPE_CHECKING:
    from pathlib import Path

CAPABILITY = ("security.capability", b"\x01\x00\x00\x02\x00\x04\x00\x00" + bytes(12))

LAYERS: dict[str, list[Entry]] = {
    "nothing": [],
    "one byte": [Entry("f", content=b"x")],
    "a whole block": [Entry("f", content=bytes(4096))],
    "a block and a byte": [Entry("f", content=b"x" * 4097)],
    "hard links once": [Entry("a", content=b"x" * 5000), hardlink("b", "a"), hardlink("c", "a")],
    "directories": [directory("d"), directory("d/e"), Entry("d/e/f", content=b"x")],
    "implied directories": [Entry("d/e/f", content=b"x")],
    "links in the inode": [symlink("l", "t" * 59)],
    "links in a block": [symlink("l", "t" * 60), symlink("m", "t" * 4000)],
    "marks": [directory("d"), Entry("d/.wh..wh..opq"), Entry(".wh.gone"), Entry("e/.wh.gone")],
    "nodes": [Entry("p", tarfile.FIFOTYPE), Entry("n", tarfile.CHRTYPE, device=(1, 3))],
    "attributes in the inode": [Entry("f", xattrs=(CAPABILITY,))],
    "attributes beyond it": [Entry("f", xattrs=(CAPABILITY, ("user.a", b"b" * 40)))],
    "an attribute that just fits": [Entry("f", xattrs=(("user.a", b"b" * 68),))],
    "an attribute that just does not": [Entry("f", xattrs=(("user.a", b"b" * 69),))],
    "a full directory": [Entry(f"{number:08}") for number in range(253)],
}


def assert_same_blocks(tar: bytes, folder: Path) -> None:
    """Compare our count with the disk's, of the layer as a driver extracts it."""
    require_root()
    root = folder / "layer"
    root.mkdir()
    extract(tar, str(root))
    if not is_on_ext4(root):
        lacking("temporary files on ext4, whose blocks are counted here")
    assert ls.Layer.from_tar(tar).allocated_size == blocks_size(root)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_what_the_disk_says(name: str, tmp_path: Path) -> None:
    assert_same_blocks(layer_tar(LAYERS[name]), tmp_path)


@pytest.mark.parametrize("seed", range(30))
def test_random_layers_take_what_the_disk_says(seed: int, tmp_path: Path) -> None:
    assert_same_blocks(random_layer(random.Random(seed)), tmp_path)


@pytest.mark.parametrize(("count", "length"), [(300, 8), (500, 60), (2000, 8), (2000, 60)])
def test_a_large_directory_is_near_what_the_disk_says(count: int, length: int, tmp_path: Path) -> None:
    """Where the index splits its blocks depends on a seed of the file system, so that no rule is exact."""
    require_root()
    tar = layer_tar([Entry(f"{number:0{length}}") for number in range(count)])
    extract(tar, str(tmp_path))
    if not is_on_ext4(tmp_path):
        lacking("temporary files on ext4, whose blocks are counted here")
    assert ls.Layer.from_tar(tar).allocated_size == pytest.approx(blocks_size(tmp_path), rel=0.35)
