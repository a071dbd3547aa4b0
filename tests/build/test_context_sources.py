"""Contexts of every source, what their words select, and keys of what they select."""

from __future__ import annotations

import gzip
import os
import socket
import stat
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.build.context import Context, content_checksum, select
from layersim.build.context.remote import check_word
from layersim.errors import BuildError
from tests.build.builders import BUILDKIT20, BUILDKIT29, FOUR, LEGACY20, LEGACY29, Builder
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from pathlib import Path

FILES: dict[str, bytes | str] = {"Dockerfile": "FROM scratch\n", "f1": "1", "f2": b"2", "d/x": "x", "d/e/y.t": "y"}


def names(context: Context, word: str) -> list[str]:
    return [source.path for source in context.select(word).sources]


@pytest.mark.parametrize("dialect", FOUR, ids=str)
def test_a_mapping_is_a_context(dialect: Builder) -> None:
    context = Context.of({**FILES, ".dockerignore": "f2\n"}, dialect=dialect)
    assert context.dockerfile == b"FROM scratch\n"
    assert context.view.read_bytes("d/x") == b"x"
    assert [context.view.stat(path).st_mode for path in ("d", "f1")] == [0o40755, 0o100644]
    assert "f2" not in context.view


def test_a_mapping_holds_paths_and_contents() -> None:
    context = Context.of({"./Dockerfile": b"FROM x\n", "a//b/../c": "c"}, dialect=BUILDKIT29)
    assert context.dockerfile == b"FROM x\n"
    assert context.view.read_bytes("a/c") == b"c"
    for name in ("../f", "/", ".", "a/../../f"):
        with pytest.raises(BuildError, match="is no path of a file below its root"):
            Context.of({name: "f"}, dialect=BUILDKIT29)
    odd: Any
    for odd in (1, None, 1.5, ["f"]):
        with pytest.raises(TypeError, match=r"context: expected str or bytes by path, got .* for 'f'"):
            Context.of({"f": odd}, dialect=BUILDKIT29)


def test_a_dockerfile_may_lie_outside_or_be_given(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"FROM own\n")
    assert Context.of({}, dockerfile=str(tmp_path / "own"), dialect=BUILDKIT29).dockerfile == b"FROM own\n"
    assert Context.of({}, dockerfile=b"FROM x\n", dialect=BUILDKIT29).dockerfile == b"FROM x\n"
    assert Context.of({"dockerfile": "FROM y\n"}, dialect=BUILDKIT29).dockerfile == b"FROM y\n"
    with pytest.raises(BuildError, match="open no: no such file"):
        Context.of({}, dockerfile="no", dialect=BUILDKIT29)


def test_a_tar_keeps_owners_and_what_its_dockerignore_names() -> None:
    entries = [Entry("Dockerfile", content=b"FROM x\n"), Entry(".dockerignore", content=b"f\nDockerfile\n")]
    tar = layer_tar([*entries, Entry("f", content=b"f", uid=7, gid=8)])
    for data in (tar, gzip.compress(tar)):
        legacy, buildkit = (Context.of(data, dialect=dialect) for dialect in (LEGACY20, BUILDKIT29))
        assert buildkit.view.listdir("/") == [".dockerignore", "Dockerfile", "f"]
        assert legacy.view.listdir("/") == [".dockerignore", "f"]
        assert (buildkit.view.stat("f").st_uid, legacy.dockerfile) == (7, b"FROM x\n")


def test_a_directory_is_described_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "f").write_text("f")
    (tmp_path / "hard").hardlink_to(tmp_path / "f")
    (tmp_path / "out").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "sock"))
        context = Context.of(tmp_path, dialect=BUILDKIT29)
    os.utime(tmp_path / "f", ns=(5, 1_500_000_000_000_000_007))
    again = Context.of(tmp_path, dialect=BUILDKIT29)
    assert context.view.listdir("/") == ["Dockerfile", "f", "fifo", "hard", "out"]
    assert context.view.stat("f").st_nlink == 2
    assert context.view.readlink("out") == "/etc/passwd"
    assert again.tree.lstat("f").st_mtime_ns == 1_500_000_000_000_000_007
    with pytest.raises(BuildError, match="not found"):
        context.select("out")


def test_what_vanishes_is_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "f").write_text("f")
    context = Context.of(tmp_path, dialect=BUILDKIT29)
    (tmp_path / "f").unlink()
    with pytest.raises(BuildError, match="/f"):
        context.checksum(["f"])
    with pytest.raises(BuildError, match="'f'"):
        context.tree.read_bytes("f")


SELECTED = [
    ("f1", ["f1"]),
    ("/f1", ["f1"]),
    ("d/../f1", ["f1"]),
    ("f?", ["f1", "f2"]),
    ("*/*", ["d/e", "d/x"]),
    ("d/*/*.t", ["d/e/y.t"]),
    ("[^d]1", ["f1"]),
    (".", [""]),
    ("d/", ["d"]),
]


