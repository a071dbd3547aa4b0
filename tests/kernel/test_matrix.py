"""overlay.md section 5: every operation on every state of a path, against the kernel itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.kernel.agreement import Pair
from tests.kernel.states import STATES, lower_layer, preparation, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

OPERATIONS: dict[str, list[Operation]] = {
    "lstat": [("lstat", "x")],
    "stat": [("stat", "x")],
    "open for reading": [("read", "x")],
    "open for writing": [("open", "x", os.O_WRONLY)],
    "append": [("write", "x", os.O_APPEND, b"more")],
    "open and truncate": [("open", "x", os.O_RDWR | os.O_TRUNC)],
    "read-only truncate": [("open", "x", os.O_RDONLY | os.O_TRUNC)],
    "open or create": [("open", "x", os.O_CREAT | os.O_WRONLY)],
    "open or create for reading": [("open", "x", os.O_CREAT | os.O_RDONLY)],
    "create": [("open", "x", os.O_CREAT | os.O_EXCL | os.O_WRONLY)],
    "open directory": [("open", "x", os.O_DIRECTORY)],
    "open without following": [("open", "x", os.O_NOFOLLOW)],
    "listdir": [("listdir", "x")],
    "readlink": [("readlink", "x")],
    "truncate": [("truncate", "x", 1)],
    "truncate to the same size": [("truncate", "x", 3)],
    "truncate longer": [("truncate", "x", 100_000)],
    "truncate below nothing": [("truncate", "x", -1)],
    "unlink": [("unlink", "x")],
    "rmdir": [("rmdir", "x")],
    "mkdir": [("mkdir", "x")],
    "mkfifo": [("mkfifo", "x")],
    "make a whiteout": [("mknod", "x", 0o020000, 0)],
    "symlink": [("symlink", "target", "x")],
    "link to a new name": [("link", "x", "y"), ("lstat", "x"), ("lstat", "y")],
    "link a lower file to it": [("link", "lowf", "x"), ("lstat", "lowf")],
    "link it to itself": [("link", "x", "x")],
    "rename to a new name": [("rename", "x", "y")],
    "rename to itself": [("rename", "x", "x")],
    "rename there and back": [("rename", "x", "y"), ("rename", "y", "x")],
    "rename a lower file over it": [("rename", "lowf", "x")],
    "rename an upper file over it": [("rename", "upf", "x")],
    "rename an upper directory over it": [("rename", "upd", "x")],
    "rename a filled directory over it": [("rename", "upm", "x")],
    "rename a lower directory over it": [("rename", "lowd", "x")],
    "rename it over a lower file": [("rename", "x", "lowf")],
    "rename it over a lower directory": [("rename", "x", "lowd")],
    "rename it over an upper directory": [("rename", "x", "upd")],
    "rename it below itself": [("rename", "x", "x/y")],
    "chmod": [("chmod", "x", 0o600)],
    "chmod to the same mode": [("chmod", "x", 0o644)],
    "chown": [("chown", "x", 5, 6)],
    "chown to nobody new": [("chown", "x", -1, -1)],
    "lchown": [("lchown", "x", 5, 6)],
    "utime": [("utime", "x", 77)],
    "utime without following": [("lutime", "x", 77)],
    "setxattr": [("setxattr", "x", "user.k", b"v"), ("listxattr", "x"), ("getxattr", "x", "user.k")],
    "removexattr of a missing name": [("removexattr", "x", "user.k")],
    "create below it": [("open", "x/c", os.O_CREAT | os.O_WRONLY)],
    "mkdir below it": [("mkdir", "x/c"), ("rmdir", "x/c")],
    "unlink below it": [("unlink", "x/a")],
    "chmod below it": [("chmod", "x/a", 0o600)],
    "unlink with a slash": [("unlink", "x/")],
    "rmdir with a slash": [("rmdir", "x/")],
    "mkdir with a slash": [("mkdir", "x/")],
    "create with a slash": [("open", "x/", os.O_CREAT | os.O_WRONLY)],
    "lstat with a slash": [("lstat", "x/")],
    "rename with a slash": [("rename", "x/", "y")],
    "rename to a slash": [("rename", "x", "y/")],
    "link with a slash": [("link", "x", "y/")],
    "symlink with a slash": [("symlink", "t", "x/")],
    "the directory itself": [("rmdir", "x/."), ("unlink", "x/."), ("mkdir", "x/."), ("rename", "x/.", "y")],
    "the parent": [("rmdir", "x/.."), ("unlink", "x/.."), ("rename", "x/..", "y"), ("lstat", "x/../lowf")],
    "remove and make again": [("unlink", "x"), ("rmdir", "x"), ("mkdir", "x"), ("mkdir", "x/n"), ("rmdir", "x/n")],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_ends_alike_in_every_state(
    name: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]
) -> None:
    pair = Pair.over(overlay_mount([lower_layer()]))
    pair.agree(preparation())
    pair.same_end()
    pair.agree([within(state, operation) for state in STATES for operation in OPERATIONS[name]])
    pair.same_end()
