"""A series of edits, built again after each, without doing any of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from layersim.analysis.replay.commands import Declared
from layersim.analysis.replay.edits import read_edits, start_of
from layersim.analysis.replay.rows import Replay, ReplayRow, ReplaySummary
from layersim.analysis.replay.series import NO_ARGUMENTS, Series
from layersim.build import dialect_of
from layersim.profiles import find_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim.analysis.replay.bases import Bases
    from layersim.analysis.replay.edits import Changes, Source
    from layersim.analysis.replay.series import Arguments
    from layersim.build.running import RunTable

__all__ = ["Declared", "Replay", "ReplayRow", "ReplaySummary", "Series", "replay"]

NO_BASES: Mapping[str, int | str] = MappingProxyType({})


def replay(
    variants: Mapping[str, str | bytes],
    changes: Changes,
    *,
    run: RunTable | Declared,
    context: Source | None = None,
    bases: Bases = NO_BASES,
    builder: Literal["buildkit", "legacy"] = "buildkit",
    profile: str = "overlay2",
    build_args: Arguments = NO_ARGUMENTS,
    limit: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Replay:
    r"""Tell what a series of edits would cost with one Dockerfile and with another.

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
    build_args : mapping of str to str or sequence of str
        As ``--build-arg``. Of several values each build takes one, the first build first; the last one stays.
    limit : int, optional
        No more edits than this; of a history the newest.
    progress : callable, optional
        Called after each build with builds done and builds in all.

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
    >>> naive = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"
    >>> better = "FROM node:20\nWORKDIR /app\nCOPY package.json .\nRUN npm ci\nCOPY . .\n"
    >>> files = {"package.json": 500, "server.js": 20_000}
    >>> told = ls.replay({"naive": naive, "better": better}, [["server.js"]] * 9, context=files, run=table,
    ...                  bases={"node:20": "180MB"})
    >>> [(row.variant, row.seconds, row.push_size) for row in told.summary]
    [('naive', 270.0, 360184500), ('better', 0.0, 184500)]
    """
    dialect = dialect_of(builder, find_profile(profile))
    declared = run if isinstance(run, Declared) else Declared(run)
    start = start_of(context, changes, dialect, limit)
    series = Series(start, read_edits(changes, limit), declared, bases, dialect, build_args)
    total = len(variants) * (1 + len(series.edits))
    rows: list[ReplayRow] = []
    for name, text in variants.items():
        for row in series.rows(name, text):
            rows.append(row)
            if progress is not None:
                progress(len(rows), total)
    return Replay(rows)
