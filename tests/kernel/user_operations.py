"""Seeded random operations of several users in one tree, where modes and owners change all the time."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

from tests.kernel.random_operations import Sequence
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from tests.kernel.operations import Operation, User

USERS: tuple[User, ...] = (
    (1000, (2000, 2001)),
    (1001, (2001,)),
    (1002, (2002, 2000)),
    (0, (2001,)),
)
UIDS = (-1, 0, 1000, 1001, 1002)
GIDS = (-1, 0, 2000, 2001, 2002)
MODES = (0o755, 0o775, 0o777, 0o1777, 0o3777, 0o2775, 0o2777, 0o711, 0o750, 0o733, 0o070)
FILE_MODES = (0o644, 0o664, 0o666, 0o600, 0o4755, 0o6775, 0o2664, 0o2775, 0o066, 0o606)
KEYS = ("user.k", "user.l", "trusted.k", "security.k", "foo.k")
UNKNOWN = os.makedev(239, 1)
"""A device that no driver serves: opening it is ENXIO, where a fifo would block."""
CAPABILITY = b"\x01\x00\x00\x02\x00\x20\x00\x00" + bytes(12)


def owned_layers(seed: int) -> list[bytes]:
    """Return two layers, base first, whose entries belong to all of the users."""
    rng = Sequence(seed).rng

    def entry(path: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Entry:
        mode = rng.choice(MODES if kind == tarfile.DIRTYPE else FILE_MODES)
        uid, gid = rng.choice(UIDS[1:]), rng.choice(GIDS[1:])
        content = b"lower " + path.encode() if kind == tarfile.REGTYPE else b""
        return Entry(path, kind, content, target, 0o777 if kind == tarfile.SYMTYPE else mode, uid, gid)

    folders = [entry(path, tarfile.DIRTYPE) for path in ("c", "d", "d/d", "d/e", "e")]
    files = [entry(path) for path in ("a", "b", "c/a", "d/a", "d/d/a", "d/d/b", "e/a", "d/e/a")]
    links = [entry(path, tarfile.SYMTYPE, target) for path, target in (("s", "d/a"), ("sd", "d"), ("d/s", "/c"))]
    top = [entry("d/d", tarfile.DIRTYPE), entry("d/d/c"), Entry("e/.wh.a"), entry("e/b"), entry("c/b")]
    return [layer_tar([*folders, *files, *links]), layer_tar(top)]


def opened_root() -> list[Operation]:
    """Return what lets everybody make names in the root."""
    return [("chmod", "/", 0o1777)]


class Users(Sequence):
    """A source of operations of several users for one seed."""

    def user_operation(self) -> Operation:
        """Return the next operation, whoever carries it out."""
        rng = self.rng
        if rng.random() < 0.15:
            return self._by_root()
        chosen = rng.random()
        if chosen < 0.2:
            operation = self._of_owners()
        elif chosen < 0.35:
            operation = self.handle_operation()
        else:
            operation = self.operation()
        return ("by", rng.choice(USERS), *operation)

    def _by_root(self) -> Operation:
        """Return what makes the next operations come out otherwise."""
        rng, path = self.rng, self.path()
        return rng.choice(
            (
                ("chmod", path, rng.choice(MODES)),
                ("chmod", path, rng.choice(FILE_MODES)),
                ("lchown", path, rng.choice(UIDS), rng.choice(GIDS)),
                ("setxattr", path, "security.capability", CAPABILITY),
            )
        )

    def _of_owners(self) -> Operation:
        """Return what depends on owners more than on modes."""
        rng, path = self.rng, self.path()
        return rng.choice(
            (
                ("chmod", path, rng.choice(MODES + FILE_MODES)),
                ("chown", path, rng.choice(UIDS), rng.choice(GIDS)),
                ("lchown", path, rng.choice(UIDS), rng.choice(GIDS)),
                ("touch", path),
                ("mkdir", path, rng.choice(MODES)),
                ("open", path, os.O_CREAT | rng.choice((os.O_RDONLY, os.O_RDWR, os.O_NOATIME)), rng.choice(FILE_MODES)),
                ("mknod", path, rng.choice((0o140644, 0o102775, 0o020666, 0o060666)), UNKNOWN),
                ("setxattr", path, rng.choice(KEYS), b"v"),
                ("getxattr", path, rng.choice(KEYS)),
                ("removexattr", path, rng.choice((*KEYS, "security.capability"))),
                ("listxattr", path),
                ("walk", path),
            )
        )
