"""One COPY or ADD on its way: what its words name, the keys of that, and how it gets into a file system."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from layersim._core import Layer, View, write
from layersim.build.context import content_checksum, downloaded, is_url, select, source_sum
from layersim.build.context.asked import asked_of
from layersim.build.context.checksum import all_counted
from layersim.build.context.dialect import is_legacy, is_new_buildkit
from layersim.build.context.ignore import Ignore
from layersim.build.context.patterns import clean
from layersim.build.context.remote import check_checksum, check_word
from layersim.build.context.synced import SyncedTree
from layersim.build.context.tree import below, file_digests
from layersim.build.copying import CopyOptions, copy_into
from layersim.build.copying.legacy import CHMOD_REFUSAL
from layersim.build.copying.modes import counted_mode
from layersim.build.copying.parents import counted_with_parents, counted_without
from layersim.build.dockerfile import Add, Copy
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layersim._core import Overlay
    from layersim.build.context import Selection, Source
    from layersim.build.context.checksum import Counted
    from layersim.build.context.tree import Status
    from layersim.build.dockerfile import Heredoc
    from layersim.build.draft import Draft
    from layersim.build.request import Request


@dataclass(frozen=True)
class Copying:
    """What a COPY or ADD copies.

    Attributes
    ----------
    instruction : Copy or Add
        Variables replaced.
    selections : tuple of Selection
        What its words name, in order.
    request : Request
        The build.
    """

    instruction: Copy | Add
    selections: tuple[Selection, ...]
    request: Request

    @classmethod
    def of(cls, instruction: Copy | Add, request: Request, view: View | None, now_ns: int) -> Copying:
        """Find what an instruction names, in a stage's or an image's files or in the context.

        Raises
        ------
        BuildError
            In the builder's words.
        """
        if instruction.chmod and is_legacy(request.dialect):
            raise BuildError(CHMOD_REFUSAL)
        chosen = [_chosen(word, instruction, request, view) for word in instruction.sources]
        if isinstance(instruction, Add) and instruction.checksum is not None and is_new_buildkit(request.dialect):
            check_checksum(instruction.checksum, chosen)
        if not is_legacy(request.dialect):  # which does not look at what is written in the Dockerfile
            chosen += [_written(doc, request, now_ns) for doc in instruction.contents]
        elif not chosen:
            raise BuildError(f"{type(instruction).__name__.upper()} failed: no source files were specified")
        return cls(instruction, tuple(chosen), request)

    def source_sum(self) -> str:
        """Return the legacy builder's sum."""
        return source_sum(self.selections, self.request.dialect)

    def checksum(self) -> str:
        """Return a key that changes when BuildKit's does."""
        one = self.instruction
        excludes = Ignore(one.excludes, self.request.dialect) if one.excludes else None
        counted: Callable[[Selection], Iterable[Sequence[Counted]]] = all_counted
        if isinstance(one, Copy) and one.parents:
            counted = partial(counted_with_parents, dialect=self.request.dialect, excludes=excludes)
        elif excludes is not None:
            counted = partial(counted_without, excludes=excludes)
        return content_checksum(self.selections, self.request.dialect, counted)

    def files(self) -> dict[str, str]:
        """Return a digest for each file, and a mode for each name."""
        return digests_of(self.selections)

    def asked(self) -> frozenset[str] | None:
        """Return the paths of the context that it asks for; None where that is none at all."""
        return asked_by(self.request, self.selections)

    def recheck(self) -> bool:
        """Hash files again that were taken for unchanged without being read; tell whether any is not what it was."""
        return rechecked(self.request, self.selections)

    def keep(self, layer: Layer) -> None:
        """Let the context know which layer has its files."""
        if isinstance(self.request.context.tree, SyncedTree):
            self.request.context.tree.keep(layer)

    def downloads(self) -> dict[str, int]:
        """Return the bytes of what was found at URLs, by URL."""
        chosen = [selection for selection in self.selections if selection.is_download]
        return {selection.word: selection.sources[0].status.st_size for selection in chosen}

    def options(self) -> dict[str, str]:
        """Return what else decides what is copied."""
        one = self.instruction
        told = {"chown": one.chown, "chmod": one.chmod and counted_mode(one.chmod), "exclude": " ".join(one.excludes)}
        unpack = one.unpack if isinstance(one, Add) else None
        if unpack is not None and unpack == bool(self.downloads()):
            told["unpack"] = str(unpack)
        told["parents"] = " ".join(one.sources) if isinstance(one, Copy) and one.parents else None
        return {name: value for name, value in told.items() if value}

    def apply(self, fs: Overlay, draft: Draft) -> None:
        """Copy into a file system.

        Raises
        ------
        BuildError
            In the builder's words.
        """
        one = self.instruction
        options = CopyOptions(
            instruction=type(one).__name__.upper(),
            owner=one.chown or None,
            mode=one.chmod or None,
            link=one.link,
            exclude=one.excludes,
            parents=isinstance(one, Copy) and one.parents,
            unpack=one.unpack if isinstance(one, Add) else None,
        )
        workdir = clean("/" + draft.working_dir)
        copy_into(fs, self.selections, one.dest, options, dialect=self.request.dialect, workdir=workdir)

    def names(self) -> str:
        """Return the last part of each word, which counts beside what it names, and the names of what is written."""
        words = [*self.instruction.sources, *(doc.name for doc in self.instruction.contents)]
        for at, selection in enumerate(self.selections[: len(self.instruction.sources)]):
            if is_url(words[at]):
                words[at] = selection.sources[0].name
        return " ".join(posixpath.basename(clean(f"/{word}")) or "/" for word in words)

    def dest(self, draft: Draft) -> str:
        """Return the destination from the root; the slash at its end means something."""
        dest = self.instruction.dest
        path = posixpath.normpath(posixpath.join("/", draft.working_dir, dest)).replace("//", "/")
        is_dir = dest.endswith(("/", "/.")) or dest in {".", ""}
        return f"{path.rstrip('/')}/" if is_dir else path


