"""What is left of a sequence: the merged tree, its hard links, the upper directory with its marks, and its size."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, TypeVar

from layersim.testing import differences
from tests.kernel.agreement import marks_of_the_kernel, upper_of_the_kernel
from tests.kernel.mount import OPAQUE
from tests.trees import Disk, inode_size, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import layersim as ls
    from tests.kernel.agreement import Pair, UpperNode

Value = TypeVar("Value")


def differences_at_the_end(pair: Pair) -> list[str]:
    """Tell where the two sides differ, one line each."""
    disk = Disk(pair.kernel.merged)
    shown = snapshot(disk)
    found = differences(shown, snapshot(pair.ours))
    if found:
        return found
    upper = _upper(pair)
    return [
        *_unlike("links", _links(disk, shown), _links(pair.ours, shown)),
        *_unlike("upper", upper, pair._upper(upper)),
        *_unlike("opaque", dict.fromkeys(_opaque(pair)), dict.fromkeys(pair._opaque())),
        *_unlike("size", {"/": inode_size(pair.kernel.upper)}, {"/": pair.ours.size_rw}),
    ]


def _opaque(pair: Pair) -> list[str]:
    return [path for path, marks in marks_of_the_kernel(pair.kernel).items() if marks.get(OPAQUE) == b"y"]


def _upper(pair: Pair) -> dict[str, UpperNode]:
    """Read the kernel's upper; the owner of a mark is nobody's promise.

    A mark that a rename leaves is made by the file system below, in the directory itself, which may give it its group;
    all others are links of one inode of root's. Blocks are not compared either: ext4 lets a directory or a file keep
    the block that its attributes or names once needed.
    """
    nodes = upper_of_the_kernel(pair.kernel)
    for path, node in nodes.items():
        if node.kind == "char" and os.lstat(f"{pair.kernel.upper}{path}").st_rdev == 0:
            nodes[path] = node._replace(uid=0, gid=0)
    return nodes


def _links(fs: ls.Overlay | Disk, paths: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return for each file how many names it has, and the first one of those that are seen."""
    first: dict[tuple[int, int], str] = {}
    links = {}
    for path in sorted(paths):
        found = fs.lstat(path)
        if not stat.S_ISDIR(found.st_mode):
            links[path] = (found.st_nlink, first.setdefault((found.st_dev, found.st_ino), path))
    return links


def _unlike(what: str, expected: Mapping[str, Value], actual: Mapping[str, Value]) -> list[str]:
    return [
        f"{what} {path!r}: the kernel has {expected.get(path, 'nothing')}, layersim {actual.get(path, 'nothing')}"
        for path in sorted(expected.keys() | actual.keys())
        if expected.get(path, 0) != actual.get(path, 0)
    ]