@pytest.mark.parametrize("dialect", FOUR, ids=str)
@pytest.mark.parametrize(("word", "expected"), SELECTED)
def test_words_select(word: str, expected: list[str], dialect: Builder) -> None:
    assert names(Context.of(FILES, dialect=dialect), word) == expected


def test_the_way_out_of_the_context() -> None:
    for dialect in (BUILDKIT20, BUILDKIT29):
        assert names(Context.of(FILES, dialect=dialect), "../../f1") == ["f1"]
    for dialect in (LEGACY20, LEGACY29):
        with pytest.raises(BuildError, match=r"COPY failed: forbidden path outside the build context: \.\./f1"):
            Context.of(FILES, dialect=dialect).select("../f1")


def test_a_word_that_names_no_file_of_the_context() -> None:
    for dialect in FOUR:
        with pytest.raises(BuildError, match="source can't be a URL for COPY"):
            check_word("https://example.org/x", "COPY", dialect)
        check_word("https://example.org/x", "ADD", dialect)
    for word in ("git@example.org:a/b.git", "https://example.org/b.git#main", "ssh://git@h/b", "git://h/b"):
        check_word(word, "ADD", BUILDKIT20)
        with pytest.raises(BuildError, match=r"ADD of .* clones a git repository, and there is no network"):
            check_word(word, "ADD", BUILDKIT29)
    with pytest.raises(BuildError, match="source can't be a git ref for COPY"):
        check_word("git@example.org:a/b.git", "COPY", BUILDKIT29)


def test_a_stage_is_selected_from_in_the_same_way() -> None:
    view = ls.View([ls.Layer.from_changes([ls.write("/o/f", b"f"), ls.symlink("/l", "../../o")])])
    found = select(view, "l/f", BUILDKIT29)
    assert [(source.path, source.name) for source in found.sources] == [("o/f", "f")]
    assert found.keeps_owner


CHANGES = {
    "nothing": (ls.write("/d/x", b"x", mode=0o644), False),
    "time": (ls.write("/d/x", b"x", mtime_ns=10**18), False),
    "content": (ls.write("/d/x", b"y"), True),
    "mode": (ls.write("/d/x", b"x", mode=0o600), True),
    "owner": (ls.write("/d/x", b"x", uid=1), True),
    "group": (ls.write("/d/x", b"x", gid=1), True),
    "name": (ls.write("/d/z", b"x"), True),
    "capability": (ls.write("/d/x", b"x", xattrs={"security.capability": b"c"}), True),
    "another attribute": (ls.write("/d/x", b"x", xattrs={"user.a": b"c"}), True),
    "an attribute that does not count": (ls.write("/d/x", b"x", xattrs={"security.a": b"c"}), False),
    "mode of the directory": (ls.mkdir("/d", mode=0o700), True),
    "owner of the directory": (ls.mkdir("/d", uid=3), True),
    "type": (ls.symlink("/d/x", "x"), True),
}


@pytest.mark.parametrize(("edit", "is_changed"), CHANGES.values(), ids=CHANGES)
def test_what_a_content_key_depends_on(edit: ls.Edit, *, is_changed: bool) -> None:
    before = ls.View([ls.Layer.from_changes([ls.mkdir("/d", mode=0o755), ls.write("/d/x", b"x")])])
    base = ls.Layer.from_changes([ls.mkdir("/d", mode=0o755, mtime_ns=10**18), ls.write("/d/x", b"x")])
    after = ls.View([base, ls.Layer.from_changes([*([ls.remove("/d/x")] if "z" in edit.path else []), edit])])
    one, other = (content_checksum([select(view, "d", BUILDKIT29)], BUILDKIT29) for view in (before, after))
    assert (one != other) == is_changed


@pytest.mark.parametrize("edit", [ls.write("/d/x", b"x", uid=1), ls.mkdir("/d", gid=4)])
def test_owners_do_not_count_for_20(edit: ls.Edit) -> None:
    before = ls.Layer.from_changes([ls.mkdir("/d"), ls.write("/d/x", b"x")])
    views = (ls.View([before]), ls.View([before, ls.Layer.from_changes([edit])]))
    assert len({content_checksum([select(view, "d", BUILDKIT20)], BUILDKIT20) for view in views}) == 1


def test_the_numbers_of_a_device_count_for_20_alone() -> None:
    def device(minor: int) -> ls.View:
        fs = ls.Overlay([])
        fs.mknod("/null", stat.S_IFCHR | 0o666, os.makedev(1, minor))
        return ls.View([fs.to_layer()])

    for dialect, count in ((BUILDKIT20, 2), (BUILDKIT29, 1)):
        keys = {content_checksum([select(device(minor), "null", dialect)], dialect) for minor in (3, 5)}
        assert len(keys) == count
