"""Random operations over every call of an overlay, most of them on paths that are or were there."""

from __future__ import annotations

import os
import random
import stat
from typing import TYPE_CHECKING

from tests.kernel.fuzz.stacks import CAPABILITY, FOLDER_MODES, LONG, MODES, TARGETS, random_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.operations import Operation
    from tests.tars import Entry

ACCESS = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR, 3)
FLAGS = (os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_NOFOLLOW, os.O_DIRECTORY, os.O_PATH)
FLAG_WEIGHTS = (8, 3, 5, 4, 2, 2, 1)
LENGTHS = (0, 0, 1, 3, 7, 4096, 9000, -1)
OFFSETS = (0, 0, 2, 4096, 6000, -1)
IDS = (-1, 0, 7, 1000, 1 << 31)
STAMPS_NS = (0, 10**9, 1_400_000_000 * 10**9 + 123_456_789, -5 * 10**9, -1, 1_500_000_000_000_000_001)
ATTRIBUTES = ("user.k", "user.note", "trusted.t", "security.s", CAPABILITY[0], "user.", "none.x", "")
DEVICES = (
    (stat.S_IFIFO | 0o644, 0),
    (stat.S_IFSOCK | 0o700, 0),
    (stat.S_IFCHR | 0o666, os.makedev(1, 3)),
    (stat.S_IFBLK | 0o660, os.makedev(7, 300)),
    (stat.S_IFREG | 0o4711, 0),
    (stat.S_IFCHR, 0),
    (stat.S_IFDIR | 0o755, 0),
    (0o644, 0),
)
SLOTS = 5
PATH_MAX = 4096


