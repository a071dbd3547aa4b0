"""Layer tars as no program writes them but the engine takes them: the tree must be the one that it makes."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from layersim.errors import ArchiveError
from tests.engine.archives import ImageSpec, docker_archive
from tests.engine.compare import assert_same_images, assert_same_merged_tree, loaded
from tests.tars import END, Entry, directory, hardlink, header, layer_tar, pax, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

CAPABILITY = ("security.capability", bytes([1, 0, 0, 2, *[0] * 16]))
BASE = layer_tar([directory("d"), Entry("d/a", content=b"a"), Entry("f", content=b"f"), symlink("s", "d")])


def entries(*members: Entry) -> bytes:
    return layer_tar(members)


def record(text: bytes) -> bytes:
    """Return one PAX record."""
    length = len(text) + 4
    return pax(b"%d %s\n" % (length if length < 100 else length + 1, text))


LAYERS = {
    "the mode of a link": entries(Entry("l", tarfile.SYMTYPE, target="f", mode=0o600)),
    "a time before 1970": entries(
        Entry("n", mtime=-5), directory("d"), Entry("l", tarfile.SYMTYPE, target="f", mtime=-5)
    ),
    "a time after 2262": entries(Entry("n", mtime=9_300_000_000)),
    "a link that takes a capability": entries(Entry("n", xattrs=(CAPABILITY,)), hardlink("m", "n")),
    "a link that brings a capability": entries(
        Entry("n"), Entry("m", tarfile.LNKTYPE, target="n", xattrs=(CAPABILITY,), mode=0o755)
    ),
    "an attribute of nowhere": entries(Entry("n", xattrs=(("foo.bar", b"v"), ("user.a", b"v")))),
    "attributes of users on a link and a fifo": entries(
        Entry("l", tarfile.SYMTYPE, target="f", xattrs=(("user.a", b"v"), ("trusted.a", b"v"))),
        Entry("p", tarfile.FIFOTYPE, xattrs=(("user.a", b"v"), ("trusted.a", b"v"))),
    ),
    "a device number that is too long": entries(Entry("n", tarfile.CHRTYPE, device=(4097, 5))),
    "a device number that is a whiteout's": entries(Entry("f", tarfile.CHRTYPE, device=(4096, 0))),
    "an owner that is no owner": record(b"uid=4294967295") + header(name=b"n") + END,
    "an owner below zero": record(b"uid=-5") + header(name=b"n") + END,
    "an owner above 32 bits": record(b"uid=4294967301") + header(name=b"n") + END,
    "a directory of negative size": record(b"size=-8") + header(name=b"d/", typeflag=b"5") + END,
    "an empty long name": header(name=b"L", typeflag=b"L", size=b"%011o" % 1) + bytes(512) + header(name=b"n") + END,
    "a file in the place of the root": header(name=b".") + END,
    "a link in the place of the root": header(name=b"a/..", typeflag=b"2", linkname=b"f") + END,
    "a link to a whiteout": entries(Entry(".wh.f"), hardlink("s", "f")),
    "padding that is cut off": header(name=b"n", size=b"%011o" % 3) + b"abc" + bytes(100),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_the_tree_is_the_engines(layer: bytes, daemon: Daemon, tmp_path: Path) -> None:
    archive = docker_archive([ImageSpec((BASE, layer), ("odd:1",))])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_images(daemon, engine)
    assert_same_merged_tree(daemon, engine, "odd:1")


REFUSED = {
    "two in the place of the root": header(name=b".") + header(name=b"a/..") + END,
    "a link to nothing": entries(Entry("l", tarfile.SYMTYPE)),
    "a target of 4096 bytes": entries(symlink("l", "t" * 4096)),
    "an attribute without a name": entries(Entry("n", xattrs=(("", b"v"),))),
    "an attribute with a long name": entries(Entry("n", xattrs=(("user." + "n" * 251, b"v"),))),
    "an attribute of 70,000 bytes": entries(Entry("n", xattrs=(("user.a", bytes(b"v" * 70_000)),))),
    "two spellings of one whiteout": entries(Entry(".wh.f"), Entry("d/../.wh.f")),
    "a whiteout device, then a whiteout": entries(Entry("f", tarfile.CHRTYPE), Entry(".wh.f")),
    "a time of access that is none": record(b"atime=x") + header(name=b"n") + END,
    "numbers of a device that are none": header(name=b"n", devmajor=b"none") + END,
}


@pytest.mark.parametrize("layer", REFUSED.values(), ids=REFUSED)
def test_what_the_engine_refuses_is_refused(layer: bytes, daemon: Daemon, tmp_path: Path) -> None:
    archive = docker_archive([ImageSpec((BASE, layer), ("odd:1",))])
    assert daemon.run("load", stdin=archive).returncode != 0
    with pytest.raises(ArchiveError):
        loaded(daemon, archive, tmp_path)
