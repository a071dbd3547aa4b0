"""Where COPY and ADD put things, whose they become and what they say, by the specification and four engines."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.build.context import Context, select
from layersim.build.copying import CopyOptions, copy_into, make_workdir
from layersim.errors import BuildError
from tests.build.builders import BUILDKIT20, BUILDKIT29, FOUR, LEGACY20, LEGACY29, Builder
from tests.tars import Entry, layer_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path

NOW_NS = 1_900_000_000 * 10**9
BORN_NS = 1_500_000_000 * 10**9
BASE = ls.Layer.from_changes(
    [
        ls.write("/etc/passwd", b"root:x:0:0::/:\napp:x:1000:1001::/:\n"),
        ls.write("/etc/group", b"root:x:0:\nstaff:x:50:\napp:x:1001:\n"),
        ls.mkdir("/dir", mode=0o750, uid=3, gid=4),
        ls.write("/file", b"file"),
        ls.symlink("/todir", "dir"),
        ls.symlink("/dangle", "nowhere"),
    ]
)
SENT = ls.Layer.from_changes(
    [
        ls.write("/f1", b"1", mtime_ns=BORN_NS),
        ls.write("/f2", b"22", mode=0o4755, mtime_ns=BORN_NS),
        ls.mkdir("/d", mode=0o700, mtime_ns=BORN_NS),
        ls.write("/d/x", b"x", mode=0o600, mtime_ns=BORN_NS),
        ls.hardlink("/d/xhard", "/d/x"),
        ls.symlink("/d/lnk", "x", mtime_ns=BORN_NS),
        ls.mkdir("/d/sub", mode=0o2750, mtime_ns=BORN_NS),
        ls.write("/d/sub/k.txt", b"k", mtime_ns=BORN_NS),
        ls.symlink("/lf", "f1"),
        ls.symlink("/ld", "d"),
        ls.write("/a/b/c/f", b"f"),
    ]
)
TREE = ls.View([SENT])


def run(line: str, dialect: Builder, options: CopyOptions | None = None, *, is_stage: bool = False) -> ls.Overlay:
    """Copy the sources to the last word of a line."""
    overlay = ls.Overlay([BASE], clock=lambda: NOW_NS)
    *sources, dest = line.split()
    options = options or CopyOptions()
    chosen = [select(TREE, word, dialect, instruction=options.instruction, from_stage=is_stage) for word in sources]
    copy_into(overlay, chosen, dest, options, dialect=dialect)
    return overlay


def layer(overlay: ls.Overlay) -> dict[str, tuple[str, int, str]]:
    return {e.path: (e.kind, e.mode, f"{e.uid}:{e.gid}") for e in overlay.to_layer()}


PLACES = {
    "f1 /new": {"new": ("file", 0o644, "0:0")},
    "f1 /a/b/c": {"a": ("dir", 0o755, "0:0"), "a/b": ("dir", 0o755, "0:0"), "a/b/c": ("file", 0o644, "0:0")},
    "f1 /a/": {"a": ("dir", 0o755, "0:0"), "a/f1": ("file", 0o644, "0:0")},
    "f1 /dir": {"dir": ("dir", 0o750, "3:4"), "dir/f1": ("file", 0o644, "0:0")},
    "f1 /todir": {"dir": ("dir", 0o750, "3:4"), "dir/f1": ("file", 0o644, "0:0")},
    "f1 /dangle": {"nowhere": ("file", 0o644, "0:0")},
    "f1 /file": {"file": ("file", 0o644, "0:0")},
    "lf /l": {"l": ("file", 0o644, "0:0")},
    "lf /l/": {"l": ("dir", 0o755, "0:0"), "l/lf": ("file", 0o644, "0:0")},
    "ld/x /l": {"l": ("file", 0o600, "0:0")},
    "f1 /a/../b": {"b": ("file", 0o644, "0:0")},
    "f1 .": {"f1": ("file", 0o644, "0:0")},
    "f1 ..": {"f1": ("file", 0o644, "0:0")},
    "f1 /c/d/..": {"c": ("file", 0o644, "0:0")},
    "d/x /c/d/..": {"c": ("file", 0o600, "0:0")},
    "f1 /dir/x/..": {"dir": ("dir", 0o750, "3:4"), "dir/f1": ("file", 0o644, "0:0")},
}


@pytest.mark.parametrize("dialect", FOUR, ids=str)
@pytest.mark.parametrize(("line", "expected"), PLACES.items(), ids=PLACES)
def test_places(line: str, expected: dict[str, tuple[str, int, str]], dialect: Builder) -> None:
    found = {
        path: (kind.replace("directory", "dir").replace("regular", "file"), mode, owner)
        for path, (kind, mode, owner) in layer(run(line, dialect)).items()
    }
    assert found == expected


@pytest.mark.parametrize("dialect", FOUR, ids=str)
def test_a_directory_gives_its_contents_and_not_its_mode(dialect: Builder) -> None:
    overlay = run("d /n/d", dialect)
    assert overlay.listdir("/n/d") == ["lnk", "sub", "x", "xhard"]
    assert [overlay.stat(path).st_mode & 0o7777 for path in ("/n", "/n/d", "/n/d/sub", "/n/d/x")] == [
        0o755,
        0o755,
        0o2750,
        0o600,
    ]
    assert overlay.readlink("/n/d/lnk") == "x"
    assert overlay.stat("/n/d/x").st_ino == overlay.stat("/n/d/xhard").st_ino
    assert overlay.stat("/n/d/x").st_mtime_ns == BORN_NS
    assert overlay.stat("/n").st_mtime_ns == NOW_NS
    assert overlay.stat("/n/d/sub").st_mtime_ns == BORN_NS
    is_new = dialect == BUILDKIT29
    assert overlay.stat("/n/d").st_mtime_ns == (BORN_NS if is_new else NOW_NS)


def test_set_id_bits_survive_in_buildkit_alone() -> None:
    modes = [run("f2 /n", dialect).stat("/n").st_mode & 0o7777 for dialect in FOUR]
    assert modes == [0o755, 0o4755, 0o755, 0o4755]


def test_several_sources_want_a_directory_in_the_legacy_builder() -> None:
    for dialect in (LEGACY20, LEGACY29):
        with pytest.raises(BuildError, match="more than one source file, the destination must be a directory and end"):
            run("f1 f2 /n", dialect)
        for dest in (".", "..", "/dir", "/dir/.", "/dir/.."):
            with pytest.raises(
                BuildError, match="more than one source file, the destination must be a directory and end"
            ):
                run(f"f1 f2 {dest}", dialect)
        assert run("f1 f2 /n/", dialect).listdir("/n") == ["f1", "f2"]
    for dialect in (BUILDKIT20, BUILDKIT29):
        assert run("f1 f2 /n", dialect).read_bytes("/n") == b"22"
        assert run("f1 f2 .", dialect).exists("/f1")
        assert run("f1 f2 /n/x/..", dialect).read_bytes("/n") == b"22"


def test_a_pattern_without_a_match() -> None:
    for dialect in (LEGACY20, LEGACY29):
        with pytest.raises(BuildError, match="COPY failed: no source files were specified"):
            run("no* /n", dialect)
    for dialect in (BUILDKIT20, BUILDKIT29):
        assert len(run("no* /n", dialect).to_layer()) == 0


@pytest.mark.parametrize("dialect", FOUR, ids=str)
def test_a_directory_onto_a_file_is_refused(dialect: Builder) -> None:
    with pytest.raises(BuildError, match="/file"):
        run("d /file", dialect)


OWNERS = [
    ("55", "55:55", "55:55"),
    ("1:2", "1:2", "1:2"),
    ("app", "1000:1001", "1000:1001"),
    ("app:staff", "1000:50", "1000:50"),
    ("55:app", "55:1001", "55:1001"),
    ("nobody", "can't find uid for user nobody: no such user: nobody", "0:0"),
    ("app:nobody", "can't find gid for group nobody: no such group: nobody", "1000:1001"),
    ("nobody:staff", "can't find uid for user nobody: no such user: nobody", "0:50"),
    (":staff", "no such user", "0:50"),
    ("app:", "no such group", "1000:0"),
    ("-1", "0:0", "0:0"),
    ("99999999999", "1215752191:1215752191", "0:0"),
]


@pytest.mark.parametrize(("owner", "legacy", "buildkit"), OWNERS)
def test_owners(owner: str, legacy: str, buildkit: str) -> None:
    for dialect in FOUR:
        expected = legacy if dialect.builder == "legacy" else buildkit
        options = CopyOptions(owner=owner)
        if expected[0].isdigit():
            assert layer(run("f1 /n/f", dialect, options))["n/f"][2] == expected
        else:
            with pytest.raises(BuildError, match=expected):
                run("f1 /n/f", dialect, options)


def test_a_stage_keeps_owners_and_a_context_has_none() -> None:
    view = ls.View([ls.Layer.from_changes([ls.mkdir("/o", uid=7, gid=8), ls.write("/o/f", b"f", uid=5, gid=6)])])
    for dialect in FOUR:
        overlay = ls.Overlay([], clock=lambda: NOW_NS)
        copy_into(overlay, [select(view, "/o", dialect)], "/n", dialect=dialect)
        assert [layer(overlay)[path][2] for path in ("n", "n/f")] == ["0:0", "5:6"]


MODES = [
    ("755", 0o755, 0o755, 0o755),
    ("0640", 0o640, 0o640, 0o640),
    ("4755", 0o755, 0o4755, 0o4755),
    ("u+x,g-r", 0o644, 0o704, 0o2750),
    ("a=rX", 0o644, 0o444, 0o555),
    ("g=u,o+rwX", 0o644, 0o666, 0o2777),
    ("+x,o=", 0o644, 0o750, 0o2750),
    ("u+s,+t", 0o644, 0o5644, 0o7750),
]


@pytest.mark.parametrize(("mode", "old", "new", "new_directory"), MODES)
def test_modes(mode: str, old: int, new: int, new_directory: int) -> None:
    options = CopyOptions(mode=mode)
    for dialect, expected in ((BUILDKIT20, old), (BUILDKIT29, new)):
        assert run("f1 /n", dialect, options).stat("/n").st_mode & 0o7777 == expected
    if mode != "u+x,g-r":
        assert run("d /n", BUILDKIT29, options).stat("/n/sub").st_mode & 0o7777 == new_directory
    with pytest.raises(BuildError, match="the --chmod option requires BuildKit"):
        run("f1 /n", LEGACY29, options)


@pytest.mark.parametrize(
    ("mode", "says"), [("zz", "invalid syntax"), ("999", "between 0 and 07777"), ("10000", "invalid chmod parameter")]
)
def test_modes_that_are_none(mode: str, says: str) -> None:
    with pytest.raises(BuildError, match=says):
        run("f1 /n", BUILDKIT29, CopyOptions(mode=mode))
    assert run("f1 /n", BUILDKIT20, CopyOptions(mode="zz")).stat("/n").st_mode & 0o7777 == 0o644


def test_what_is_excluded_stays_out() -> None:
    options = CopyOptions(exclude=("**/*.txt", "x"))
    overlay = run("d /n", BUILDKIT29, options)
    assert (overlay.listdir("/n"), overlay.listdir("/n/sub")) == (["lnk", "sub", "xhard"], [])
    assert "x" in run("d /n", LEGACY29, options).listdir("/n")


def test_parents_are_kept_from_the_pivot_on() -> None:
    options = CopyOptions(parents=True)
    assert run("a/b/c/f /n", BUILDKIT29, options).exists("/n/a/b/c/f")
    assert run("a/./b/c /n", BUILDKIT29, options).exists("/n/b/c/f")
    assert run("f1 /n", BUILDKIT29, options).listdir("/n") == ["f1"]


TAR = layer_tar(
    [
        Entry("td", tarfile.DIRTYPE, mode=0o700, uid=11, gid=12),
        Entry("td/a", content=b"aa", mode=0o4711, uid=11, gid=12),
        symlink("s", "td/a"),
        Entry("imp/x", content=b"x"),
    ]
)
PACKED = {"plain": TAR, "gzip": gzip.compress(TAR), "bzip2": bz2.compress(TAR), "xz": lzma.compress(TAR)}


@pytest.mark.parametrize("dialect", FOUR, ids=str)
@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_add_extracts_archives_by_their_content(data: bytes, dialect: Builder) -> None:
    context = Context.of({"Dockerfile": "", "t": data}, dialect=dialect)
    for options, is_extracted in ((CopyOptions("ADD"), True), (CopyOptions("COPY"), False)):
        overlay = ls.Overlay([], clock=lambda: NOW_NS)
        copy_into(overlay, [context.select("t")], "/x/t.tgz", options, dialect=dialect)
        assert stat.S_ISDIR(overlay.stat("/x/t.tgz").st_mode) == is_extracted
        if is_extracted:
            assert layer(overlay)["x/t.tgz/td/a"][1:] == (0o4711, "11:12")
            assert overlay.stat("/x/t.tgz/imp").st_mtime_ns == NOW_NS
            assert overlay.stat("/x/t.tgz/td").st_mtime_ns == BORN_NS


ZSTD = base64.b64decode("KLUv/QRolQEAkgIHC9DndA3gXd7WoLkMrerXCi/boR/0vfLfGfpvBQcgcB/6hR9z1PkzcSsRGM5PDgtPhG+t")
"""A tar with the file ``a``."""


@pytest.mark.parametrize("dialect", FOUR, ids=str)
def test_newer_engines_alone_know_zstd(dialect: Builder) -> None:
    context = Context.of({"Dockerfile": "", "t": ZSTD}, dialect=dialect)
    overlay = ls.Overlay([], clock=lambda: NOW_NS)
    copy_into(overlay, [context.select("t")], "/x", CopyOptions("ADD"), dialect=dialect)
    if dialect.generation == 20:
        assert overlay.read_bytes("/x") == ZSTD
    else:
        assert overlay.read_bytes("/x/a") == b"aa"


@pytest.mark.parametrize("dialect", FOUR, ids=str)
@pytest.mark.parametrize(
    "data", [gzip.compress(b"no tar"), b"", bytes(10240), b"text"], ids=["gzip", "", "zeros", "text"]
)
def test_add_copies_what_is_no_archive(data: bytes, dialect: Builder) -> None:
    context = Context.of({"Dockerfile": "", "t": data}, dialect=dialect)
    overlay = ls.Overlay([], clock=lambda: NOW_NS)
    copy_into(overlay, [context.select("t")], "/x", CopyOptions("ADD"), dialect=dialect)
    assert overlay.read_bytes("/x") == data


def test_working_directories_are_the_users_in_buildkit() -> None:
    for dialect in FOUR:
        overlay = ls.Overlay([BASE], clock=lambda: NOW_NS)
        assert make_workdir(overlay, "/w/sub", dialect, user="app")
        assert not make_workdir(overlay, "/todir", dialect, user="app")
        owner = "0:0" if dialect.builder == "legacy" else "1000:1001"
        assert layer(overlay) == dict.fromkeys(("w", "w/sub"), ("directory", 493, owner))
        with pytest.raises(BuildError, match="file"):
            make_workdir(overlay, "/file", dialect)


def test_a_named_pipe_stops_the_legacy_builder() -> None:
    overlay = ls.Overlay([])
    overlay.mknod("/p", stat.S_IFIFO | 0o644)
    view = ls.View([overlay.to_layer()])
    with pytest.raises(BuildError, match="waits for ever"):
        copy_into(overlay, [select(view, "p", LEGACY29)], "/n", dialect=LEGACY29)
    copy_into(overlay, [select(view, "p", BUILDKIT20)], "/n", dialect=BUILDKIT20)
    assert not overlay.exists("/n")
    copy_into(overlay, [select(view, "p", BUILDKIT29)], "/n", dialect=BUILDKIT29)
    assert stat.S_ISFIFO(overlay.stat("/n").st_mode)


@pytest.mark.parametrize(("dialect", "mtime_ns"), [(LEGACY20, NOW_NS), (LEGACY29, NOW_NS), (BUILDKIT29, BORN_NS)])
def test_a_directory_that_the_context_only_implies_is_made_now(dialect: Builder, mtime_ns: int, tmp_path: Path) -> None:
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/e/k").write_text("k")
    (tmp_path / ".dockerignore").write_text("d\n!d/e/k\n")
    for name in ("d/e/k", "d/e", "d"):
        os.utime(tmp_path / name, ns=(BORN_NS, BORN_NS))
    context = Context.of(tmp_path, dockerfile=b"", dialect=dialect)
    overlay = ls.Overlay([], clock=lambda: NOW_NS)
    copy_into(overlay, [context.select("d")], "/o", dialect=dialect)
    assert (overlay.stat("/o/e").st_mtime_ns, overlay.stat("/o/e/k").st_mtime_ns) == (mtime_ns, BORN_NS)
