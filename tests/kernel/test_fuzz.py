"""The fuzzer's seeds of CI, 21,000 operations; and cases that it found, kept as they were shrunk."""

from __future__ import annotations

import os
import runpy
from typing import TYPE_CHECKING

import pytest

from tests.kernel.fuzz.case import Case, run
from tests.kernel.fuzz.shrink import minimal
from tests.tars import Entry, directory, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.fuzz.worker import Worker
    from tests.kernel.operations import Operation

SEEDS, OPERATIONS_A_SEED = 105, 200

F = Entry("f", content=b"low")
FOUND: dict[str, tuple[list[list[Entry]], list[Operation]]] = {
    "the fourth way to open copies nothing up": ([[F]], [("open", "/f", 3), ("hold", 0, "/f", 3), ("seek", 0, 2, 0)]),
    "and is neither for reading nor for writing": (
        [[F]],
        [("hold", 0, "/f", 3), ("pread", 0, 1, 0), ("pwrite", 0, b"x", 0), ("ftruncate", 0, 1), ("fstat", 0)],
    ),
    "it is none on a directory": ([[directory("d")]], [("open", "/d", 3)]),
    "it cuts": ([[F]], [("open", "/f", 3 | os.O_TRUNC), ("read", "/f")]),
    "a capability is checked before anything is copied up": (
        [[F]],
        [
            ("setxattr_at", "/f", "security.capability", b"none", 0, 1),
            ("setxattr_at", "/none", "security.capability", b"none", 0, 1),
            ("lstat", "/f"),
        ],
    ),
    "only two revisions are capabilities": (
        [[Entry("g")]],
        [
            ("setxattr_at", "/g", "security.capability", b"\x01\x00\x00\x02" + bytes(20), 0, 1),
            ("setxattr_at", "/g", "security.capability", b"\x02\x00\x00\x02" + bytes(16), 0, 1),
        ],
    ),
    "an attribute's name is asked of the file system above": ([[F]], [("setxattr_at", "/f", "user.", b"x", 1, 1)]),
    "so is its namespace": (
        [[F, directory("d")]],
        [("setxattr_at", path, "none.x", b"x", 0, 1) for path in ("/f", "/d")],
    ),
    "a name is looked at before a path": (
        [[F]],
        [
            ("removexattr_at", "/" * 5000, "", 1),
            ("getxattr_at", "/" * 5000, "", 1),
            ("setxattr_at", "/" * 5000, "user.k", b"x", 9, 1),
            ("setxattr_at", "/" * 5000, "user.k", bytes(1 << 17), 0, 1),
            ("setxattr_at", "/" * 5000, "user.k", b"x", 0, 1),
        ],
    ),
    "so are flags": (
        [[F]],
        [("open", path, os.O_CREAT | os.O_DIRECTORY) for path in ("/" * 5000, "", "/none/f", "/f")],
    ),
    "a commit is extracted: times before 1970 stay on links alone": (
        [[F, symlink("s", "f"), directory("d")]],
        [*(("utime_at", path, 0, -1, 0) for path in ("/f", "/s", "/d")), ("commit",), ("lstat", "/f")],
    ),
}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_ends_alike_on_both_sides(seed: int, worker: Worker) -> None:
    run(Case.of_seed(seed, OPERATIONS_A_SEED), worker)


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_found(name: str, worker: Worker) -> None:
    run(Case(*FOUND[name]), worker)


def test_a_small_part_is_found() -> None:
    assert minimal(range(100), lambda kept: {3, 50, 97} <= set(kept)) == [3, 50, 97]
    assert minimal([1], lambda _: True) == []


def test_a_case_is_told_as_python(tmp_path: Path) -> None:
    case = Case.of_seed(3, 20)
    (tmp_path / "told.py").write_text(str(case), "utf-8")
    told = runpy.run_path(str(tmp_path / "told.py"), {"Entry": Entry})
    assert Case(told["LAYERS"], told["OPERATIONS"]) == case
