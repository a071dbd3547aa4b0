"""A series of edits against one Dockerfile: read once, built after each edit, and a row told of each build."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from layersim.analysis.replay.files import File, Files
from layersim.analysis.replay.rows import ReplayRow
from layersim.analysis.replay.simulation import Simulation
from layersim.analysis.replay.traced import Surroundings
from layersim.analysis.replay.tracing import Tracer
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from layersim.analysis.replay.bases import Bases
    from layersim.analysis.replay.commands import Declared
    from layersim.analysis.replay.edits import Edit
    from layersim.analysis.replay.program import Program
    from layersim.analysis.replay.simulation import Layers, Outcome
    from layersim.build.dockerfile import Dialect

    Arguments: TypeAlias = Mapping[str, "str | Sequence[str]"]

NO_ARGUMENTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Series:
    """What all Dockerfiles are replayed with.

    Attributes
    ----------
    files : mapping of str to File
        What is there before the first edit.
    edits : sequence of Edit
        Oldest first.
    run : Declared
        What commands do.
    bases : Engine or mapping
        The images.
    dialect : Dialect
        The builder.
    arguments : mapping of str to str or sequence of str
        Build arguments; of several values one for each build, the last one from then on.
    """

    files: Mapping[str, File]
    edits: Sequence[Edit]
    run: Declared
    bases: Bases
    dialect: Dialect
    arguments: Arguments = field(default_factory=lambda: NO_ARGUMENTS)

    def start(self) -> Surroundings:
        """Return what a Dockerfile is read with before the first edit."""
        return Surroundings(Files(dict(self.files), self.dialect), self.run, self.bases)

    def given(self, build: int) -> dict[str, str]:
        """Return the build arguments of a build, counted from 0."""
        return {
            name: value if isinstance(value, str) else value[min(build, len(value) - 1)]
            for name, value in self.arguments.items()
        }

    def files_after(self, count: int) -> dict[str, File]:
        """Return the files after so many edits."""
        files = dict(self.files)
        for edit in self.edits[:count]:
            for path, file in edit.resolved(files).items():
                files.pop(path, None)
                if file is not None:
                    files[path] = file
        return files

    def buildable(self, text: str | bytes) -> Series:
        """Return the part from the first build of a Dockerfile that succeeds to the last one.

        Raises
        ------
        BuildError
            None does.
        """
        errors = [row.error for row in self.rows("Dockerfile", text)]
        good = [number for number, error in enumerate(errors) if not error]
        if not good:
            raise BuildError(f"no build of the series succeeds: {errors[-1]}")
        first, last = good[0], good[-1]
        arguments = {
            name: value if isinstance(value, str) else [*value[first:], value[-1]]
            for name, value in self.arguments.items()
        }
        return replace(self, files=self.files_after(first), edits=self.edits[first:last], arguments=arguments)

    def rows(self, variant: str, text: str | bytes) -> Iterator[ReplayRow]:
        """Yield a row for the first build, and one for each edit.

        Raises
        ------
        BuildError, DockerfileError, ImageNotFoundError
            The Dockerfile cannot be read, or something is not declared.
        """
        replaying = _Replaying(self, variant, text)
        yield replaying.row(0, "")
        for number, edit in enumerate(self.edits, start=1):
            replaying.apply(edit)
            yield replaying.row(number, edit.name)


class _Replaying:
    def __init__(self, series: Series, variant: str, text: str | bytes) -> None:
        self._series, self._variant, self._text = series, variant, text
        self._surroundings = series.start()
        self._given = series.given(0)
        self._simulation = Simulation(self._traced())
        self._pushed: set[Hashable] = set()
        self._held: Layers = {}

    def _traced(self) -> Program:
        return Tracer(self._text, self._variant, self._surroundings, self._given).trace()

    def apply(self, edit: Edit) -> None:
        """Change the context."""
        files = self._surroundings.files
        files.apply(edit.resolved(files.files))

    def row(self, number: int, name: str) -> ReplayRow:
        """Build, and tell of it."""
        given = self._series.given(number)
        if given != self._given:
            self._given = given
            self._surroundings.files.forget()
            self._simulation.take(self._traced())
        outcome = self._simulation.build()
        row = self._row(number, name, outcome)
        self._pushed.update(outcome.layers)
        self._held = outcome.layers or self._held
        return row

    def _row(self, number: int, name: str, outcome: Outcome) -> ReplayRow:
        layers = outcome.layers
        return ReplayRow(
            self._variant,
            number,
            name,
            cached=outcome.cached,
            rebuilt=len(outcome.ran),
            rebuilt_size=sum(outcome.sizes),
            seconds=outcome.seconds,
            push_size=sum([size for layer, size in layers.items() if layer not in self._pushed]),
            pull_size=sum([size for layer, size in layers.items() if layer not in self._held]),
            size=sum(layers.values()),
            ran=tuple(outcome.ran),
            error=outcome.error,
        )
