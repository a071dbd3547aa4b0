"""COPY and ADD as steps: which files each word names, and where they go."""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING

from layersim._core import View
from layersim.analysis.replay.contents import (
    Base,
    Directories,
    Entry,
    FromCommand,
    FromContext,
    FromStage,
    ask,
    is_directory,
)
from layersim.analysis.replay.keys import legacy_step
from layersim.analysis.replay.patterns import sources
from layersim.analysis.replay.program import PlannedStep, Source
from layersim.build.context.ignore import Ignore
from layersim.build.context.patterns import is_wild
from layersim.build.context.remote import check_word, is_url
from layersim.build.context.selection import select
from layersim.build.copied import Copying
from layersim.build.copying.parents import split_at_pivot
from layersim.build.dockerfile import Add, Copy
from layersim.build.texts import copied_by
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from layersim.analysis.replay.contents import Answer, Origin
    from layersim.analysis.replay.files import Naming
    from layersim.analysis.replay.traced import Traced, TracedStage

_ARCHIVES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")


def trace_copy(traced: Traced, stage: TracedStage, instruction: Copy | Add) -> PlannedStep:
    """Read a COPY or ADD; add what it copies to what its stage has."""
    return _Tracing(traced, stage, instruction).step()


class _Tracing:
    def __init__(self, traced: Traced, stage: TracedStage, instruction: Copy | Add) -> None:
        self._traced, self._stage, self._one = traced, stage, instruction
        self._is_legacy = traced.dialect.builder == "legacy"
        self._copying = Copying(instruction, (), traced.request)
        self._dest = self._copying.dest(stage.draft)
        self._excludes = Ignore(instruction.excludes, traced.dialect) if instruction.excludes else None

    def step(self) -> PlannedStep:
        """Return the step."""
        chosen = [self._source(word) for word in self._one.sources]
        texts = [
            Entry(self._place(doc.name, is_file=True), len(doc.body.encode()), doc.body) for doc in self._one.contents
        ]
        origins: list[Origin] = [origin for _, origin in chosen]
        if texts:
            origins.append(FromCommand(-1, texts))
        if self._dest.endswith("/") or any(map(self._is_folder, self._one.sources)):
            origins.append(Directories([self._dest.rstrip("/") or "/"]))
        self._stage.origins += origins
        size = sum(entry.size for entry in texts)
        number = self._traced.number(self._definition())
        return PlannedStep(self._one.text, number, tuple(source for source, _ in chosen), own_size=size)

    def _definition(self) -> Hashable:
        draft, scope, dialect = self._stage.draft, self._stage.state.scope, self._traced.dialect
        if self._is_legacy:
            return legacy_step(draft, copied_by(self._one, draft, scope, ""), dialect)
        texts = tuple((doc.name, doc.body) for doc in self._one.contents)
        words = self._copying.names()
        return type(self._one).__name__, words, self._dest, tuple(sorted(self._copying.options().items())), texts

    def _source(self, word: str) -> tuple[Source, Origin]:
        check_word(word, type(self._one).__name__.upper(), self._traced.dialect)
        if is_url(word):
            raise BuildError(f"{self._one.text}: what is found at a URL is not known here; only Engine.build takes it")
        if isinstance(self._one, Add) and word.endswith(_ARCHIVES):
            raise BuildError(
                f"{self._one.text}: what an archive holds is not known here; only Engine.build extracts it"
            )
        below = self._below()
        missing = self._missing(word) if self._is_legacy or not is_wild(word) else None
        named = sources(word)
        dest = self._dest_of(word)
        if below is None:
            origin: Origin = FromContext(self._traced.files, dest)
        else:
            origin = FromStage(below, lambda path: dest(path.lstrip("/")))
        content = self._asked(below, lambda path: self._counted(path, named(path)))
        return Source(content, missing), origin

    def _asked(self, below: Sequence[Origin] | None, naming: Naming) -> Answer:
        if below is None:
            return ask([FromContext(self._traced.files, lambda path: path)], naming)
        return ask(below, lambda path: naming(path.lstrip("/")))

    def _counted(self, path: str, found: tuple[str, bool] | None) -> str | None:
        """Return the name under which a file counts: relative to what the word names, in the legacy builder in full."""
        if found is None or self._is_excluded(found[0]):
            return None
        return path if self._is_legacy else found[0]

    def _is_excluded(self, name: str) -> bool:
        return self._excludes is not None and not self._is_legacy and self._excludes.excludes(name)

    def _dest_of(self, word: str) -> Naming:
        named = sources(word)
        parents = isinstance(self._one, Copy) and self._one.parents and not self._is_legacy
        pivot = posixpath.normpath("/" + split_at_pivot(word)[0]).lstrip("/")
        depth = pivot.count("/") + 1 if pivot else 0

        def dest(path: str) -> str | None:
            found = named(path)
            if found is None or (self._excludes is not None and self._is_excluded(found[0])):
                return None
            kept = path.split("/", depth)[-1]
            return self._place(kept, is_file=False) if parents else self._place(found[0], is_file=found[1])

        return dest

    def _place(self, name: str, *, is_file: bool) -> str:
        return self._dest if is_file and not self._is_into else self._start + name

    @cached_property
    def _start(self) -> str:
        return f"{self._dest.rstrip('/')}/"

    @cached_property
    def _is_into(self) -> bool:
        """Whether a file goes into the destination, not in its place."""
        return self._dest.endswith("/") or is_directory(self._stage.origins, self._dest)

    def _is_folder(self, word: str) -> bool:
        """Whether a word names a directory of the context now."""
        named = sources(word)
        found = (named(path) for path in self._traced.files.files)
        return any(one is not None and not one[1] for one in found)

    def _below(self) -> Sequence[Origin] | None:
        word = self._one.source_stage if isinstance(self._one, Copy) else None
        if word is None:
            return None
        stage = self._stage.state.planned.sources.get(word)
        if stage is not None:
            return tuple(self._traced.stages[stage].origins)
        image = self._traced.image(word)
        if not image.is_known:
            raise BuildError(
                f"{self._one.text}: the files of {word} are not known; give an engine that has it as bases"
            )
        return [Base(image.view)]

    def _missing(self, word: str) -> Callable[[], BuildError] | None:
        """Return what makes the builder's error for a word that names nothing."""
        if not posixpath.normpath("/" + word).strip("/"):
            return None
        keyword = type(self._one).__name__.upper()
        is_context = not isinstance(self._one, Copy) or self._one.source_stage is None

        def make() -> BuildError:
            try:
                select(View([]), word, self._traced.dialect, instruction=keyword, from_stage=not is_context)
            except BuildError as error:
                return error
            return BuildError(f"{keyword} failed: no source files were specified")

        return make
