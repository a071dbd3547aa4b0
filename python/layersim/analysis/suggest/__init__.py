"""Better Dockerfiles that make the same image, each with what it saves and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

from layersim.analysis.replay import NO_BASES, Declared, Series
from layersim.analysis.replay.edits import read_edits, start_of
from layersim.analysis.replay.series import NO_ARGUMENTS
from layersim.analysis.suggest.equality import Equality
from layersim.analysis.suggest.script import Script
from layersim.analysis.suggest.search import Cost, Search
from layersim.build import dialect_of
from layersim.build.context.reading import IGNORE_FILE
from layersim.profiles import find_profile
from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.analysis.replay.bases import Bases
    from layersim.analysis.replay.edits import Changes, Source
    from layersim.analysis.replay.series import Arguments
    from layersim.analysis.suggest.search import Found
    from layersim.build.running import RunTable

__all__ = ["Suggestion", "Suggestions", "suggest"]

_MOST_STEPS = 20
_BYTES_A_SECOND = 12_500_000


@dataclass(frozen=True)
class Suggestion:
    """A Dockerfile that makes the same image, and what it saves over the edits.

    Attributes
    ----------
    rule : str
        What was done: ``order``, ``manifests first``, ``variables late``, ``delete where it is made``,
        ``describe at COPY``, ``tools in a stage``, ``ignore``; several, joined by commas, for `Suggestions.best`.
    text : str
        The changed Dockerfile.
    ignore : str
        The ``.dockerignore`` beside it; empty where there is none.
    diff : str
        What changed, as ``diff -u`` shows it.
    saved_seconds : float
        Of the builds after the edits.
    saved_bytes : int
        Of the layers that these builds push.
    size_saved : int
        Bytes by which the last image is smaller.
    evidence : str
        Why, in a sentence.
    run : Declared
        What does its commands in a build: the effects that were declared, also of commands that were put together.
    """

    rule: str
    text: str
    ignore: str
    diff: str = field(repr=False)
    saved_seconds: float
    saved_bytes: int
    size_saved: int
    evidence: str
    run: Declared = field(repr=False)

    def __str__(self) -> str:
        """Say it in a line, and show what changes."""
        saved = [
            f"{self.saved_seconds:g} s",
            _compared(self.saved_bytes, "to push", ("less", "more")),
            _compared(self.size_saved, "image", ("smaller", "larger")),
        ]
        return f"{self.rule}: saves {', '.join(filter(None, saved))}\n{self.evidence}\n{self.diff}"


def _compared(saved: int, what: str, words: tuple[str, str]) -> str:
    """Say by how many bytes something became less or more; nothing where it did not."""
    return f"{what} {human_size(abs(saved))} {words[saved < 0]}" if saved else ""


class Suggestions(Sequence[Suggestion]):
    """What `suggest` found, the best first.

    Parameters
    ----------
    script : Script
        What was looked at.
    search : Search
        Finds more.
    """

    def __init__(self, script: Script, search: Search) -> None:
        self._script, self._search = script, search
        self._found = [_suggestion(script, found, search) for found in search.found(script)]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Suggestion: ...
    @overload
    def __getitem__(self, index: slice) -> list[Suggestion]: ...
    def __getitem__(self, index: int | slice) -> Suggestion | list[Suggestion]:
        """Return one, or several."""
        return self._found[index]

    def __iter__(self) -> Iterator[Suggestion]:
        """Iterate over them."""
        return iter(self._found)

    def __str__(self) -> str:
        """Return all of them."""
        return "\n".join(map(str, self._found))

    @cached_property
    def best(self) -> Suggestion | None:
        """All that help, one after another: the best is taken, and the rules are tried again on the result."""
        script = self._script
        taken: list[Found] = []
        before: Cost | None = None
        while len(taken) < _MOST_STEPS and (found := self._search.found(script)):
            before = before or found[0].before
            taken.append(found[0])
            script = found[0].proposal.script
        if before is None:
            return None
        return _combined(self._script, taken, before, self._search)


def _suggestion(script: Script, found: Found, search: Search) -> Suggestion:
    return _combined(script, [found], found.before, search)


def _combined(script: Script, taken: Sequence[Found], before: Cost, search: Search) -> Suggestion:
    last, after = taken[-1].proposal.script, taken[-1].after
    return Suggestion(
        rule=", ".join(dict.fromkeys(found.proposal.rule for found in taken)),
        text=last.text,
        ignore=last.ignore,
        diff=last.diff(script),
        saved_seconds=before.seconds - after.seconds,
        saved_bytes=before.pushed - after.pushed,
        size_saved=before.size - after.size,
        evidence="; ".join(found.proposal.evidence for found in taken),
        run=search.run_of(last),
    )


def suggest(
    dockerfile: str | bytes,
    context: Source | None,
    changes: Changes,
    *,
    run: RunTable,
    bases: Bases = NO_BASES,
    builder: Literal["buildkit", "legacy"] = "buildkit",
    profile: str = "overlay2",
    build_args: Arguments = NO_ARGUMENTS,
    limit: int | None = None,
    bytes_per_second: float = _BYTES_A_SECOND,
    progress: Callable[[int, int], object] | None = None,
) -> Suggestions:
    r"""Look for Dockerfiles that make the same image and cost less over a series of edits.

    Parameters
    ----------
    dockerfile : str or bytes
        Its text.
    context : path, bytes-like, binary file or mapping
        What is there before the first edit, as `replay` takes it; None where `changes` is a history.
    changes : iterable of edits, or path
        As `replay` takes them.
    run : RunTable
        What commands are declared to do, made by `layersim.runs`.
    bases : Engine or mapping of str to int or str
        The images that stages start from: an engine that has them, or their sizes.
    builder : {"buildkit", "legacy"}
        Whose rules count.
    profile : str, default "overlay2"
        Which generation of the builder.
    build_args : mapping of str to str or sequence of str
        As `replay` takes them.
    limit : int, optional
        No more edits than this; of a history the newest.
    bytes_per_second : float
        How many bytes are worth a second, when suggestions are compared; 100 Mbit/s by default.
    progress : callable, optional
        Called with the proposals that were tried and all there are; `Suggestions.best` tries several times.

    Returns
    -------
    Suggestions
        The best first; `Suggestions.best` takes all that go together. Nothing is written anywhere.

    Raises
    ------
    BuildError
        A command has no declared effect, or a base no size; or no build of the series succeeds.
    DockerfileError
        The Dockerfile is wrong.

    Notes
    -----
    Builds before the first that succeeds and after the last one are left out: a history often begins before there was
    anything to build.
    A suggestion is one only if `Engine.build` makes the same image with it, before the first edit and after the last:
    files with modes, owners and contents, times aside, and the config, the order of variables aside. The builds happen
    in an engine of their own, with what is declared; synthetic files are made small there.

    Examples
    --------
    >>> import layersim as ls
    >>> table = ls.runs({"npm ci": ls.effect(files={"node_modules": (300, "40MB")}, uses=["package.json"], seconds=30)})
    >>> naive = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"
    >>> found = ls.suggest(naive, {"package.json": 500, "server.js": 20_000}, [["server.js"]] * 9, run=table,
    ...                    bases={"node:20": "180MB"})
    >>> found[0].rule, found[0].saved_seconds
    ('manifests first', 270.0)
    """
    dialect = dialect_of(builder, find_profile(profile))
    declared = Declared(run)
    files = start_of(context, changes, dialect, limit)
    text = dockerfile if isinstance(dockerfile, str) else dockerfile.decode(errors="surrogateescape")
    given = Series(files, read_edits(changes, limit), declared, bases, dialect, build_args).buildable(text)
    files = dict(given.files)
    ignore = files.pop(IGNORE_FILE, None)
    series = replace(given, files=files)
    script = Script.read(text, (ignore.data or b"").decode(errors="surrogateescape") if ignore else "", dialect)
    equality = Equality(declared, bases, builder=builder, profile=profile, build_args=series.given(0))
    return Suggestions(script, Search(series, equality, bytes_per_second, progress))
