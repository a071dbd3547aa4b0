"""A series of edits, built again after each, without doing any of it: what would each Dockerfile cost?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from layersim.analysis.replay.commands import Declared
from layersim.analysis.replay.edits import read_edits, start_of
from layersim.analysis.replay.files import Files
from layersim.analysis.replay.rows import Replay, ReplayRow, ReplaySummary
from layersim.analysis.replay.simulation import Simulation
from layersim.analysis.replay.tracing import Tracer
from layersim.build import dialect_of
from layersim.profiles import find_profile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from layersim.analysis.replay.bases import Bases
    from layersim.analysis.replay.edits import Changes, Edit, Source
    from layersim.analysis.replay.simulation import Layers, Outcome
    from layersim.build.running import RunTable

__all__ = ["Declared", "Replay", "ReplayRow", "ReplaySummary", "replay"]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_BASES: Mapping[str, int | str] = MappingProxyType({})


def replay(
    variants: Mapping[str, str | bytes],
    changes: Changes,
    *,
    run: RunTable | Declared,
    context: Source | None = None,
    bases: Bases = _NO_BASES,
    builder: Literal["buildkit", "legacy"] = "buildkit",
    profile: str = "overlay2",
    build_args: Mapping[str, str] = _NOTHING,
    limit: int | None = None,
) -> Replay:
    """Tell what a series of edits would cost with one Dockerfile and with another.

    Parameters
    ----------
    variants : mapping of str to str or bytes
        Dockerfiles by name: their text.
    changes : iterable of edits, or path
        Each edit is the paths of files whose content changes, or a mapping of paths to their new content, to a new
        size, or to None where the file goes. A path is a git work tree or a directory in one, whose history is
        replayed: each commit is an edit.
    run : RunTable
        What commands are declared to do, made by `layersim.runs`: bytes and seconds are taken from it. Whatever a
        command reads it has to be said to use: then its output changes with that, and with nothing else.
    context : path, bytes-like, binary file or mapping, optional
        What is there before the first edit, as `Engine.build` takes it; in a mapping also sizes in place of content.
        A history brings its own.
    bases : Engine or mapping of str to int or str
        The images that stages start from: an engine that has them, or their sizes.
    builder : {"buildkit", "legacy"}
        Whose rules of caching count.
    profile : str, default "overlay2"
        Which generation of the builder.
    build_args : mapping of str to str
        As ``--build-arg``.
    limit : int, optional
        No more edits than this; of a history the newest.

    Returns
    -------
    Replay
        A row for each Dockerfile and edit, and one before the first edit. Its `summary` has one for each Dockerfile.

    Raises
    ------
    BuildError
        A command has no declared effect, or a base no size.
    DockerfileError
        A Dockerfile is wrong.
    ValueError, TypeError
        An edit cannot be read.

    Notes
    -----
    Each Dockerfile is built alone, with a cache of its own that loses nothing. What is cached is what `Engine.build`
    finds cached, step for step; but no build happens: the work of an edit is that of its paths and of a lookup for
    each step. Sizes are the bytes of files. A step that runs makes a new layer, even if its files are the same: their
    times differ. Archives that ``ADD`` extracts, links on the way to a file, and empty directories are not looked
    into. An edit after which a build fails is a row that says why.

    Examples
    --------
    >>> import layersim as ls
    >>> table = ls.runs({"npm ci": ls.effect(files={"node_modules": (300, "40MB")}, uses=["package.json"], seconds=30)})
    >>> naive = "FROM node:20\\nWORKDIR /app\\nCOPY . .\\nRUN npm ci\\n"
    >>> better = "FROM node:20\\nWORKDIR /app\\nCOPY package.json .\\nRUN npm ci\\nCOPY . .\\n"
    >>> files = {"package.json": 500, "server.js": 20_000}
    >>> told = ls.replay({"naive": naive, "better": better}, [["server.js"]] * 9, context=files, run=table,
    ...                  bases={"node:20": "180MB"})
    >>> [(row.variant, row.seconds, row.push_size) for row in told.summary]
    [('naive', 270.0, 360184500), ('better', 0.0, 184500)]
    """
    dialect = dialect_of(builder, find_profile(profile))
    declared = run if isinstance(run, Declared) else Declared(run)
    start = start_of(context, changes, dialect, limit)
    edits = read_edits(changes, limit)
    rows: list[ReplayRow] = []
    for name, text in variants.items():
        files = Files(dict(start), dialect)
        simulation = Simulation(Tracer(text, name, files, declared, bases, build_args).trace())
        rows += _rows(name, simulation, files, edits)
    return Replay(rows)


def _rows(variant: str, simulation: Simulation, files: Files, edits: Sequence[Edit]) -> Iterator[ReplayRow]:
    pushed: set[Hashable] = set()
    outcome, held = simulation.build(), {}
    yield _row(variant, 0, "", outcome, pushed, held)
    for number, edit in enumerate(edits, start=1):
        held = outcome.layers or held
        files.apply(edit.resolved(files.files))
        outcome = simulation.build()
        yield _row(variant, number, edit.name, outcome, pushed, held)


def _row(variant: str, edit: int, name: str, outcome: Outcome, pushed: set[Hashable], held: Layers) -> ReplayRow:
    layers = outcome.layers
    row = ReplayRow(
        variant,
        edit,
        name,
        cached=outcome.cached,
        rebuilt=len(outcome.ran),
        rebuilt_size=sum(outcome.sizes),
        seconds=outcome.seconds,
        push_size=sum([size for layer, size in layers.items() if layer not in pushed]),
        pull_size=sum([size for layer, size in layers.items() if layer not in held]),
        size=sum(layers.values()),
        ran=tuple(outcome.ran),
        error=outcome.error,
    )
    pushed.update(layers)
    return row
