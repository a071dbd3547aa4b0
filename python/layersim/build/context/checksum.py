"""BuildKit's content keys: what the digest of a selection depends on, and nothing else."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

from layersim.build.context.dialect import OLD
from layersim.build.context.tree import CAPABILITY, SentTree, below, file_digests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.build.context.dialect import Dialect
    from layersim.build.context.selection import Selection, Source
    from layersim.build.context.tree import Status, Tree


def content_checksum(selections: Sequence[Selection]) -> str:
    """Return the key of the content that an instruction copies.

    Parameters
    ----------
    selections : sequence of Selection
        Of its words, in order.

    Returns
    -------
    str
        64 hex digits. They follow from the names, relative to a copied directory, and from types, modes, owners, sizes,
        targets, capabilities and bytes; not from times, nor from what a copied directory itself is.

    Notes
    -----
    It is not the digest that BuildKit computes, but changes exactly when that one does.
    """
    hasher = hashlib.sha256()
    for selection in selections:
        for source in selection.sources:
            hasher.update(_sum(selection.tree, source))
    return hasher.hexdigest()


def _sum(tree: Tree, source: Source) -> bytes:
    if not isinstance(tree, SentTree):
        return _summed(tree, source)
    key = (source.path, "" if source.is_dir else source.name)
    known = tree.sums.get(key)
    if known is None:
        known = tree.sums[key] = _summed(tree, source)
    return known


def folder_checksum(selection: Selection, dialect: Dialect, *, is_sent: bool) -> str:
    """Return the key of what a mount shows: that of its content, and what a directory itself is.

    Parameters
    ----------
    selection : Selection
        What it shows.
    dialect : Dialect
        20.10 does not look at the owner of the directory.
    is_sent : bool
        Whether it is the context, of which a directory's own mode and owner do not count.
    """
    (source,) = selection.sources
    content = content_checksum([selection])
    if is_sent or not source.is_dir:
        return content
    found = source.status
    owner = "" if dialect.generation == OLD else f" {found.st_uid} {found.st_gid}"
    return f"{content} {found.st_mode:o}{owner}"


def _summed(tree: Tree, source: Source) -> bytes:
    hasher = hashlib.sha256()
    if source.is_dir:
        cut = len(source.path) + 1 if source.path else 0
        entries = [(path, path[cut:], found) for path, found in below(tree, source.path)]
    else:
        entries = [(source.path, source.name, source.status)]
    files = [path for path, _, found in entries if stat.S_ISREG(found.st_mode)]
    digests = dict(zip(files, file_digests(tree, files), strict=True))
    hasher.update(b"%d\0" % len(entries))
    for path, name, found in entries:
        hasher.update(_described(tree, path, name, found))
        hasher.update(digests.get(path, b""))
    return hasher.digest()


def _described(tree: Tree, path: str, name: str, found: Status) -> bytes:
    """Return what counts of an entry beside its bytes, in a form that no other entry has."""
    is_file, is_link = stat.S_ISREG(found.st_mode), stat.S_ISLNK(found.st_mode)
    size = found.st_size if is_file else 0
    target = tree.readlink(path) if is_link else ""
    mode = tree.modes.get(path, found.st_mode) if isinstance(tree, SentTree) else found.st_mode
    text = f"{name}\0{mode} {found.st_uid} {found.st_gid} {size} {found.st_rdev}\0{target}\0"
    return text.encode(errors="surrogateescape") + _capability(tree, path, is_file=is_file)


def _capability(tree: Tree, path: str, *, is_file: bool) -> bytes:
    """Return the capability of a file of a layer, with its length; those of the host do not reach BuildKit."""
    if not is_file or isinstance(tree, SentTree) or CAPABILITY not in tree.listxattr(path, follow_symlinks=False):
        return b"0\0"
    value = tree.getxattr(path, CAPABILITY, follow_symlinks=False)
    return b"%d\0" % len(value) + value
