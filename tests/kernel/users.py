"""Users, and what each of them may do to a path: the cases of `test_users`, a directory for each."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.kernel.operations import Operation, User

OWNER, OWNING_GROUP, KEEPER = 1000, 2000, 1002

USERS: dict[str, User] = {
    "root": (0, (7,)),
    "owner": (OWNER, (OWNER,)),
    "owner in the group": (OWNER, (OWNER, OWNING_GROUP)),
    "group": (1001, (OWNING_GROUP, 1001)),
    "keeper": (KEEPER, (KEEPER,)),
    "other": (1003, (1003, 1004)),
}
"""Who owns the file, whose group has it, who owns the directory around it."""

FILES = (0o644, 0o460, 0o006, 0o6777, 0o2665)
PARENTS = (0o755, 0o1777, 0o2773, 0o474, 0o551)
KINDS = ("file", "dir", "link", "none")
STATES = ("lower", "copied", "upper")

CREATE = os.O_CREAT | os.O_EXCL


@dataclass(frozen=True)
class Case:
    """One directory `p` with something named `x` in it, a file `f` and a directory `e` beside."""

    name: str
    state: str
    kind: str
    file: int
    parent: int

    def entries(self) -> list[Entry]:
        """Return what the lower layer has."""
        entries = [
            Entry(self.name, tarfile.DIRTYPE, mode=0o777),
            _of(KEEPER, Entry(f"{self.name}/p", tarfile.DIRTYPE, mode=self.parent)),
            _of(KEEPER, Entry(f"{self.name}/q", tarfile.DIRTYPE, mode=0o777)),
            _of(OWNER, Entry(f"{self.name}/p/f", content=b"f", mode=0o644)),
            _of(OWNER, Entry(f"{self.name}/p/e", tarfile.DIRTYPE, mode=0o755)),
        ]
        if self.state == "upper":
            return entries
        x = f"{self.name}/p/x"
        made = {
            "file": [_of(OWNER, Entry(x, content=b"lower", mode=self.file))],
            "dir": [_of(OWNER, Entry(x, tarfile.DIRTYPE, mode=self.file)), Entry(f"{x}/k", content=b"k", mode=0o666)],
            "link": [_of(OWNER, Entry(x, tarfile.SYMTYPE, target="../q/t", mode=0o777))],
            "none": [],
        }
        target = [_of(OWNER, Entry(f"{self.name}/q/t", content=b"target", mode=self.file))]
        return [*entries, *target, *made[self.kind]]

    def preparation(self) -> list[Operation]:
        """Return what root does before."""
        x, target = f"/{self.name}/p/x", f"/{self.name}/q/t"
        if self.state == "lower":
            return []
        if self.state == "copied":
            return {
                "file": [("chmod", x, self.file)],
                "dir": [("chmod", x, self.file), ("chmod", f"{x}/k", 0o666)],
                "link": [("lutime", x, 5), ("chmod", target, self.file)],
                "none": [],
            }[self.kind]
        made: dict[str, list[Operation]] = {
            "file": [("write", x, CREATE, b"upper"), ("lchown", x, OWNER, OWNING_GROUP), ("chmod", x, self.file)],
            "dir": [
                ("mkdir", x),
                ("write", f"{x}/k", CREATE, b"k"),
                ("chmod", f"{x}/k", 0o666),
                ("lchown", x, OWNER, OWNING_GROUP),
                ("chmod", x, self.file),
            ],
            "link": [("symlink", "../q/t", x), ("lchown", x, OWNER, OWNING_GROUP)],
            "none": [],
        }
        aim: list[Operation] = [
            ("write", target, CREATE, b"target"),
            ("lchown", target, OWNER, OWNING_GROUP),
            ("chmod", target, self.file),
        ]
        return [*aim, *made[self.kind]]

    def within(self, operation: Operation) -> Operation:
        """Put the operation's paths, those that start with `p/` or `q/`, into this directory."""
        name, *arguments = operation
        is_path = [isinstance(argument, str) and argument[:2] in {"p", "p/", "q", "q/"} for argument in arguments]
        pairs = zip(is_path, arguments, strict=True)
        return (name, *(f"/{self.name}/{argument}" if here else argument for here, argument in pairs))


def _of(uid: int, entry: Entry) -> Entry:
    return replace(entry, uid=uid, gid=OWNING_GROUP)


def cases(group: int, share: int) -> list[Case]:
    """Return one in `share` of all cases, for the operations of one group; each group has others."""
    made = list(enumerate(product(STATES, KINDS, FILES, PARENTS)))
    return [Case(f"{group}/{number // 25}/{number % 25}", *values) for number, values in made[group % share :: share]]


def lower_layer(chosen: Iterable[Case]) -> bytes:
    """Return the layer below the cases."""
    return layer_tar([entry for case in chosen for entry in case.entries()])
