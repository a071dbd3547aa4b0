"""The same operations on the kernel's overlay and on ours: every outcome, the merged tree and the upper directory."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import layersim as ls
from layersim.testing import differences
from layersim.testing.trees import KINDS
from tests.kernel.mount import OPAQUE, REDIRECT
from tests.kernel.operations import Session
from tests.kernel.random_operations import NAMES
from tests.trees import Disk, blocks_size, inode_size, is_on_ext4, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.testing.trees import Status
    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation


class UpperNode(NamedTuple):
    """One entry of the writable layer."""

    kind: str
    mode: int
    uid: int
    gid: int


@dataclass
class Pair:
    """One overlay of the kernel and one of ours over the same layers."""

    kernel: KernelOverlay
    ours: ls.Overlay
    session: Session

    @classmethod
    def over(cls, kernel: KernelOverlay) -> Pair:
        layers = [ls.Layer.from_tar(tar) for tar in kernel.layers]
        redirect_dir, read_only = kernel.redirect_dir, kernel.read_only
        fs = ls.Overlay(layers, redirect_dir=redirect_dir, read_only=read_only, clock=time.time_ns)
        return cls(kernel, fs, Session(fs))

    def agree(self, operations: Sequence[Operation]) -> None:
        """Carry the operations out on both sides and compare each outcome."""
        expected = self.kernel.perform_all(operations)
        for number, (operation, outcome) in enumerate(zip(operations, expected, strict=True)):
            actual = self.session.perform(operation)
            assert actual == outcome, self._told(operations, number, actual, outcome)

    @staticmethod
    def _told(operations: Sequence[Operation], number: int, actual: object, expected: object) -> str:
        before = "\n".join(f"  {operation!r}" for operation in operations[max(0, number - 12) : number])
        said = f"the kernel says {expected}, layersim {actual}"
        return f"{operations[number]!r} (operation {number}): {said}; before it\n{before}"

    def same_end(self) -> None:
        """Compare what is left: the merged tree, the upper directory, its marks and its size."""
        assert differences(snapshot(Disk(self.kernel.merged)), snapshot(self.ours)) == []
        expected = upper_of_the_kernel(self.kernel)
        assert self._upper(expected) == expected
        marks = marks_of_the_kernel(self.kernel)
        assert {path: self.ours.upper_marks(path) for path in marks} == marks
        if not self.kernel.redirect_dir:
            assert self._opaque() == {path for path, marked in marks.items() if marked.get(OPAQUE) == b"y"}
        assert self.ours.size_rw == inode_size(self.kernel.upper)
        # A redirect is an attribute, for which ext4 may need a block of its own.
        if is_on_ext4(self.kernel.upper) and not self.kernel.redirect_dir:
            assert self.ours.allocated_rw == blocks_size(self.kernel.upper)

    def _upper(self, expected: dict[str, UpperNode]) -> dict[str, UpperNode]:
        lower = snapshot(ls.View(self.ours.lower.layers))
        seen = snapshot(self.ours)
        below = {f"{path}/{name}" for path in seen if self.kernel.redirect_dir for name in NAMES}
        asked = expected.keys() | lower.keys() | seen.keys() | below
        nodes = {}
        for path in asked:
            try:
                found = self.ours.upper_lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            nodes[path] = _node(found)
        return nodes

    def _opaque(self) -> set[str]:
        return {"/" + entry.path.strip("/") for entry in self.ours.to_layer() if entry.is_opaque}


def _node(found: Status) -> UpperNode:
    """Return what is compared: not mode and group of a whiteout, to which a set-gid directory gives its own."""
    kind = KINDS[stat.S_IFMT(found.st_mode)]
    if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
        return UpperNode(kind, 0, found.st_uid, 0)
    return UpperNode(kind, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)


def _upper_paths(kernel: KernelOverlay) -> list[str]:
    found = []
    for directory, folders, files in os.walk(kernel.upper):
        found += [os.path.join(directory, name)[len(str(kernel.upper)) :] for name in folders + files]
    return found


def upper_of_the_kernel(kernel: KernelOverlay) -> dict[str, UpperNode]:
    """Read the upper directory of a mount, whiteouts as the devices they are."""
    nodes = {}
    for path in _upper_paths(kernel):
        found = os.lstat(f"{kernel.upper}{path}")
        nodes[path] = _node(found)
    return nodes


def marks_of_the_kernel(kernel: KernelOverlay) -> dict[str, dict[str, bytes]]:
    """Return which directories of the upper hide all lower entries, or show others, and how they say it."""
    marks = {}
    for path in _upper_paths(kernel):
        on_disk = f"{kernel.upper}{path}"
        if stat.S_ISDIR(os.lstat(on_disk).st_mode):
            there = [name for name in (OPAQUE, REDIRECT) if name in os.listxattr(on_disk)]
            marks[path] = {name: os.getxattr(on_disk, name) for name in there}
            if marks[path].get(OPAQUE) != b"y":
                marks[path].pop(OPAQUE, None)
    return marks
