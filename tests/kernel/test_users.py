"""Everything that somebody may do to a path, for six users and many modes and owners, against the kernel itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.kernel.agreement import Pair
from tests.kernel.users import USERS, cases, lower_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

SHARE, SLOW_SHARE = 47, 11
"""One case in so many is tried, where all of them would take minutes; no modulus of the axes."""

CAPABILITY = b"\x01\x00\x00\x02\x00\x20\x00\x00" + bytes(12)
UNKNOWN = os.makedev(239, 1)
READ, WRITE, BOTH, CREATE = os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_CREAT

OPERATIONS: dict[str, list[Operation]] = {
    "asking": [
        *[(name, "p/x") for name in ("lstat", "stat", "readlink", "listdir", "listxattr", "read", "walk")],
        *[(name, "p/x/k") for name in ("lstat", "read", "listdir")],
        *[("lstat", path) for path in ("p/.", "p/..", "p/x/.", "p/x/..", "p/x/../x", "p/x/", "p/", "p/e/../x")],
        *[(name, "p") for name in ("listdir", "walk", "stat")],
    ],
    "opening": [
        ("open", path, flags)
        for path in ("p/x", "p/x/", "p/x/k")
        for flags in (
            *(READ, READ | os.O_DIRECTORY, READ | os.O_NOFOLLOW, os.O_PATH, READ | os.O_NOATIME, 3),
            *(CREATE | os.O_EXCL, READ | os.O_DIRECTORY | os.O_NOATIME),
        )
    ],
    "opening to write": [("open", "p/x", WRITE), ("open", "p/x", BOTH)],
    "appending": [("write", "p/x", os.O_APPEND, b"more")],
    "writing nothing": [("write", "p/x", 0, b"")],
    "cutting while opening": [("open", "p/x", READ | os.O_TRUNC)],
    "creating": [("write", "p/x", CREATE, b"made"), ("write", "p/n", CREATE, b"made"), ("open", "p/n/", CREATE)],
    "creating to read": [("open", "p/n", CREATE, 0o6755), ("open", "p/x", CREATE)],
    "creating anew": [("open", "p/x", CREATE | os.O_TRUNC | WRITE)],
    "creating below": [("open", "p/x/n", CREATE, 0o2755), ("mkdir", "p/x/d", 0o2777), ("symlink", "t", "p/x/s")],
    "making nodes": [
        ("mkfifo", "p/n1"),
        ("mknod", "p/n2", 0o102775, 0),
        ("mknod", "p/n3", 0o020666, UNKNOWN),
        ("mknod", "p/n4", 0o060666, UNKNOWN),
        ("mknod", "p/n5", 0o020666, 0),
        ("mknod", "p/x", 0o020666, UNKNOWN),
        ("mkfifo", "p/x"),
    ],
    "making directories": [("mkdir", "p/n", 0o7777), ("mkdir", "p/x"), ("mkdir", "p/n/d"), ("mkdir", "p/e/d")],
    "making links": [
        ("symlink", "t", "p/n"),
        ("symlink", "t", "p/x"),
        ("symlink", "t", "p/n2/"),
        ("symlink", "", "p/n3"),
    ],
    "unlink": [("unlink", "p/x/"), ("unlink", "p/x"), ("unlink", "p/none")],
    "rmdir": [("rmdir", "p/e"), ("rmdir", "p/x"), ("rmdir", "p/none"), ("rmdir", "p/."), ("rmdir", "p/..")],
    "unlink below": [("unlink", "p/x/k"), ("rmdir", "p/x")],
    "link": [("link", "p/x", "p/n"), ("link", "p/x", "p/f"), ("link", "p/x", "q/n"), ("link", "p/none", "q/n2")],
    "link into": [("link", "p/f", "p/x"), ("link", "p/f", "p/x/n"), ("link", "p/f", "q/n"), ("link", "p/f", "p/n/")],
    "rename": [("rename", "p/x", "p/n"), ("rename", "p/none", "p/n2"), ("rename", "p/f", "p/n3/")],
    "rename out": [("rename", "p/x", "q/n")],
    "rename in": [("rename", "q/t", "p/n")],
    "rename onto": [("rename", "p/f", "p/x")],
    "rename a directory onto": [("rename", "p/e", "p/x")],
    "rename onto a file": [("rename", "p/x", "p/f")],
    "rename onto a directory": [("rename", "p/x", "p/e")],
    "rename to itself": [("rename", "p/x", "p/x"), ("rename", "p/x", "p/x/n"), ("rename", "p/x/k", "p/x")],
    "rename into": [("rename", "p/f", "p/x/n"), ("rename", "p/e", "p/x/n")],
    "rename out of": [("rename", "p/x/k", "p/n")],
    "truncate": [("truncate", "p/x", 2), ("truncate", "p/x", -1), ("truncate", "p/f", 0)],
    "truncate too far": [("truncate", "p/x", 1 << 60)],
    "chmod": [("chmod", "p/x", 0o640), ("chmod", "p/f", 0o2755)],
    "chmod with all bits": [("chmod", "p/x", 0o7777)],
    "chmod with set-gid alone": [("chmod", "p/x", 0o2640)],
    "touch": [("touch", "p/x")],
    "utime": [("utime", "p/x", 7)],
    "utime of the name": [("lutime", "p/x", 7)],
    "setxattr": [("setxattr", "p/x", "user.k", b"v"), ("listxattr", "p/x"), ("getxattr", "p/x", "user.k")],
    "setxattr of others": [
        ("setxattr", "p/x", "trusted.k", b"v"),
        ("setxattr", "p/x", "security.k", b"v"),
        ("setxattr", "p/x", "foo.k", b"v"),
        ("setxattr", "p/x", "user.", b"v"),
        ("setxattr", "p/x", "user.k", b"v", os.XATTR_REPLACE),
    ],
    "capabilities": [
        ("setxattr", "p/x", "security.capability", CAPABILITY),
        ("getxattr", "p/x", "security.capability"),
    ],
    "getxattr": [
        (name, "p/x", key)
        for name in ("getxattr", "removexattr")
        for key in ("user.k", "trusted.k", "security.k", "security.capability", "foo.k", "user.", "system.k")
    ],
}
for _name, _ids in {
    "to nobody new": (-1, -1),
    "to its owner": (1000, -1),
    "to its group": (-1, 2000),
    "to the own group": (-1, 1000),
    "to a shared group": (-1, 1001),
    "to another owner": (1001, 2000),
}.items():
    OPERATIONS[f"chown {_name}"] = [("chown", "p/x", *_ids)]
    OPERATIONS[f"lchown {_name}"] = [("lchown", "p/x", *_ids)]


def _agree(kernel: Callable[[list[bytes]], KernelOverlay], user: str, share: int) -> None:
    asked = [(case, made) for group, made in enumerate(OPERATIONS.values()) for case in cases(group, share)]
    pair = Pair.over(kernel([lower_layer(case for case, _ in asked)]))
    pair.agree([made for case, _ in asked for made in case.preparation()])
    pair.agree([("by", USERS[user], *case.within(made)) for case, operations in asked for made in operations])
    pair.same_end()


@pytest.mark.parametrize("user", USERS)
def test_everything_in_some_cases(user: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    _agree(overlay_mount, user, SHARE)


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
def test_everything_in_more_cases(user: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    _agree(overlay_mount, user, SLOW_SHARE)


@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("user", USERS)
def test_everything_in_every_case(user: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    _agree(overlay_mount, user, 1)
