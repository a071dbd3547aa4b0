"""One set of archives under three engines: figures side by side, and a reason wherever they differ."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import layersim as ls
from tests.engine.archives import ImageSpec, docker_archive
from tests.tars import Entry, layer_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.analysis import ComparisonRow

BASE = layer_tar([Entry("base", content=b"b" * 1000)])
APP = layer_tar([Entry("app", content=b"a" * 10), symlink("link", "t" * 33)])
ARCHIVE = docker_archive([ImageSpec((BASE,), ("base:1",)), ImageSpec((BASE, APP), ("app:1",))])


def figures(subject: str) -> dict[str, ComparisonRow]:
    return {row.figure: row for row in ls.compare_profiles(ARCHIVE) if row.subject == subject}


def test_sizes_are_those_of_each_rule() -> None:
    size = figures("app:1")["size"]
    assert (size.docker20, size.overlay2) == ("1043", "1043")
    packed = int(figures("app:1")["content size"].containerd)
    # Two layers of a root and one file each, and a link that the inode holds.
    assert int(size.containerd) == packed + 2 * 8192


def test_what_agrees_has_no_reason_and_what_differs_has_one() -> None:
    rows = ls.compare_profiles([ARCHIVE])
    assert len(rows) == 2 * 5 + 3
    for row in rows:
        assert bool(row.reason) == (len({row.docker20, row.overlay2, row.containerd}) > 1), row


def test_reclaimable_follows_three_formulas() -> None:
    row = figures("all images")["reclaimable"]
    assert (row.docker20, row.overlay2) == ("1043", "43")
    assert "29.4" in row.reason


def test_it_takes_what_an_engine_loads(tmp_path: Path) -> None:
    path = tmp_path / "images.tar"
    path.write_bytes(ARCHIVE)
    expected = list(ls.compare_profiles(ARCHIVE))
    with path.open("rb") as file:
        for archives in (path, str(path), bytearray(ARCHIVE), memoryview(ARCHIVE), io.BytesIO(ARCHIVE), file):
            assert list(ls.compare_profiles(archives)) == expected
    assert list(ls.compare_profiles(archive for archive in (ARCHIVE, path))) == expected


def subjects(*archives: Path | bytes | io.BytesIO) -> list[str]:
    return list(dict.fromkeys(row.subject for row in ls.compare_profiles(archives)))


def test_images_that_came_with_one_tag_are_told_apart(tmp_path: Path) -> None:
    old, new = ([ImageSpec((layer,), ("app:1",))] for layer in (BASE, APP))
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    first.write_bytes(docker_archive(old))
    second.write_bytes(docker_archive(new))
    assert subjects(first, second) == [f"app:1 of {first}", f"app:1 of {second}", "all images"]
    assert subjects(second, second) == ["app:1", "all images"]
    unnamed = subjects(first.read_bytes(), io.BytesIO(second.read_bytes()))
    assert unnamed == ["app:1 of archive 1", "app:1 of archive 2", "all images"]


def test_a_tag_that_moved_within_an_archive_names_the_last_image() -> None:
    specs = [ImageSpec((layer,), ("app:1",)) for layer in (BASE, APP)]
    assert subjects(docker_archive(specs)) == [specs[0].image_id, "app:1", "all images"]


def test_text_is_for_people_and_values_are_exact() -> None:
    table = ls.compare_profiles(ARCHIVE)
    assert "1.04kB" in str(table) or "1.043kB" in str(table)
    assert "1043" in table.text(human=False)
