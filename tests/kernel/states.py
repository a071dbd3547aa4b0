"""The states of a path that overlay.md section 5 tells apart, each made in a directory of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from tests.kernel.operations import Operation

CREATE = os.O_CREAT | os.O_EXCL

LOWER: dict[str, list[Entry]] = {
    "file": [Entry("x", content=b"low")],
    "empty": [directory("x")],
    "full": [directory("x"), Entry("x/a", content=b"aa")],
    "to_file": [symlink("x", "lowf")],
    "to_dir": [symlink("x", "lowd")],
    "to_nothing": [symlink("x", "nothing")],
    "none": [],
}

REMOVE_TREE: list[Operation] = [("unlink", "x/a"), ("rmdir", "x")]

STATES: dict[str, tuple[str, list[Operation]]] = {
    "A": ("none", []),
    "Lf": ("file", []),
    "Ld0": ("empty", []),
    "Ld": ("full", []),
    "Uf": ("none", [("write", "x", CREATE, b"up")]),
    "ULf": ("file", [("write", "x", os.O_TRUNC, b"over")]),
    "Ud0": ("none", [("mkdir", "x")]),
    "Ud": ("none", [("mkdir", "x"), ("write", "x/u", CREATE, b"u")]),
    "Wf": ("file", [("unlink", "x")]),
    "Wd": ("full", REMOVE_TREE),
    "M": ("full", [("write", "x/u", CREATE, b"u")]),
    "M0": ("full", [("unlink", "x/a")]),
    "O": ("full", [*REMOVE_TREE, ("mkdir", "x"), ("write", "x/u", CREATE, b"u")]),
    "O0": ("full", [*REMOVE_TREE, ("mkdir", "x")]),
    "Sf": ("to_file", []),
    "Sd": ("to_dir", []),
    "S!": ("to_nothing", []),
    "USf": ("none", [("symlink", "lowf", "x")]),
    "USd": ("none", [("symlink", "lowd", "x")]),
}
"""State: what the lower layer holds as `x`, and what is done to it above."""

BESIDE: list[Operation] = [
    ("write", "upf", CREATE, b"upper"),
    ("mkdir", "upd"),
    ("mkdir", "upm"),
    ("write", "upm/i", CREATE, b"i"),
]
"""What stands beside `x` in the upper: a file, an empty and a filled directory."""


def lower_layer() -> bytes:
    """Return one layer with a directory for each state."""
    return layer_tar(lower_entries())


def lower_entries() -> list[Entry]:
    """Return the members of that layer."""
    entries = []
    for state, (lower, _) in STATES.items():
        beside = [Entry("lowf", content=b"low"), directory("lowd"), Entry("lowd/k", content=b"k")]
        entries.append(directory(state))
        entries += [_below(state, entry) for entry in [*LOWER[lower], *beside]]
    return entries


def _below(state: str, entry: Entry) -> Entry:
    return Entry(f"{state}/{entry.path}", entry.kind, entry.content, entry.target, entry.mode)


def within(state: str, operation: Operation) -> Operation:
    """Move an operation, written for a current directory, into the state's directory."""
    name, *arguments = operation
    places = {"rename": (0, 1), "link": (0, 1), "symlink": (1,), "hold": (1,)}.get(name, (0,))
    return (
        name,
        *(f"/{state}/{argument}" if place in places else argument for place, argument in enumerate(arguments)),
    )


def preparation() -> list[Operation]:
    """Return the operations that bring every directory into its state."""
    return [within(state, operation) for state, (_, made) in STATES.items() for operation in [*BESIDE, *made]]
