"""overlay.md section 6: a union without an upper directory, every operation on every state and at random."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.testing import differences
from tests.kernel.agreement import Pair
from tests.kernel.operations import Session
from tests.kernel.random_operations import Sequence, lower_layers
from tests.kernel.states import STATES, lower_layer, preparation, within
from tests.kernel.test_matrix import OPERATIONS
from tests.kernel.test_precedence import ROWS, lower
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

    Mount = Callable[..., KernelOverlay]

HANDLES: list[Operation] = [
    ("hold", 0, "x", os.O_RDONLY),
    ("pwrite", 0, b"new", 0),
    ("write_on", 0, b""),
    ("ftruncate", 0, 1),
    ("pread", 0, 10, 0),
    ("fstat", 0),
    ("hold", 1, "x", os.O_RDWR),
    ("hold", 1, "x", os.O_RDONLY | os.O_APPEND),
    ("hold", 1, "x", os.O_CREAT | os.O_RDONLY | os.O_EXCL | os.O_TRUNC),
    ("hold", 1, "x", os.O_PATH | os.O_TRUNC | os.O_WRONLY),
    ("hold", 1, "x/c", os.O_CREAT | os.O_RDONLY),
    ("release", 0),
    ("release", 1),
]

MORE: dict[str, list[Operation]] = {
    "handles": HANDLES,
    "truncate and create": [("open", "x", os.O_CREAT | os.O_TRUNC), ("open", "x", os.O_CREAT | os.O_TRUNC | os.O_RDWR)],
    "a directory to be written": [
        ("open", "x", os.O_DIRECTORY | os.O_RDWR),
        ("open", "x", os.O_DIRECTORY | os.O_TRUNC),
    ],
    "a whiteout": [("mknod", "x", 0o020000, 0), ("mknod", "x/c", 0o020000, 0), ("mknod", "x", 0o040000, 0)],
    "attributes": [
        ("setxattr", "x", "user.k", b"v", os.XATTR_REPLACE),
        ("setxattr", "x", "nameless", b"v"),
        ("setxattr", "x", "user.k", b"v", 4),
        ("removexattr", "x", "nameless"),
        ("getxattr", "x", "user.k"),
    ],
}


def same(pair: Pair) -> None:
    """Compare what can be seen; nothing was written."""
    assert differences(snapshot(Disk(pair.kernel.merged)), snapshot(pair.ours)) == []
    fs = pair.ours
    assert (fs.read_only, fs.size_rw, fs.allocated_rw, fs.changes(), fs.upper()) == (True, 0, 0, [], None)
    assert list(fs.to_layer()) == []
    with pytest.raises(FileNotFoundError):
        fs.upper_lstat("/")


def layers_of_all_states() -> list[bytes]:
    """Return two layers whose union has a directory for each state."""
    base = lower_layer()
    fs = ls.Overlay([ls.Layer.from_tar(base)], clock=lambda: 10**18)
    session = Session(fs)
    for operation in preparation():
        session.perform(operation)
    return [base, fs.to_layer().tar_bytes()]


def test_every_operation_ends_alike_in_every_state(overlay_mount: Mount) -> None:
    pair = Pair.over(overlay_mount(layers_of_all_states(), read_only=True))
    for operations in (OPERATIONS | MORE).values():
        pair.agree([within(state, operation) for state in STATES for operation in operations])
    same(pair)


def test_the_same_error_wins(overlay_mount: Mount) -> None:
    pair = Pair.over(overlay_mount([lower()], read_only=True))
    for operations in ROWS.values():
        pair.agree([("mkdir", "/u"), *operations])
    same(pair)


@pytest.mark.parametrize("seed", range(300, 310))
def test_random_sequences(seed: int, overlay_mount: Mount) -> None:
    source = Sequence(seed)
    pair = Pair.over(overlay_mount(lower_layers(), read_only=True))
    pair.agree([source.handle_operation() if source.rng.random() < 0.3 else source.operation() for _ in range(300)])
    same(pair)


def test_copies_and_earlier_states_stay_read_only() -> None:
    view = ls.View([ls.Layer.from_changes([ls.write("/f", b"1")])])
    fs = ls.Overlay(view, read_only=True)
    before = fs.snapshot()
    fs.rollback(before)
    writable = ls.Overlay(view)
    writable.write_bytes("/g", b"2")
    with pytest.raises(ValueError, match="mounted otherwise"):
        fs.rollback(writable.snapshot())
    for copy in (fs, fs.fork()):
        with pytest.raises(OSError, match="Read-only file system") as caught:
            copy.unlink("/none")
        assert (caught.value.errno, copy.read_only, copy.read_bytes("/f")) == (errno.EROFS, True, b"1")
    assert (repr(fs), ls.Overlay(view).read_only) == ("Overlay(1 layers, read-only)", False)
