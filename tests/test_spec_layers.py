"""The worked examples of the layer specification, for the engine of 2023 (overlay2): one line of the tables each."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import tarfile
from typing import TYPE_CHECKING, Literal

import pytest

import layersim as ls
from layersim.errors import ArchiveError, DigestMismatchError
from tests.oracles import require_program
from tests.tars import Entry, directory, hardlink, layer_tar, sha256, symlink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EMPTY = bytes(1024)
LOWER = [
    Entry("d", tarfile.DIRTYPE, mode=0o700, uid=5, gid=6),
    Entry("d/a", content=b"lower"),
    symlink("s", "d"),
    Entry("f", content=b"file"),
]


def view(*layers: Sequence[Entry]) -> ls.View:
    return ls.View([ls.Layer.from_tar(layer_tar(layer)) for layer in layers])


def refusal(entries: Sequence[Entry]) -> str:
    with pytest.raises(ArchiveError) as caught:
        ls.Layer.from_tar(layer_tar(entries))
    return str(caught.value)


def test_identifiers() -> None:
    empty = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
    layer = ls.Layer.from_tar(EMPTY)
    assert (layer.diff_id, layer.size, len(layer)) == (empty, 0, 0)
    assert ls.chain_ids([empty] * 3)[1:] == [
        "sha256:170b376f64fb30995c140276be3d71dfb256b308d86183ca3b22aa93a79ad548",
        "sha256:7800f80a93336d416612f372faa5f69eb67b353ce6ae9535fa0848f8784c74b1",
    ]
    with pytest.raises(DigestMismatchError, match=r"expected sha256:0{64}, got sha256:5f70bf18"):
        ls.Layer.from_tar(EMPTY, diff_id="sha256:" + "0" * 64)


def zstd(data: bytes) -> bytes:
    """Compress as zstd's own program does."""
    return subprocess.run([require_program("zstd", "zstd"), "-c"], input=data, capture_output=True, check=True).stdout


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_compression_is_told_by_magic_and_the_diff_id_is_of_the_plain_bytes(pack: Callable[[bytes], bytes]) -> None:
    tar = layer_tar(LOWER)
    assert ls.Layer.from_tar(pack(tar)).diff_id == sha256(tar)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_dialects(form: Literal[0, 1, 2]) -> None:
    long = "/".join(["x" * 60] * (2 if form == tarfile.USTAR_FORMAT else 4))
    info = tarfile.TarInfo(long)
    info.mode = 0o100640
    if form != tarfile.USTAR_FORMAT:
        info.uid = 3_000_000_000
    layer = ls.Layer.from_tar(info.tobuf(form) + EMPTY)
    entry = list(layer)[-1]
    assert (entry.path, entry.mode & 0o7777, entry.uid) == (long, 0o640, info.uid)


@pytest.mark.parametrize("letter", b"S7ZD")
def test_types_that_go_does_not_handle(letter: int) -> None:
    assert f"unhandled tar header type {letter}" in refusal([Entry("f", bytes([letter]))])


def test_the_same_path_twice() -> None:
    # Engines compare names as Go's `path.Clean` leaves them: `/a` is another one.
    for second in ("a", "./a", "b/../a"):
        assert "duplicates of file paths not supported" in refusal([directory("b"), Entry("a"), Entry(second)])


def test_bytes_after_the_trailer_count_for_the_digest_alone() -> None:
    tar = layer_tar(LOWER)
    followed = ls.Layer.from_tar(tar + b"garbage")
    assert (followed.diff_id, len(followed)) == (sha256(tar + b"garbage"), len(LOWER))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("./a", "a"), ("x//b", "x/b"), ("./e/./b", "e/b"), ("/y/a", "y/a"), ("x/../z", "z"), ("../x", "x")],
)
def test_names_are_relative_to_the_root(name: str, expected: str) -> None:
    assert [entry.path for entry in ls.Layer.from_tar(layer_tar([Entry(name)])) if entry.kind == "file"] == [expected]


def test_the_root_entry_is_skipped() -> None:
    merged = view([Entry("./", tarfile.DIRTYPE, mode=0o700, uid=9)], [Entry("a")])
    assert (merged.stat("/").st_mode, merged.stat("/").st_uid) == (0o40755, 0)


@pytest.mark.parametrize("entry", [Entry("d/n"), Entry("d/.wh.a")])
def test_a_parent_that_is_only_implied_overrides_the_lower_one(entry: Entry) -> None:
    found = view(LOWER, [entry]).stat("/d")
    assert (found.st_mode, found.st_uid, found.st_gid) == (0o40755, 0, 0)


def test_an_entry_below_a_file_of_the_same_layer() -> None:
    refusal([Entry("f"), Entry("f/g")])


