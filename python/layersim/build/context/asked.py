"""What a build asks of its context: BuildKit's client sends that alone."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.context.tree import SentTree, below, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.build.context.tree import Status, Tree


@dataclass(frozen=True)
class Asked:
    """What some paths stand for.

    Attributes
    ----------
    names : frozenset of str
        Files, directories and what is in them, and the directories that they are in.
    size : int
        Bytes of the files.
    """

    names: frozenset[str]
    size: int


def asked_of(tree: Tree, paths: frozenset[str]) -> Asked:
    """Return what is sent for some paths of a tree; the empty one is its root."""
    if not isinstance(tree, SentTree):
        return _asked(tree, paths)
    known = tree.memo.get(paths)
    if not isinstance(known, Asked):
        known = tree.memo[paths] = _asked(tree, paths)
    return known


def _asked(tree: Tree, paths: frozenset[str]) -> Asked:
    chosen = paths if "" not in paths else {""}
    found = dict(entry for path in chosen for entry in _inside(tree, path))
    size = sum(one.st_size for one in found.values() if stat.S_ISREG(one.st_mode))
    return Asked(frozenset(found) | {parent for path in chosen for parent in _parents(path)}, size)


def _inside(tree: Tree, path: str) -> Iterator[tuple[str, Status]]:
    found = status(tree, path)
    if found is None:
        return
    yield path, found
    if stat.S_ISDIR(found.st_mode):
        yield from below(tree, path)


def _parents(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path
