"""overlay.md section 6: which error wins, where several apply."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.kernel.agreement import Pair
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

LONG = "n" * 256
CREATE = os.O_CREAT | os.O_WRONLY

ROWS: dict[str, list[Operation]] = {
    "component too long": [("lstat", f"/{place}{LONG}") for place in ("", "zz/", "f/", "d/", "s/", "loop/")],
    "component just fits": [
        ("lstat", "/" + "n" * 255),
        ("mkdir", "/" + "n" * 255),
        ("mkdir", "/" + "é" * 127),
        ("mkdir", "/" + "é" * 128),
    ],
    "whole path too long": [("lstat", "/" + "d/../" * 818 + "d" * n) for n in (1, 4, 5, 6)],
    "empty path": [
        ("lstat", ""),
        ("mkdir", ""),
        ("unlink", ""),
        ("rename", "", "/n"),
        ("rename", "/f", ""),
        ("open", "", CREATE),
        ("listdir", ""),
    ],
    "many links": [("lstat", f"/hop{n}/a") for n in (1, 39, 40, 41, 42)] + [("stat", f"/hop{n}") for n in (39, 40, 41)],
    "a loop": [
        ("stat", "/loop"),
        ("lstat", "/loop"),
        ("read", "/loop"),
        ("lstat", "/loop/x"),
        ("open", "/loop", CREATE),
        ("mkdir", "/loop/x"),
    ],
    "last component a dot": [
        (name, f"/d/{dot}")
        for name in ("rmdir", "unlink", "mkdir", "mkfifo", "lstat", "listdir", "readlink")
        for dot in (".", "..")
    ],
    "rename of a dot": [
        ("rename", a, b)
        for a, b in (("/d/.", "/n"), ("/d/..", "/n"), ("/d", "/e/."), ("/d", "/e/.."), ("/none", "/e/."))
    ],
    "the root": [
        ("rmdir", "/"),
        ("unlink", "/"),
        ("mkdir", "/"),
        ("rename", "/", "/n"),
        ("rename", "/d", "/"),
        ("lstat", "/"),
        ("link", "/", "/n"),
    ],
    "beyond the root": [("lstat", "/../../d"), ("mkdir", "/../up"), ("lstat", "/up"), ("read", "/s/../../../f")],
    "trailing slash": [
        ("mkdir", "/n/"),
        ("open", "/o/", CREATE),
        ("open", "/o/", os.O_RDONLY),
        ("open", "/f/", os.O_RDONLY),
        ("open", "/f/", CREATE),
        ("open", "/d/", CREATE),
        ("symlink", "t", "/p/"),
        ("symlink", "t", "/d/"),
        ("symlink", "t", "/f/"),
        ("mkdir", "/f/"),
        ("mkdir", "/s/"),
        ("mkdir", "/dangling/"),
        ("mkfifo", "/p/"),
        ("rename", "/f", "/g/"),
        ("rename", "/f/", "/g"),
        ("rename", "/u/", "/v/"),
        ("link", "/f", "/g/"),
        ("link", "/f/", "/g"),
        ("unlink", "/f/"),
        ("unlink", "/s/"),
        ("rmdir", "/s/"),
        ("rmdir", "/f/"),
        ("readlink", "/s/"),
        ("lstat", "/s/"),
        ("lstat", "/dangling/"),
        ("chmod", "/f/", 0o600),
        ("truncate", "/f/", 1),
    ],
    "creating": [
        (name, *arguments)
        for name, *arguments in (
            ("mkdir", "/none/x"),
            ("mkdir", "/f/x"),
            ("mkdir", "/dangling/x"),
            ("symlink", "t", "/none/x"),
            ("symlink", "", "/x"),
            ("symlink", "", "/f"),
            ("symlink", "t" * 4095, "/fits"),
            ("symlink", "t" * 4096, "/too-long"),
            ("open", "/none/x", CREATE),
            ("open", "/dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
            ("open", "/dangling", CREATE),
            ("lstat", "/nowhere"),
        )
    ],
    "renaming": [
        ("rename", source, target)
        for source, target in (
            ("/none", "/f"),
            ("/none", "/none/x"),
            ("/d", "/d/x"),
            ("/d", "/d/sub/x"),
            ("/d/a", "/d"),
            ("/d/sub", "/d"),
            ("/f", "/d"),
            ("/d", "/f"),
            ("/f", "/none/x"),
            ("/f", "/f/x"),
            ("/d", "/f/x"),
            ("/d", "/e"),
            ("/d", "/n"),
            ("/u", "/e"),
            ("/u", "/d"),
            ("/s", "/d"),
            ("/d", "/s"),
            ("/f", "/s"),
            ("/f", "/same"),
        )
    ],
    "linking": [
        ("link", source, target)
        for source, target in (
            ("/none", "/f"),
            ("/none", "/x"),
            ("/d", "/f"),
            ("/d", "/x"),
            ("/f", "/d"),
            ("/f", "/none/x"),
            ("/f", "/f/x"),
            ("/dangling", "/x"),
            ("/s", "/y"),
        )
    ],
    "attributes": [
        ("setxattr", "/s", "user.k", b"v"),
        ("setxattr", "/f", "user.k", b"v", os.XATTR_REPLACE),
        ("setxattr", "/f", "user.k", b"v", os.XATTR_CREATE),
        ("setxattr", "/f", "user.k", b"w", os.XATTR_CREATE),
        ("setxattr", "/f", "user.k", b"w", os.XATTR_REPLACE),
        ("getxattr", "/f", "user.k"),
        ("getxattr", "/f", "user.none"),
        ("removexattr", "/f", "user.none"),
        ("removexattr", "/none", "user.k"),
        ("setxattr", "/f", "nameless", b"v"),
        ("truncate", "/f", -1),
        ("truncate", "/none", -1),
        ("truncate", "/d", 1),
        ("chmod", "/dangling", 0o600),
        ("chown", "/dangling", 1, 1),
        ("lchown", "/dangling", 1, 1),
    ],
    "two paths, one of them too long": [
        (name, source, target)
        for name in ("rename", "link")
        for source, target in (
            ("/none", f"/{LONG}"),
            ("/none", "/" + "d/../" * 820),
            ("/none/x", "/" + "d/../" * 820),
            ("/f", f"/{LONG}"),
            ("/f", "/" + "d/../" * 820),
            (f"/{LONG}", "/none/x"),
            (f"/{LONG}", "/d/."),
            ("/d/.", f"/{LONG}"),
            ("/none", "/d/."),
            ("/" + "d/../" * 820, "/none/x"),
        )
    ],
    "arguments before paths": [
        ("truncate", "/" + "d/../" * 820, -1),
        ("mknod", "/" + "d/../" * 820, 0o040000, 0),
        ("mknod", "/none/x", 0o030000, 0),
    ],
    "attributes of nothing": [
        (name, path, key, *rest)
        for path in ("/none", "/f", "/s", "/d")
        for name, *rest in (("getxattr",), ("removexattr",), ("setxattr", b"v"), ("setxattr", b"v", 4))
        for key in ("foo.k", "user.", "trusted.k", "n" * 256)
    ],
    "attributes that are refused after copy-up": [
        ("setxattr", "/d/a", "user.k", b"v", os.XATTR_REPLACE),
        ("lstat", "/d/a"),
        ("setxattr", "/same", "user.k", b"v", os.XATTR_REPLACE | os.XATTR_CREATE),
        ("setxattr", "/same", "user.k", b"v"),
        ("setxattr", "/same", "user.k", b"v", os.XATTR_REPLACE | os.XATTR_CREATE),
    ],
    "reading": [
        ("read", "/d"),
        ("readlink", "/f"),
        ("readlink", "/d"),
        ("listdir", "/f"),
        ("listdir", "/dangling"),
        ("open", "/d", os.O_WRONLY),
        ("open", "/d", os.O_RDWR),
        ("open", "/f", os.O_DIRECTORY),
        ("open", "/s", os.O_DIRECTORY | os.O_NOFOLLOW),
        ("open", "/s", os.O_NOFOLLOW),
        ("open", "/s/a", os.O_NOFOLLOW),
        ("open", "/d", os.O_CREAT | os.O_RDONLY),
        ("open", "/d", os.O_TRUNC | os.O_RDONLY),
    ],
}


def lower() -> bytes:
    hops = [symlink(f"hop{n}", f"hop{n - 1}" if n > 1 else "d") for n in range(1, 43)]
    plain = [
        Entry("f", content=b"file"),
        directory("d"),
        Entry("d/a", content=b"a"),
        directory("d/sub"),
        directory("e"),
    ]
    links = [symlink("s", "d"), symlink("dangling", "nowhere"), symlink("loop", "loop"), Entry("same", content=b"2")]
    return layer_tar([*plain, *links, *hops])


@pytest.mark.parametrize("row", ROWS)
def test_the_same_error_wins(row: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    pair = Pair.over(overlay_mount([lower()]))
    pair.agree([("mkdir", "/u"), *ROWS[row]])
    pair.same_end()
