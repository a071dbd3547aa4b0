"""COPY and ADD as the builder in the engine does them: by tars, and owners set afterwards."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from layersim.build.context.tree import LinkLoopError, below_file, resolve, status
from layersim.build.copying.archives import extract, opened_archive
from layersim.build.copying.leaf import describe, make_leaf, set_attributes, set_time
from layersim.build.copying.owners import Owner, find_owner
from layersim.build.copying.place import Making, is_directory, make_directories, remove_all, touch
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Overlay
    from layersim.build.context import Dialect, Selection, Source
    from layersim.build.context.tree import Status, Tree
    from layersim.build.copying.options import CopyOptions

ROOT = Owner(0, 0)
PERMISSIONS = 0o7777
REFUSAL = "failed to copy files: "
CHMOD_REFUSAL = (
    "the --chmod option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to "
    "build images with BuildKit enabled"
)


def copy_legacy(
    overlay: Overlay, selections: Sequence[Selection], dest: str, options: CopyOptions, dialect: Dialect
) -> None:
    """Copy what is selected to an absolute destination, in order."""
    found = [(selection, source) for selection in selections for source in selection.sources]
    _check([source for _, source in found], dest, options)
    owner = None if options.owner is None else find_owner(overlay, options.owner, dialect)
    place = _place(overlay, dest)
    for selection, source in found:
        own = owner or (None if selection.keeps_owner else ROOT)
        copying = _Copying(overlay, selection.tree, own, dialect)
        if source.is_dir:
            copying.directory(source, place)
        elif options.instruction != "ADD" or selection.is_download or not copying.extracted(source, place):
            copying.file(source, place, is_into=dest.endswith("/"))


def _check(sources: Sequence[Source], dest: str, options: CopyOptions) -> None:
    if options.mode is not None:
        raise BuildError(CHMOD_REFUSAL)
    if not sources:
        raise BuildError(f"{options.instruction} failed: no source files were specified")
    if len(sources) > 1 and not dest.endswith("/"):
        text = f"When using {options.instruction} with more than one source file, the destination must be a directory"
        raise BuildError(f"{text} and end with a /")
    for source in sources:
        if stat.S_ISFIFO(source.status.st_mode):
            raise BuildError(f"cannot copy {source.given!r}: the builder waits for ever for what a named pipe says")


def _place(overlay: Overlay, dest: str) -> str:
    """Return the destination with its links followed."""
    try:
        place = resolve(overlay, dest)
    except LinkLoopError as error:
        raise BuildError(f"{REFUSAL}evalSymlinksInScope: too many links in {dest}") from error
    in_file = below_file(overlay, place)
    if in_file:
        raise BuildError(f"{REFUSAL}lstat /{in_file}: not a directory")
    return place


class _Copying:
    """One source of one instruction."""

    def __init__(self, overlay: Overlay, tree: Tree, owner: Owner | None, dialect: Dialect) -> None:
        self.overlay, self.tree, self.owner, self.dialect = overlay, tree, owner, dialect
        self.links: dict[tuple[int, int], str] = {}

    def file(self, source: Source, place: str, *, is_into: bool) -> None:
        """Copy a file; its attributes stay behind."""
        if is_into or is_directory(status(self.overlay, place)):
            place = f"{place}/{source.name}".lstrip("/")
        making = Making(self.owner, refusal=f"{REFUSAL}failed to create new directory: ")
        make_directories(self.overlay, place.rpartition("/")[0], making)
        self._replace(place)
        make_leaf(self.overlay, place, self.tree, source.path, source.status)
        self._describe(source.status, place)
        self._give(place)

    def directory(self, source: Source, place: str) -> None:
        """Copy what is in a directory; owners are set when all is there."""
        was_there = is_directory(status(self.overlay, place))
        making = Making(ROOT, refusal=f"{REFUSAL}failed to copy directory: ")
        make_directories(self.overlay, place, making)
        touch(self.overlay, place)
        copied: list[str] = [] if was_there else [place]
        times: list[tuple[str, int | None]] = []
        self._contents(source.path, place, copied, times)
        for target, mtime_ns in times:
            # What the tar of the context only implies is made by the engine, now.
            if mtime_ns is None:
                touch(self.overlay, target)
            else:
                set_time(self.overlay, target, mtime_ns)
        for target in copied:
            self._give(target)

    def _contents(self, directory: str, place: str, copied: list[str], times: list[tuple[str, int | None]]) -> None:
        for name in self.tree.listdir("/" + directory):
            path, target = (f"{start}/{name}".lstrip("/") for start in (directory, place))
            found = self.tree.lstat(path)
            copied.append(target)
            if not stat.S_ISDIR(found.st_mode):
                self._leaf(path, found, target)
                continue
            if not is_directory(status(self.overlay, target)):
                self._replace(target)
                self.overlay.mkdir(target)
            self._describe(found, target)
            times.append((target, None if getattr(found, "is_implied", False) else found.st_mtime_ns))
            self._contents(path, target, copied, times)

    def _leaf(self, path: str, found: Status, target: str) -> None:
        self._replace(target)
        if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
            first = self.links.setdefault((found.st_dev, found.st_ino), target)
            if first != target:
                self.overlay.link(first, target)
                return
        make_leaf(self.overlay, target, self.tree, path, found)
        self._describe(found, target)
        set_attributes(self.overlay, target, self.tree, path, capability_only=True)

    def _replace(self, target: str) -> None:
        remove_all(self.overlay, target, status(self.overlay, target))

    def _describe(self, found: Status, target: str) -> None:
        describe(self.overlay, target, found, Owner(found.st_uid, found.st_gid), found.st_mode & PERMISSIONS)
        set_time(self.overlay, target, found.st_mtime_ns)

    def _give(self, target: str) -> None:
        """Set the owner, which takes set-id bits and capabilities away."""
        if self.owner is not None:
            self.overlay.chown(target, *self.owner, follow_symlinks=False)

    def extracted(self, source: Source, place: str) -> bool:
        """Extract a source into the destination if it is an archive; owners are those of the archive."""
        if not stat.S_ISREG(source.status.st_mode):
            return False
        archive = opened_archive(self.tree.read_bytes(source.path), self.dialect)
        if archive is None:
            return False
        make_directories(self.overlay, place, Making(ROOT, refusal=REFUSAL))
        extract(self.overlay, place, archive, self.dialect, owner=None)
        return True
