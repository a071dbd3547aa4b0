"""One set of archives under three engines: figures side by side, and a reason wherever they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import layersim as ls
from tests.engine.archives import ImageSpec, docker_archive
from tests.tars import Entry, layer_tar, symlink

if TYPE_CHECKING:
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


def test_text_is_for_people_and_values_are_exact() -> None:
    table = ls.compare_profiles(ARCHIVE)
    assert "1.04kB" in str(table) or "1.043kB" in str(table)
    assert "1043" in table.text(human=False)