@pytest.mark.parametrize(
    ("upper", "path", "shown"),
    [
        (Entry("d"), "/d", None),
        (symlink("d", "f"), "/d", None),
        (directory("f"), "/f", []),
        (directory("s"), "/s", []),
        (directory("d"), "/d", ["a"]),
        (Entry("d", tarfile.CHRTYPE), "/d", "gone"),
    ],
    ids=["file over dir", "symlink over dir", "dir over file", "dir over link", "dir over dir", "device 0:0"],
)
def test_one_entry_over_another(upper: Entry, path: str, shown: list[str] | str | None) -> None:
    merged = view(LOWER, [upper])
    if shown == "gone":
        assert path not in merged
    elif shown is None:
        assert merged.lstat(path).st_mode >> 12 != 4
        assert "/d/a" not in merged
    else:
        assert merged.listdir(path) == shown
        assert merged.lstat(path).st_mode == 0o40755


def test_a_link_of_a_lower_layer_is_hidden_by_what_is_put_below_it() -> None:
    merged = view(LOWER, [Entry("s/n", content=b"1")])
    assert (merged.listdir("/s"), merged.listdir("/d")) == (["n"], ["a"])


def test_a_link_of_the_same_layer_is_followed() -> None:
    assert view([directory("t"), symlink("l", "/t"), Entry("l/n")]).listdir("/t") == ["n"]
    for target in ("nowhere", "../../../tmp"):
        refusal([symlink("l", target), Entry("l/n")])


def test_targets_of_links_stay_as_they_are() -> None:
    assert view([symlink("l", "../../../etc/passwd")]).readlink("/l") == "../../../etc/passwd"


def test_hard_links_stay_within_their_layer() -> None:
    for target in ("a", "./a", "/a"):
        merged = view([Entry("a", content=b"1"), hardlink("b", target)])
        assert merged.stat("/a").st_ino == merged.stat("/b").st_ino
        assert merged.stat("/b").st_nlink == 2
    assert view([symlink("a", "x"), hardlink("b", "a")]).readlink("/b") == "x"
    refusal([hardlink("b", "a"), Entry("a")])
    refusal([directory("a"), hardlink("b", "a")])
    refusal([hardlink("b", "../../etc/passwd")])


@pytest.mark.parametrize(
    ("upper", "listed"),
    [
        ([Entry(".wh.f"), Entry("f", content=b"new")], ["d", "f", "s"]),
        ([Entry(".wh.f")], ["d", "s"]),
        ([Entry(".wh.never")], ["d", "f", "s"]),
        ([Entry(".wh..wh..opq")], ["d", "f", "s"]),
        ([Entry(".wh..wh.aufs"), directory(".wh..wh.orph")], ["d", "f", "s"]),
        ([Entry("nope/.wh.a")], ["d", "f", "nope", "s"]),
    ],
    ids=["replaced", "hidden", "never there", "opaque root", "names of aufs", "an implied parent"],
)
def test_whiteouts(upper: list[Entry], listed: list[str]) -> None:
    assert view(LOWER, upper).listdir("/") == listed


@pytest.mark.parametrize("opaque_first", [True, False])
def test_only_new_children_stay_in_an_opaque_directory(*, opaque_first: bool) -> None:
    mark, children = [Entry("d/.wh..wh..opq")], [Entry("d/new"), directory("d/sub"), Entry("d/sub/x")]
    upper = [directory("d"), *(mark + children if opaque_first else children + mark)]
    assert view(LOWER, upper).listdir("/d") == ["new", "sub"]


def test_whiteouts_that_engines_refuse() -> None:
    for entries in ([Entry("x"), Entry(".wh.x")], [Entry(".wh.")], [Entry(".wh..")]):
        refusal(entries)


def test_whiteouts_cost_nothing_and_free_nothing() -> None:
    layer = ls.Layer.from_tar(layer_tar([Entry(".wh.f"), directory("d"), Entry("d/.wh..wh..opq")]))
    assert (layer.size, layer.tar_size) == (0, 0)


def test_extended_attributes_come_from_one_kind_of_record() -> None:
    merged = view([Entry("f", xattrs=(("user.note", b"n"), ("security.capability", b"\x01\x00\x00\x02")))])
    assert merged.listxattr("/f") == ["security.capability", "user.note"]
    assert merged.getxattr("/f", "user.note") == b"n"


def test_opaque_by_attribute_hides_as_the_mark_does() -> None:
    upper = [Entry("d", tarfile.DIRTYPE, mode=0o755, xattrs=(("trusted.overlay.opaque", b"y"),)), Entry("d/n")]
    assert view(LOWER, upper).listdir("/d") == ["n"]


def test_sizes_by_both_rules() -> None:
    layer = ls.Layer.from_tar(
        layer_tar(
            [
                *(Entry("a", content=bytes(1000)), hardlink("b", "a"), hardlink("c", "a")),
                *(directory("d"), symlink("l", "x" * 10), Entry("copy", content=bytes(1000))),
            ]
        )
    )
    assert (layer.size, layer.tar_size) == (2010, 2000)
    links = [symlink(f"l{n}", "t" * 33) for n in range(9)]
    layer = ls.Layer.from_tar(layer_tar([*links, Entry("f", content=b"abc"), hardlink("g", "f")]))
    assert (layer.size, layer.tar_size) == (300, 3)