class Source:
    """The operations of one seed, over a stack of layers."""

    def __init__(self, seed: int, stack: list[list[Entry]]) -> None:
        self.rng = random.Random(seed)
        self.known = ["/" + entry.path for layer in stack for entry in layer if ".wh." not in entry.path] or ["/a"]
        self.kinds: dict[str, tuple[int, Callable[[], tuple[object, ...]]]] = {
            **self._files(),
            **self._handles(),
            **self._names(),
            **self._attributes(),
            **self._questions(),
        }

    def operations(self, count: int, *, commits: bool) -> list[Operation]:
        """Return a sequence; three commits or so are spread over it."""
        drawn = [self.operation() for _ in range(count)]
        for _ in range(self.rng.randrange(4) if commits else 0):
            drawn[self.rng.randrange(count)] = ("commit",)
        return drawn

    def operation(self) -> Operation:
        weights = [weight for weight, _ in self.kinds.values()]
        name = self.rng.choices(list(self.kinds), weights)[0]
        return (name, *self.kinds[name][1]())

    def path(self) -> str:
        """Return a path that is there, one beside it, one below it, or any other one, oddly spelled at times."""
        rng = self.rng
        path = rng.choice(self.known)
        way = rng.random()
        if way < 0.2:
            path = f"{path}/{random_name(rng)}"
        elif way < 0.4:
            path = f"{os.path.dirname(path).rstrip('/')}/{random_name(rng)}"
        elif way < 0.5:
            path = "/" + "/".join(random_name(rng) for _ in range(rng.choice((1, 2, 3))))
        return self._spelled(path) if rng.random() < 0.1 else path

    def _spelled(self, path: str) -> str:
        length = len(os.fsencode(path))
        return self.rng.choice(
            (
                path + "/",
                path + "/.",
                path + "/..",
                path.replace("/", "//", 1),
                path[1:],
                "/./" * ((PATH_MAX - 1 - length) // 3) + path,
                "/" * max(0, PATH_MAX - 1 - length) + path,
                "/" * max(0, PATH_MAX - length) + path,
                f"{path}/{LONG}L",
                f"{os.path.dirname(path)}/{LONG}",
                "/",
                "",
                "/chain/1",
                "/chain/2",
                "/chain/1/",
            )
        )

    def fresh(self) -> str:
        """Return a path to make something at, and remember it."""
        path = self.path()
        if len(path) < 600 and path not in self.known:
            self.known.append(path)
        return path

    def flags(self) -> int:
        rng = self.rng
        chosen = rng.choices(FLAGS, FLAG_WEIGHTS, k=rng.choice((0, 1, 1, 2, 3)))
        flags = rng.choice(ACCESS)
        for flag in chosen:
            flags |= flag
        # O_EXCL without O_CREAT means something on block devices only.
        return flags if flags & os.O_CREAT else flags & ~os.O_EXCL

    def payload(self) -> bytes:
        return self.rng.randbytes(self.rng.choice((0, 1, 7, 5000)))

    def _files(self) -> dict[str, tuple[int, Callable[[], tuple[object, ...]]]]:
        rng = self.rng
        return {
            "open": (5, lambda: (self.fresh(), self.flags(), rng.choice(MODES))),
            "write": (6, lambda: (self.fresh(), self.flags() & ~(3 | os.O_PATH), self.payload())),
            "read": (3, lambda: (self.path(),)),
            "truncate": (3, lambda: (self.path(), rng.choice(LENGTHS))),
            "write_bytes": (3, lambda: (self.fresh(), self.payload())),
            "read_bytes": (2, lambda: (self.path(),)),
        }

    def _handles(self) -> dict[str, tuple[int, Callable[[], tuple[object, ...]]]]:
        rng = self.rng

        def slot() -> int:
            return rng.randrange(SLOTS)

        return {
            "hold": (10, lambda: (slot(), self.fresh(), self.flags())),
            "release": (3, lambda: (slot(),)),
            "pread": (4, lambda: (slot(), rng.choice((0, 3, 10_000)), rng.choice(OFFSETS))),
            "pwrite": (4, lambda: (slot(), self.payload(), rng.choice(OFFSETS))),
            "read_on": (4, lambda: (slot(), rng.choice((0, 1, 4000)))),
            "write_on": (4, lambda: (slot(), self.payload())),
            "seek": (4, lambda: (slot(), rng.choice((0, 5, -3, 8000)), rng.randrange(3))),
            "tell": (1, lambda: (slot(),)),
            "ftruncate": (3, lambda: (slot(), rng.choice(LENGTHS))),
            "fstat": (4, lambda: (slot(),)),
        }

    def _names(self) -> dict[str, tuple[int, Callable[[], tuple[object, ...]]]]:
        rng = self.rng
        return {
            "mkdir": (8, lambda: (self.fresh(), rng.choice(FOLDER_MODES))),
            "rmdir": (8, lambda: (self.path(),)),
            "unlink": (12, lambda: (self.path(),)),
            "remove_tree": (3, lambda: (self.path(),)),
            "rename": (16, lambda: (self.path(), self.fresh())),
            "link": (5, lambda: (self.path(), self.fresh())),
            "link_followed": (2, lambda: (self.path(), self.fresh())),
            "symlink": (4, lambda: (rng.choice((*TARGETS, "", self.path())), self.fresh())),
            "mknod": (4, lambda: (self.fresh(), *rng.choice(DEVICES))),
            "fork": (1, lambda: ()),
            "detour": (1, lambda: ([self.operation() for _ in range(5)],)),
        }

    def _attributes(self) -> dict[str, tuple[int, Callable[[], tuple[object, ...]]]]:
        rng = self.rng

        def follow() -> int:
            return rng.randrange(2)

        def value() -> bytes:
            # Never empty: the kernel sets an empty capability, and then cannot read it.
            return CAPABILITY[1] if rng.random() < 0.3 else b"v" + self.payload()[:40]

        return {
            "chmod_at": (4, lambda: (self.path(), rng.choice(MODES), follow())),
            "chown_at": (4, lambda: (self.path(), rng.choice(IDS), rng.choice(IDS), follow())),
            "utime_at": (4, lambda: (self.path(), rng.choice(STAMPS_NS), rng.choice(STAMPS_NS), follow())),
            "touch": (1, lambda: (self.path(),)),
            "setxattr_at": (
                5,
                lambda: (self.path(), rng.choice(ATTRIBUTES), value(), rng.choice((0, 0, 1, 2)), follow()),
            ),
            "getxattr_at": (2, lambda: (self.path(), rng.choice(ATTRIBUTES), follow())),
            "removexattr_at": (3, lambda: (self.path(), rng.choice(ATTRIBUTES), follow())),
            "listxattr_at": (2, lambda: (self.path(), follow())),
        }

    def _questions(self) -> dict[str, tuple[int, Callable[[], tuple[object, ...]]]]:
        return {
            name: (weight, lambda: (self.path(),))
            for name, weight in {"lstat": 6, "stat": 4, "readlink": 3, "listdir": 5, "walk": 1, "exists": 2}.items()
        }