def digests_of(selections: Sequence[Selection]) -> dict[str, str]:
    """Return a digest for each file of some selections, and a mode for each name."""
    return dict(pair for selection in selections for pair in _files(selection))


def asked_by(request: Request, selections: Sequence[Selection]) -> frozenset[str] | None:
    """Return the paths of the context that some selections ask for; None where that is none at all."""
    tree = request.context.tree
    chosen = [selection for selection in selections if selection.tree is tree]
    return frozenset(source.path for selection in chosen for source in selection.sources) if chosen else None


def rechecked(request: Request, selections: Sequence[Selection]) -> bool:
    """Hash files again that were taken for unchanged without being read; tell whether any is not what it was."""
    tree = request.context.tree
    asked = asked_by(request, selections)
    return isinstance(tree, SyncedTree) and asked is not None and tree.recheck(asked_of(tree, asked).names)


def _chosen(word: str, instruction: Copy | Add, request: Request, view: View | None) -> Selection:
    """Return what one word names: a download, a file of a stage or an image, or one of the context."""
    keyword, dialect = type(instruction).__name__.upper(), request.dialect
    check_word(word, keyword, dialect)
    if is_url(word):
        return downloaded(word, instruction.dest, request.downloads, dialect)
    if view is None:
        return request.context.select(word, dialect, instruction=keyword)
    return select(view, word, dialect, instruction=keyword)


def _written(doc: Heredoc, request: Request, now_ns: int) -> Selection:
    """Return the file whose text stands in the Dockerfile."""
    data = doc.body.encode(errors="surrogateescape")
    view = View([Layer.from_changes([write(doc.name, data, mode=0o644, mtime_ns=now_ns)])])
    return select(view, doc.name, request.dialect)


def _entries(selection: Selection, source: Source) -> list[tuple[str, Status]]:
    """Return what one source is: a name, or all that is in a directory."""
    return list(below(selection.tree, source.path)) if source.is_dir else [(source.path, source.status)]


def _files(selection: Selection) -> Iterator[tuple[str, str]]:
    for source in selection.sources:
        entries = _entries(selection, source)
        files = [path for path, found in entries if stat.S_ISREG(found.st_mode)]
        for path, value in zip(files, file_digests(selection.tree, files), strict=True):
            yield path, f"sha256:{value.hex()}"
        for path, found in entries:
            yield f"{path} (mode)", f"{stat.S_IMODE(found.st_mode):04o}"
            if stat.S_ISLNK(found.st_mode):
                yield path, selection.tree.readlink(path)
