"""BuildKit's content keys: what the digest of a selection depends on, and nothing else."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING, NamedTuple

from layersim.build.context.dialect import is_old_buildkit
from layersim.build.context.tree import CAPABILITY, SentTree, below, file_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layersim.build.context.dialect import Dialect
    from layersim.build.context.selection import Selection, Source
    from layersim.build.context.tree import Status, Tree

_HIDDEN = ("security.", "system.")
"""Attributes that do not count, but for capabilities."""


class Counted(NamedTuple):
    """One entry that counts.

    Attributes
    ----------
    path : str
        Where it is.
    name : str
        Its own of what is copied, and relative to that what is in a directory.
    status : Status
        What is there.
    """

    path: str
    name: str
    status: Status


def all_counted(selection: Selection) -> Iterator[list[Counted]]:
    """Yield for each source of a selection the entries that count: a file, or a directory and all that is in it."""
    return (_counted(selection.tree, source) for source in selection.sources)


def _counted(tree: Tree, source: Source) -> list[Counted]:
    cut = len(source.path) + 1 if source.path else 0
    inside = below(tree, source.path) if source.is_dir else ()
    own = Counted(source.path, source.name, source.status)
    return [own, *(Counted(path, path[cut:], found) for path, found in inside)]


def content_checksum(
    selections: Sequence[Selection],
    dialect: Dialect,
    counted: Callable[[Selection], Iterable[Sequence[Counted]]] = all_counted,
) -> str:
    """Return the key of the content that an instruction copies.

    Parameters
    ----------
    selections : sequence of Selection
        Of its words, in order.
    dialect : Dialect
        The builder: owners count since 23, numbers of devices up to 20.10.
    counted : callable
        Gives of a selection the entries that count, a sequence for each source; by default all.

    Returns
    -------
    str
        64 hex digits. They follow from the names, relative to a copied directory, and from types, modes, owners, sizes,
        targets, attributes and bytes, for a copied directory itself too; not from times, nor from what the root of a
        context is.

    Notes
    -----
    It is not the digest that BuildKit computes, but changes exactly when that one does.
    """
    hasher = hashlib.sha256()
    for selection in selections:
        if counted is not all_counted or not isinstance(selection.tree, SentTree):
            for entries in counted(selection):
                hasher.update(_summed(selection.tree, entries, is_old=is_old_buildkit(dialect)))
            continue
        sums = selection.tree.sums
        for source in selection.sources:
            key = source.path, source.name
            if key not in sums:
                entries = _counted(selection.tree, source)
                sums[key] = _summed(selection.tree, entries, is_old=is_old_buildkit(dialect))
            hasher.update(sums[key])
    return hasher.hexdigest()


def folder_checksum(selection: Selection, dialect: Dialect, *, is_sent: bool) -> str:
    """Return the key of what a mount shows: its content, and what a directory itself is, but not what it is called.

    Parameters
    ----------
    selection : Selection
        What it shows.
    dialect : Dialect
        As for `content_checksum`.
    is_sent : bool
        Whether it is the context, of which a directory itself does not count.
    """

    def counted(selection: Selection) -> Iterator[list[Counted]]:
        for first, *inside in all_counted(selection):
            if not stat.S_ISDIR(first.status.st_mode):
                yield [first]
            else:
                yield inside if is_sent else [first._replace(name=""), *inside]

    return content_checksum([selection], dialect, counted)


def _summed(tree: Tree, entries: Sequence[Counted], *, is_old: bool) -> bytes:
    hasher = hashlib.sha256()
    files = [path for path, _, found in entries if stat.S_ISREG(found.st_mode)]
    digests = dict(zip(files, file_digests(tree, files), strict=True))
    hasher.update(b"%d\0" % len(entries))
    for entry in entries:
        if entry.path or not isinstance(tree, SentTree):
            hasher.update(_described(tree, entry, is_old=is_old))
            hasher.update(digests.get(entry.path, b""))
    return hasher.digest()


def _described(tree: Tree, entry: Counted, *, is_old: bool) -> bytes:
    """Return what counts of an entry beside its bytes, in a form that no other entry has."""
    path, name, found = entry
    is_file, is_link = stat.S_ISREG(found.st_mode), stat.S_ISLNK(found.st_mode)
    size = found.st_size if is_file else 0
    target = tree.readlink(path) if is_link else ""
    mode = tree.modes.get(path, found.st_mode) if isinstance(tree, SentTree) else found.st_mode
    numbers = f"{found.st_rdev}" if is_old else f"{found.st_uid} {found.st_gid}"
    text = f"{name}\0{mode} {numbers} {size}\0{target}\0"
    return text.encode(errors="surrogateescape") + _attributes(tree, path)


def _attributes(tree: Tree, path: str) -> bytes:
    """Return the attributes of what lies in a layer, with their lengths; those of the host do not reach BuildKit."""
    if isinstance(tree, SentTree):
        return b"0\0"
    names = [name for name in tree.listxattr(path or "/", follow_symlinks=False) if _counts(name)]
    told = [b"%d\0" % len(names)]
    for name in sorted(names):
        value = tree.getxattr(path or "/", name, follow_symlinks=False)
        told.append(b"%s\0%d\0" % (name.encode(errors="surrogateescape"), len(value)) + value)
    return b"".join(told)


def _counts(name: str) -> bool:
    return name == CAPABILITY or not name.startswith(_HIDDEN)
