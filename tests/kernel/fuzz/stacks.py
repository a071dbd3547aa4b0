"""Random stacks: layers that replace, hide and repeat each other's names, with nodes of every kind."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from tests.tars import BORN, Entry, directory, symlink

if TYPE_CHECKING:
    import random

LONG = "L" * 255
NAMES = ("a", "b", "c", "d", "e", "f", "é", "\udcff\udc80", "s p", LONG)
WEIGHTS = (9, 9, 9, 9, 6, 6, 1, 1, 1, 1)
TARGETS = ("a", "b", "c/a", "/d", "/b/c", "..", ".", "../a", "none", "/", "a/", "chain/1", "d/../b", "e/f")
MODES = (0o644, 0o755, 0o600, 0, 0o4755, 0o2755, 0o2644, 0o7777, 0o1666)
FOLDER_MODES = (0o755, 0o755, 0o700, 0, 0o2775, 0o1777, 0o7777)
OWNERS = (0, 0, 0, 7, 1000, 65534, 1 << 31)
TIMES = (BORN, BORN, 0, 1, 1_400_000_000)
SIZES = (0, 1, 3, 7, 4096, 5000)
CAPABILITY = ("security.capability", b"\x01\x00\x00\x02\x00\x04\x00\x00" + bytes(12))
XATTRS = (("user.k", b"v"), ("user.note", b"n" * 30), ("trusted.t", b"t"), CAPABILITY)
KINDS = {"file": 40, "dir": 20, "symlink": 12, "hardlink": 8, "whiteout": 14, "opaque": 8, "node": 4}
CHAIN = 42
"""One link more than the kernel follows, and one more."""


def random_stack(rng: random.Random) -> list[list[Entry]]:
    """Return two to six layers, base first."""
    return [_Layer(rng).entries() for _ in range(rng.randrange(2, 7))]


def random_name(rng: random.Random) -> str:
    return rng.choices(NAMES, WEIGHTS)[0]


class _Layer:
    """One layer on its way: its members by name, parents before children."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.members: dict[str, Entry] = {}
        self.marks: list[Entry] = []

    def entries(self) -> list[Entry]:
        for _ in range(self.rng.randrange(3, 20)):
            self._add("/".join(random_name(self.rng) for _ in range(self.rng.choice((1, 1, 2, 2, 3, 4)))))
        chain = self._chain() if self.rng.random() < 0.1 else []
        root = [Entry(".wh..wh..opq")] if self.rng.random() < 0.05 else []
        return [*chain, *root, *self.members.values(), *self.marks]

    def _chain(self) -> list[Entry]:
        if "chain" in self.members:
            return []
        links = [symlink(f"chain/{at}", str(at + 1)) for at in range(CHAIN)]
        return [directory("chain"), *links, Entry(f"chain/{CHAIN}", content=b"end")]

    def _add(self, path: str) -> None:
        if not self._make_room(path):
            return
        kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "whiteout":
            folder, _, name = path.rpartition("/")
            # No room for the mark of the longest name.
            if name != LONG:
                self.members[path] = Entry(f"{folder}/.wh.{name}".lstrip("/"))
            return
        self.members[path] = self._member(path, kind)
        if kind == "opaque":
            self.marks.append(Entry(f"{path}/.wh..wh..opq"))

    def _make_room(self, path: str) -> bool:
        """Make the directories above; some are left to be implied. False where something else is in the way."""
        parts = path.split("/")
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
        if path in self.members or any(self._is_leaf(parent) for parent in above):
            return False
        if any(name.startswith(path + "/") for name in self.members):
            return False
        for parent in above:
            if parent not in self.members and self.rng.random() < 0.8:
                self.members[parent] = self._member(parent, "dir")
        return True

    def _is_leaf(self, path: str) -> bool:
        return path in self.members and self.members[path].kind != tarfile.DIRTYPE

    def _member(self, path: str, kind: str) -> Entry:
        rng = self.rng
        files = [name for name, entry in self.members.items() if _is_file(entry)]
        if kind == "symlink":
            return symlink(path, rng.choice(TARGETS))
        if kind == "hardlink" and files:
            first = self.members[rng.choice(files)]
            return Entry(path, tarfile.LNKTYPE, b"", first.path, first.mode, first.uid, first.gid, first.mtime)
        if kind == "node":
            node, device = rng.choice(
                ((tarfile.FIFOTYPE, (0, 0)), (tarfile.CHRTYPE, (1, 3)), (tarfile.BLKTYPE, (7, 300)))
            )
            return Entry(path, node, mode=rng.choice(MODES), device=device)
        is_file = kind in {"file", "hardlink"}
        return Entry(
            path,
            tarfile.REGTYPE if is_file else tarfile.DIRTYPE,
            rng.randbytes(rng.choice(SIZES)) if is_file else b"",
            mode=rng.choice(MODES if is_file else FOLDER_MODES),
            uid=rng.choice(OWNERS),
            gid=rng.choice(OWNERS),
            mtime=rng.choice(TIMES),
            xattrs=self._xattrs(is_file=is_file),
        )

    def _xattrs(self, *, is_file: bool) -> tuple[tuple[str, bytes], ...]:
        offered = XATTRS if is_file else XATTRS[:3]
        return tuple(sorted(self.rng.sample(offered, self.rng.choice((0, 0, 0, 1, 2)))))


def _is_file(entry: Entry) -> bool:
    """Whether a link may lead to it: attributes come back from the header of the link, which has none."""
    is_mark = entry.path.rpartition("/")[2].startswith(".wh.")
    return entry.kind == tarfile.REGTYPE and not is_mark and not entry.xattrs
