"""Mounts with `redirect_dir=on`: directories of the layers are renamed, and the upper notes it as the kernel's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.kernel.agreement import Pair
from tests.kernel.mount import REDIRECT
from tests.kernel.random_operations import Sequence, lower_layers
from tests.kernel.states import STATES, lower_layer, preparation, within
from tests.kernel.test_matrix import OPERATIONS
from tests.kernel.test_precedence import ROWS, lower
from tests.tars import Entry, directory, hardlink, layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

    Mount = Callable[..., KernelOverlay]

ROUNDS, OPERATIONS_A_ROUND = 5, 60
OFTEN = 40
"""The weight of renames among the random operations."""


def drive(pair: Pair, operations: list[Operation]) -> None:
    """Carry out the operations in rounds, comparing what is left after each."""
    for start in range(0, len(operations), OPERATIONS_A_ROUND):
        pair.agree(operations[start : start + OPERATIONS_A_ROUND])
        pair.same_end()


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "rename" in name or "mkdir" in name])
def test_an_operation_ends_alike_in_every_state(name: str, overlay_mount: Mount) -> None:
    pair = Pair.over(overlay_mount([lower_layer()], redirect_dir=True))
    pair.agree(preparation())
    pair.agree([within(state, operation) for state in STATES for operation in OPERATIONS[name]])
    pair.same_end()


@pytest.mark.parametrize("row", ["renaming", "rename of a dot", "the root", "trailing slash"])
def test_the_same_error_wins(row: str, overlay_mount: Mount) -> None:
    pair = Pair.over(overlay_mount([lower()], redirect_dir=True))
    pair.agree([("mkdir", "/u"), *ROWS[row]])
    pair.same_end()


@pytest.mark.parametrize("seed", range(400, 412))
def test_paths(seed: int, overlay_mount: Mount) -> None:
    source = Sequence(seed, OFTEN)
    pair = Pair.over(overlay_mount(lower_layers(), redirect_dir=True))
    drive(pair, [source.operation() for _ in range(ROUNDS * OPERATIONS_A_ROUND)])


@pytest.mark.parametrize("seed", range(500, 506))
def test_handles_survive_renames_of_their_directories(seed: int, overlay_mount: Mount) -> None:
    source = Sequence(seed, OFTEN)
    operations = [
        source.handle_operation() if source.rng.random() < 0.4 else source.operation()
        for _ in range(ROUNDS * OPERATIONS_A_ROUND)
    ]
    drive(Pair.over(overlay_mount(lower_layers(), redirect_dir=True)), operations)


TREE = layer_tar(
    [
        *(directory(path) for path in ("a", "a/b", "a/b/c", "e", "p", "p/q")),
        *(Entry(path, content=path.encode()) for path in ("a/f", "a/b/g", "a/b/c/h", "p/q/r")),
        hardlink("a/b/linked", "a/f"),
    ]
)
MOVES: dict[str, list[Operation]] = {
    "within its parent": [("rename", "/a", "/x"), ("getxattr", "/x", REDIRECT), ("listxattr", "/x"), ("lstat", "/x")],
    "to another parent": [("rename", "/a", "/p/x"), ("listdir", "/p/x"), ("lstat", "/p/x/b")],
    "twice within its parent": [("rename", "/a", "/x"), ("rename", "/x", "/y")],
    "within its parent, then out of it": [("rename", "/a", "/x"), ("rename", "/x", "/p/y")],
    "out of its parent, then within the other": [("rename", "/a", "/p/x"), ("rename", "/p/x", "/p/y")],
    "back to its own name": [("rename", "/a", "/x"), ("rename", "/x", "/a")],
    "back from another parent": [("rename", "/a/b", "/x"), ("rename", "/x", "/a/b"), ("write", "/a/b/g", 0, b"+")],
    "within a renamed parent": [("rename", "/a", "/x"), ("rename", "/x/b", "/x/y")],
    "out of a renamed parent": [("rename", "/a", "/x"), ("rename", "/x/b", "/y"), ("rename", "/y/c", "/p/c")],
    "before its parent": [("rename", "/a/b", "/a/y"), ("rename", "/a", "/x"), ("rename", "/x/y", "/z")],
    "an upper directory into it": [("rename", "/a", "/x"), ("mkdir", "/n"), ("rename", "/n", "/x/n")],
    "into an upper directory": [("mkdir", "/n"), ("rename", "/a", "/n/a"), ("mkdir", "/n/a/new"), ("unlink", "/n/a/f")],
    "over an empty directory": [("rename", "/a", "/e"), ("listdir", "/e"), ("rename", "/e", "/a")],
    "over a directory that looks empty": [("unlink", "/p/q/r"), ("rename", "/a", "/p/q"), ("listdir", "/p/q")],
    "over a full directory": [("rename", "/a", "/p"), ("rename", "/a/b", "/p")],
    "over a full upper directory": [
        ("mkdir", "/n"),
        ("mkdir", "/n/i"),
        ("rename", "/a", "/n"),
        ("rename", "/p/q", "/n"),
    ],
    "over a full upper directory elsewhere": [("mkdir", "/e/n"), ("mkdir", "/e/n/i"), ("rename", "/a/b", "/e/n")],
    "over a file": [("rename", "/a", "/p/q/r"), ("rename", "/a/f", "/p/q")],
    "below itself": [("rename", "/a", "/x"), ("rename", "/x", "/x/b/y"), ("rename", "/x/b/c", "/x/b")],
    "removed": [("unlink", "/p/q/r"), ("rename", "/p/q", "/q"), ("rmdir", "/q"), ("rmdir", "/p")],
    "its place taken": [("rename", "/a", "/x"), ("mkdir", "/a"), ("mkdir", "/a/b"), ("rename", "/x/b", "/a/b")],
    "its place taken by another": [("rename", "/a", "/x"), ("rename", "/p", "/a"), ("rename", "/x", "/p")],
    "a ring": [("rename", "/a/b", "/t"), ("rename", "/p/q", "/a/b"), ("rename", "/t", "/p/q"), ("rename", "/a", "/e")],
    "an opaque one": [("unlink", "/p/q/r"), ("rmdir", "/p/q"), ("mkdir", "/p/q"), ("rename", "/p/q", "/q")],
    "writes below": [
        ("rename", "/a", "/x"),
        ("write", "/x/b/c/h", os.O_APPEND, b"+"),
        ("link", "/x/f", "/p/l"),
        ("lstat", "/x/b/linked"),
        ("chmod", "/x/b", 0o700),
        ("setxattr", "/x/b/c", "user.k", b"v"),
        ("unlink", "/x/b/g"),
        ("rename", "/x/f", "/x/f2"),
    ],
    "open files": [
        ("hold", 0, "/a/f", os.O_RDONLY),
        ("hold", 1, "/a/b/g", os.O_RDONLY),
        ("rename", "/a", "/x"),
        ("rename", "/x/b", "/y"),
        ("write", "/x/f", os.O_APPEND, b" more"),
        ("write", "/y/g", os.O_TRUNC, b"new"),
        ("pread", 0, 100, 0),
        ("pread", 1, 100, 0),
        ("fstat", 0),
        ("unlink", "/y/g"),
        ("pread", 1, 100, 0),
        ("write", "/a", os.O_CREAT, b"other"),
        ("hold", 2, "/x/f", os.O_RDONLY),
        ("pread", 2, 100, 0),
    ],
    "an open directory of both": [
        ("mkdir", "/a/n"),
        ("hold", 0, "/a", os.O_RDONLY),
        ("rename", "/a", "/p/x"),
        ("fstat", 0),
        ("chmod", "/p/x", 0o700),
        ("fstat", 0),
    ],
    "open directories": [
        ("hold", 0, "/a", os.O_RDONLY),
        ("hold", 1, "/a/b", os.O_RDONLY),
        ("hold", 2, "/a/b/c", os.O_RDONLY),
        ("rename", "/a", "/x"),
        ("rename", "/x/b/c", "/c"),
        *(("fstat", slot) for slot in range(3)),
        *(("chmod", path, 0o700) for path in ("/x", "/x/b", "/c")),
        *(("fstat", slot) for slot in range(3)),
    ],
}


@pytest.mark.parametrize("name", MOVES)
def test_a_directory_is_renamed(name: str, overlay_mount: Mount) -> None:
    pair = Pair.over(
        overlay_mount([TREE, layer_tar([directory("a/b"), Entry("a/b/over", content=b"2")])], redirect_dir=True)
    )
    drive(pair, MOVES[name])


@pytest.mark.parametrize("length", [254, 255, 256, 257])
def test_a_note_of_where_it_was_is_not_too_long(length: int, overlay_mount: Mount) -> None:
    above, name = "n" * 120, "m" * (length - 122)
    pair = Pair.over(overlay_mount([layer_tar([directory(above), directory(f"{above}/{name}")])], redirect_dir=True))
    pair.agree([("mkdir", "/u"), ("rename", f"/{above}/{name}", "/x"), ("rename", f"/{above}/{name}", f"/{above}/y")])
    pair.agree([("rename", f"/{above}", "/z"), ("rename", "/z/y", "/x"), ("rename", "/z/y", "/u"), ("mkdir", "/u/i")])
    pair.same_end()


def test_a_name_of_any_length_is_noted_in_its_parent(overlay_mount: Mount) -> None:
    name = "n" * 255
    pair = Pair.over(overlay_mount([layer_tar([directory("p"), directory(f"p/{name}")])], redirect_dir=True))
    pair.agree([("rename", f"/p/{name}", "/x"), ("rename", f"/p/{name}", "/p/x"), ("rename", "/p/x", "/x")])
    pair.agree([("mkdir", "/u"), ("mkdir", "/u/i"), ("rename", "/p/x", "/u"), ("rename", "/p", "/q")])
    pair.same_end()
