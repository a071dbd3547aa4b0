"""COPY and ADD as BuildKit does them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from layersim.build.context.dialect import is_new_buildkit
from layersim.build.context.ignore import Ignore
from layersim.build.context.tree import SentTree, status
from layersim.build.copying.archives import extract, opened_archive
from layersim.build.copying.leaf import describe, make_leaf, set_attributes, set_time
from layersim.build.copying.modes import read_mode
from layersim.build.copying.owners import Owner, find_owner
from layersim.build.copying.parents import Wanted, everything, pivoted
from layersim.build.copying.place import Making, followed, is_directory, make_directories, touch
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Overlay
    from layersim.build.context import Dialect, Selection, Source
    from layersim.build.context.tree import Status, Tree
    from layersim.build.copying.options import CopyOptions


def copy_buildkit(
    overlay: Overlay, selections: Sequence[Selection], dest: str, options: CopyOptions, dialect: Dialect
) -> None:
    """Copy what is selected to an absolute destination, in order."""
    copying = _Copying(overlay, dest, options, dialect)
    for selection in selections:
        if options.parents:
            copying.with_parents(selection)
            continue
        for source in selection.sources:
            copying.one(selection.tree, source, is_download=selection.is_download)


class _Copying:
    """One instruction."""

    def __init__(self, overlay: Overlay, dest: str, options: CopyOptions, dialect: Dialect) -> None:
        self.overlay, self.options, self.dialect = overlay, options, dialect
        self.is_new = is_new_buildkit(dialect)
        self.place = followed(overlay, dest)
        self.is_into = dest.endswith("/") or (self.is_new and dest.endswith("/."))
        self.owner = None if options.owner is None else find_owner(overlay, options.owner, dialect)
        self.mode = read_mode(options.mode, dialect)
        self.making = Making(self.owner, self.mode.made)
        self.excludes = Ignore(options.exclude, dialect) if options.exclude else None

    def one(self, tree: Tree, source: Source, *, is_download: bool = False) -> None:
        """Copy one source."""
        if source.is_dir:
            make_directories_to(self.overlay, self.place, self.making, is_exact=self.is_into)
            self._grafting(tree, everything(self.excludes)).contents(source.path, self.place)
            return
        if self._unpacks(is_download=is_download) and self._unpacked(tree, source):
            return
        target, grafting = self._target(source), self._grafting(tree, everything(None))
        if is_download and not self.is_new:
            grafting.mode = read_mode(None, self.dialect)  # 20.10 does not change the mode of what it downloads
        grafting.leaf(source.path, source.status, target)

    def _target(self, source: Source) -> str:
        """Return where a file goes; what is missing on the way is made."""
        if self.is_into:
            make_directories(self.overlay, self.place, self.making)
        if is_directory(status(self.overlay, self.place)):
            return f"{self.place}/{source.name}".lstrip("/")
        make_directories(self.overlay, self.place.rpartition("/")[0], self.making)
        return self.place

    def with_parents(self, selection: Selection) -> None:
        """Copy what a word names below the destination, with the directories that lead there from the pivot on."""
        starts, wanted = pivoted(selection, self.dialect, self.excludes)
        make_directories(self.overlay, self.place, self.making)
        for start in starts:
            self._grafting(selection.tree, wanted).contents(start, self.place)

    def _unpacks(self, *, is_download: bool) -> bool:
        """Tell whether archives are looked for; what was downloaded is one only if the flag says so."""
        wanted = self.options.unpack
        return self.options.instruction == "ADD" and (not is_download if wanted is None else wanted)

    def _unpacked(self, tree: Tree, source: Source) -> bool:
        """Extract a source into the destination if it is an archive."""
        if not stat.S_ISREG(source.status.st_mode):
            return False
        archive = opened_archive(tree.read_bytes(source.path), self.dialect)
        if archive is None:
            return False
        make_directories(self.overlay, self.place, Making(self.owner))
        extract(self.overlay, self.place, archive, self.dialect, owner=self.owner if self.is_new else None)
        return True

    def _grafting(self, tree: Tree, wanted: Wanted) -> _Grafting:
        return _Grafting(self, tree, wanted)


def make_directories_to(overlay: Overlay, place: str, making: Making, *, is_exact: bool) -> None:
    """Make the directory that contents go into; a file in its place has a sentence of its own."""
    found = status(overlay, place) if place else None
    if found is not None and not is_directory(found) and not is_exact:
        raise BuildError(f"cannot copy to non-directory: /{place}")
    make_directories(overlay, place, making)


class _Grafting:
    """One source, put into the overlay: names of one file stay one file within it."""

    def __init__(self, copying: _Copying, tree: Tree, wanted: Wanted) -> None:
        self.overlay, self.is_new = copying.overlay, copying.is_new
        self.owner, self.mode = copying.owner, copying.mode
        self.tree, self.wanted = tree, wanted
        self.links: dict[tuple[int, int], str] = {}
        # Directories that nothing has asked for yet; they are made before what is wanted in them.
        self.pending: list[tuple[str, Status, str]] = []

    def contents(self, directory: str, place: str) -> None:
        """Copy what is in a directory; newer engines give its time to the destination."""
        self._into(directory, "", place)
        if self.is_new and directory:
            set_time(self.overlay, place, self.tree.lstat(directory).st_mtime_ns)

    def _into(self, directory: str, relative: str, place: str) -> None:
        for name in self.tree.listdir("/" + directory):
            path, sub, target = (f"{start}/{name}".lstrip("/") for start in (directory, relative, place))
            found = self.tree.lstat(path)
            if stat.S_ISDIR(found.st_mode):
                self._directory(path, found, sub, target)
            elif self.wanted.takes(sub):
                self._make_pending()
                self.leaf(path, found, target)

    def _directory(self, path: str, found: Status, sub: str, target: str) -> None:
        self.pending.append((path, found, target))
        is_wanted = self.wanted.takes(sub)
        if is_wanted:
            self._make_pending()
        if is_wanted or self.wanted.may_hold(sub):
            self._into(path, sub, target)
        if self.pending:
            self.pending.pop()
        else:
            self._set_time_of_directory(path, found, target)

    def _set_time_of_directory(self, path: str, found: Status, target: str) -> None:
        """Set a time that what came into the directory has changed.

        In the context that 20.10 receives, a directory with something in it is as old as the transfer.
        """
        if self.is_new or not isinstance(self.tree, SentTree) or not self.tree.listdir(path):
            set_time(self.overlay, target, found.st_mtime_ns)
        else:
            touch(self.overlay, target)

    def _make_pending(self) -> None:
        for path, found, target in self.pending:
            there = status(self.overlay, target)
            if there is not None and not is_directory(there):
                raise BuildError(f"cannot copy to non-directory: /{target}")
            if there is None:
                self.overlay.mkdir(target)
            self._describe(path, found, target)
        self.pending.clear()

    def leaf(self, path: str, found: Status, target: str) -> None:
        """Copy a file, link or node in the place of whatever but a directory is there."""
        there = status(self.overlay, target)
        if is_directory(there):
            raise BuildError(f"cannot replace to directory /{target} with file")
        if stat.S_ISSOCK(found.st_mode) or (stat.S_ISFIFO(found.st_mode) and not self.is_new):
            return
        if there is not None:
            self.overlay.unlink(target)
        if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
            first = self.links.setdefault((found.st_dev, found.st_ino), target)
            if first != target:
                self.overlay.link(first, target)
                return
        if not self.is_new and (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
            self.overlay.write_bytes(target, b"")  # 20.10 makes an empty file of a device
        else:
            make_leaf(self.overlay, target, self.tree, path, found)
        self._describe(path, found, target)

    def _describe(self, path: str, found: Status, target: str) -> None:
        owner = self.owner or Owner(found.st_uid, found.st_gid)
        describe(self.overlay, target, found, owner, self.mode.of(found.st_mode))
        set_attributes(self.overlay, target, self.tree, path)
        set_time(self.overlay, target, found.st_mtime_ns)
