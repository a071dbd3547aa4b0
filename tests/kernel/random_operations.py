"""Seeded random operation sequences over a small pool of paths, missing ones and odd spellings included."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from tests.tars import Entry, directory, hardlink, layer_tar, symlink

if TYPE_CHECKING:
    from tests.kernel.operations import Operation

NAMES = ("a", "b", "c", "d", "e", "s", "sd", "up", "none")
TARGETS = ("a", "d", "d/a", "/d", "/b", "..", "none", "s", "sd", "../c", "/sd/a", "loop")
FLAGS = (0, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_CREAT | os.O_TRUNC, os.O_NOFOLLOW)
STAMPS = (1, 1_000_000_000, 1_400_000_000, -5, -3_000_000_000, 20_000_000_000)


def lower_layers() -> list[bytes]:
    """Return three layers, base first, with deletions, replacements and links between them."""
    base = [
        Entry("a", content=b"lower a"),
        hardlink("b", "a"),
        directory("d", mode=0o750),
        Entry("d/a", content=b"x" * 5000, mode=0o4755, uid=7, gid=8, xattrs=(("user.note", b"n"),)),
        directory("d/d"),
        Entry("d/d/a", content=b"deep"),
        Entry("d/d/b", content=b"deep b"),
        directory("c"),
        Entry("c/a", content=b"ca"),
        directory("e"),
        Entry("e/a", content=b"ea"),
        symlink("s", "a"),
        symlink("sd", "d"),
        symlink("loop", "loop"),
    ]
    middle = [
        Entry("c/.wh.a"),
        Entry("c/b", content=b"cb"),
        Entry(".wh.e"),
        directory("d/e"),
        Entry("d/e/a", content=b"dea"),
    ]
    top = [
        directory("d/d", mode=0o700),
        Entry("d/d/.wh..wh..opq"),
        Entry("d/d/c", content=b"ddc"),
        symlink("d/s", "/c"),
    ]
    return [layer_tar(base), layer_tar(middle), layer_tar(top)]


class Sequence:
    """A source of operations for one seed."""

    def __init__(self, seed: int, renames: int = 9) -> None:
        self.rng = random.Random(seed)
        self.renames = renames

    def path(self) -> str:
        parts = [self.rng.choice(NAMES) for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3)))]
        if self.rng.random() < 0.05:
            parts.insert(self.rng.randrange(len(parts) + 1), self.rng.choice((".", "..")))
        path = "/" + self.rng.choice(("/",) * 30 + ("//", "/./")).join(parts)
        return path + "/" if self.rng.random() < 0.04 else path

    def payload(self) -> bytes:
        return self.rng.randbytes(self.rng.choice((0, 1, 7, 5000)))

    def operation(self) -> Operation:
        """Return the next operation."""
        rng, path = self.rng, self.path()
        kinds: dict[str, tuple[int, tuple[object, ...]]] = {
            "open": (4, (path, rng.choice((os.O_RDONLY, os.O_WRONLY, os.O_RDWR)) | rng.choice(FLAGS))),
            "write": (6, (path, rng.choice(FLAGS), self.payload())),
            "read": (3, (path,)),
            "truncate": (2, (path, rng.choice((0, 1, 3, 9000)))),
            "mkdir": (6, (path, rng.choice((0o755, 0o700, 0o2775)))),
            "rmdir": (5, (path,)),
            "unlink": (7, (path,)),
            "rename": (self.renames, (path, self.path())),
            "link": (4, (path, self.path())),
            "symlink": (3, (rng.choice(TARGETS), path)),
            "chmod": (2, (path, rng.choice((0o600, 0o4755, 0o644)))),
            "chown": (2, (path, rng.choice((-1, 0, 1000)), rng.choice((-1, 0, 1000)))),
            "lchown": (1, (path, 3, 4)),
            "utime": (2, (path, rng.choice(STAMPS))),
            "lutime": (1, (path, rng.choice(STAMPS))),
            "setxattr": (1, (path, "user.k", self.payload()[:20])),
            "removexattr": (1, (path, "user.k")),
            "listxattr": (1, (path,)),
            "readlink": (2, (path,)),
            "listdir": (3, (path,)),
            "lstat": (4, (path,)),
            "stat": (2, (path,)),
        }
        name = rng.choices(list(kinds), [weight for weight, _ in kinds.values()])[0]
        return (name, *kinds[name][1])

    def handle_operation(self) -> Operation:
        """Return the next operation on a handle that stays open."""
        rng, slot = self.rng, self.rng.randrange(4)
        return rng.choice(
            (
                ("hold", slot, self.path(), rng.choice((os.O_RDONLY, os.O_RDWR)) | rng.choice(FLAGS)),
                ("release", slot),
                ("pread", slot, rng.choice((0, 3, 10_000)), rng.choice((0, 2, 6000))),
                ("pwrite", slot, self.payload(), rng.choice((0, 2, 6000))),
                ("read_on", slot, rng.choice((1, 4000))),
                ("write_on", slot, self.payload()),
                ("seek", slot, rng.choice((0, 5)), rng.choice((os.SEEK_SET, os.SEEK_CUR, os.SEEK_END))),
                ("seek", slot, rng.choice((0, 5, 5000, 9000)), rng.choice((os.SEEK_DATA, os.SEEK_HOLE))),
                ("ftruncate", slot, rng.choice((0, 4, 7000))),
                ("fstat", slot),
            )
        )
