"""The legacy builder's sums of sources, which it writes into the history: ``file:``, ``dir:``, ``multi:``."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

from layersim.build.context.dialect import OLD
from layersim.build.context.tree import CAPABILITY, LinkLoopError, below, file_digests, resolve, status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layersim.build.context.dialect import Dialect
    from layersim.build.context.selection import Selection
    from layersim.build.context.tree import Status, Tree

_TYPE_FLAGS = {stat.S_IFREG: "0", stat.S_IFCHR: "3", stat.S_IFBLK: "4", stat.S_IFDIR: "5"}
_FIFO = "6"
_ROOT = "."
PERMISSIONS = 0o7777


def source_sum(selections: Sequence[Selection], dialect: Dialect) -> str:
    """Return the sum of all sources of one instruction.

    Parameters
    ----------
    selections : sequence of Selection
        Of its words, in order.
    dialect : Dialect
        The builder: 20.10 hashes modes with the type of the file in them.

    Returns
    -------
    str
        ``file:`` or ``dir:`` and 64 hex digits; of a download the digits alone; of several sources ``multi:`` and the
        digest of their sums.
    """
    sums = [one for selection in selections for one in _sums(selection, dialect)]
    return sums[0] if len(sums) == 1 else "multi:" + _hex(",".join(sums))


def _sums(selection: Selection, dialect: Dialect) -> list[str]:
    tree, is_tar = selection.tree, not (selection.keeps_owner or selection.is_download)
    wanted = [
        _inside(tree, source.path, is_tar=is_tar) if source.is_dir else [source.path] for source in selection.sources
    ]
    # What a link in a directory leads to counts, not the link; several names may lead to one.
    entries = _Entries(tree, dialect, is_tar=is_tar)
    kind = "" if selection.is_download else "file:"
    digests = entries.sums({path for paths in wanted for path in paths})
    return [
        "dir:" + _hex(",".join(sorted(digests[path] for path in paths))) if source.is_dir else kind + digests[path]
        for source, paths in zip(selection.sources, wanted, strict=True)
        for path in paths[:1] or [""]
    ]


def _inside(tree: Tree, directory: str, *, is_tar: bool) -> list[str]:
    """Return the paths whose sums make up a directory's, itself included unless it is the root."""
    own = [directory] if directory else []
    followed = (_followed(tree, path, is_tar=is_tar) for path, _ in below(tree, directory))
    return own + [path for path in followed if path is not None]


def _followed(tree: Tree, path: str, *, is_tar: bool) -> str | None:
    """Return what a path leads to; in a tar itself, if that is nothing or the root. A loop counts for nothing."""
    try:
        place = resolve(tree, path)
    except LinkLoopError:
        return None
    if is_tar:
        return place if place and status(tree, place) is not None else path
    return place or _ROOT


class _Entries:
    """Sums of single entries, as the tar that the client sent has them."""

    def __init__(self, tree: Tree, dialect: Dialect, *, is_tar: bool) -> None:
        self.tree, self.dialect, self.is_tar = tree, dialect, is_tar
        self.first_names: dict[tuple[int, int], str] = {}
        if is_tar:
            for path, found in below(tree, ""):
                if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
                    self.first_names.setdefault((found.st_dev, found.st_ino), path)

    def sums(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the sum of each path in hex; of what no tar names, the path itself."""
        files, heads, sums = [], [], {}
        for path in paths:
            found = self._counted(path)
            if found is None or getattr(found, "is_implied", False):
                sums[path] = path
                continue
            target = self._target(path, found)
            if stat.S_ISREG(found.st_mode) and not target:
                files.append(path)
                heads.append(self._head(path, found, "0", "") + self._capability(path))
            else:
                flag = "1" if stat.S_ISREG(found.st_mode) else _TYPE_FLAGS.get(stat.S_IFMT(found.st_mode), _FIFO)
                sums[path] = hashlib.sha256(self._head(path, found, flag, target)).hexdigest()
        digests = file_digests(self.tree, files, heads)
        return sums | {path: digest.hex() for path, digest in zip(files, digests, strict=True)}

    def _counted(self, path: str) -> Status | None:
        """Return what a path is, links being followed already: one that is left leads nowhere."""
        found = status(self.tree, "" if path == _ROOT else path)
        return None if found is not None and stat.S_ISLNK(found.st_mode) else found

    def _target(self, path: str, found: Status) -> str:
        """Return the first name of a file that the tar has already."""
        first = self.first_names.get((found.st_dev, found.st_ino), path)
        return first if first != path else ""

    def _head(self, path: str, found: Status, flag: str, target: str) -> bytes:
        is_dir = stat.S_ISDIR(found.st_mode)
        size = 0 if flag != "0" else found.st_size
        mode = found.st_mode if self.dialect.generation == OLD else found.st_mode & PERMISSIONS
        is_device = flag in {"3", "4"}
        major, minor = (found.st_rdev >> 8 & 0xFFF, found.st_rdev & 0xFF) if is_device else (0, 0)
        user, group = self._names(found)
        head = f"name{path}{'/' if is_dir else ''}mode{mode}uid{found.st_uid}gid{found.st_gid}size{size}"
        head += f"typeflag{flag}linkname{target}uname{user}gname{group}devmajor{major}devminor{minor}"
        return head.encode(errors="surrogateescape")

    def _names(self, found: Status) -> tuple[str, str]:
        """Return names of owners: 20.10 looks those of stages up on its host, where we know of root alone."""
        if self.is_tar or self.dialect.generation != OLD:
            return "", ""
        return "" if found.st_uid else "root", "" if found.st_gid else "root"

    def _capability(self, path: str) -> bytes:
        if CAPABILITY not in self.tree.listxattr(path, follow_symlinks=False):
            return b""
        return CAPABILITY.encode() + self.tree.getxattr(path, CAPABILITY, follow_symlinks=False)


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
