"""What builds remember, as a saved engine has it, and back (docs/state.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from layersim.build.cache import Done, Place
from layersim.build.context import Synced
from layersim.build.context.synced import SOURCES, SentName, source_key
from layersim.build.reason import Inputs
from layersim.errors import StateError
from layersim.image.instant import from_clock
from layersim.state.document import (
    NO_BUILDS,
    BuildsRecord,
    InputColumns,
    PairColumns,
    SentColumns,
    SourceColumns,
    StepColumns,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from layersim.build.cache import StepCache
    from layersim.store import BuildCache, CacheRecord


_K = TypeVar("_K")
_V = TypeVar("_V")


def saved_builds(
    cache: StepCache, sources: Mapping[str, str], records: BuildCache, synced: Mapping[str, Synced]
) -> BuildsRecord:
    """Return what builds remember.

    Parameters
    ----------
    cache : StepCache
        What they did.
    sources : mapping of str to str
        The records of what they started from, by name; those that were pruned are left out.
    records : BuildCache
        The records that there are.
    synced : mapping of str to Synced
        What was sent of directories.
    """
    positions = {record.id: position for position, record in enumerate(records)}
    tables = _Tables({}, {}, {})
    done = ((positions[record_id], done.key, done.created_ns) for record_id, done in cache.records.items())
    started = ((name, positions[record_id]) for name, record_id in sources.items() if record_id in positions)
    builds = BuildsRecord(
        steps=StepColumns(*_columns(done)),
        dropped=tuple(sorted(cache.dropped)),
        sources=SourceColumns(*_columns(started)),
        sent=SentColumns(*_columns(tables.sent(place, row) for place, one in synced.items() for row in one.rows())),
        inputs=InputColumns(*_columns(tables.row(*remembered) for remembered in cache.remembered())),
        mappings=tuple(tables.mappings),
        pairs=PairColumns(*_columns(tables.pairs)),
        texts=tuple(tables.texts),
    )
    # Engines that never built are saved as before.
    return NO_BUILDS if builds == NO_BUILDS else builds


def restore_builds(builds: BuildsRecord, records: BuildCache, cache: StepCache) -> dict[str, str]:
    """Fill the cache of an engine that was opened; return the records of what builds started from, by name.

    Raises
    ------
    StateError
        The section contradicts itself or the records.
    """
    try:
        known = tuple(records)
        for record, done in _unique("the record of a step", _done(builds.steps, known)):
            cache.keep(done, record)
        cache.bury(builds.dropped)
        for (place, key), inputs in _unique("the inputs of a step", _remembered(builds)):
            cache.remember(place, key, inputs)
        sources = zip(builds.sources.name, builds.sources.record, strict=True)
        return dict(_unique("a source", ((name, known[record].id) for name, record in sources)))
    except LookupError as error:
        raise StateError(f"a document with builds of nothing: {error}") from error
    except ValueError as error:
        # A date that is none, or columns of different lengths.
        raise StateError(f"a document with builds that make no sense: {error}") from error


def restore_sent(builds: BuildsRecord, sources: Mapping[str, str]) -> dict[str, Synced]:
    """Return what was sent of directories, by place, for an engine that was opened.

    Raises
    ------
    StateError
        The section contradicts itself.
    """
    found: dict[str, list[SentName]] = {}
    try:
        for place, row in _unique("what was sent", _sent(builds)):
            found.setdefault(place[0], []).append(row)
    except LookupError as error:
        raise StateError(f"a document with builds of nothing: {error}") from error
    except ValueError as error:
        raise StateError(f"a document with builds that make no sense: {error}") from error
    return {place: _synced(place, rows, sources) for place, rows in found.items()}


def _sent(builds: BuildsRecord) -> Iterator[tuple[tuple[str, str], SentName]]:
    texts, columns = builds.texts, builds.sent
    rows = zip(*(getattr(columns, name) for name in SentColumns.__struct_fields__), strict=True)
    for place, path, mode, size, mtime_ns, device, target, first, text in rows:
        digest = bytes.fromhex(texts[text].removeprefix("sha256:"))
        if len(digest) not in {0, 32}:
            raise ValueError(f"{texts[text]!r:.80} is no digest")
        row = SentName(texts[path], mode, size, mtime_ns, device, texts[target], texts[first], digest)
        yield (texts[place], row.path), row


def _synced(place: str, rows: Sequence[SentName], sources: Mapping[str, str]) -> Synced:
    synced = Synced(place)
    synced.restore(rows)
    synced.records = {sources[key] for name in SOURCES if (key := source_key(name, place)) in sources}
    return synced


class _Tables(NamedTuple):
    """Positions of what is written once: texts, pairs of them, and mappings as positions of pairs."""

    texts: dict[str, int]
    pairs: dict[tuple[int, int], int]
    mappings: dict[tuple[int, ...], int]

    def row(self, place: Place, key: str, inputs: Inputs) -> tuple[int, ...]:
        """Return one row of the inputs."""
        words = [self._text(text) for text in (place.builder, place.stage, place.kind)]
        texts = [self._text(text) for text in (key, inputs.parent, inputs.instruction)]
        mappings = (inputs.environment, inputs.arguments, inputs.files, inputs.options)
        return (*words, place.ordinal, *texts, *map(self._mapping, mappings))

    def sent(self, place: str, row: SentName) -> tuple[int, ...]:
        """Return one row of what was sent."""
        numbers = (row.mode, row.size, row.mtime_ns, row.device)
        digest = f"sha256:{row.digest.hex()}" if row.digest else ""
        texts = [self._text(text) for text in (place, row.path, row.target, row.first, digest)]
        return (*texts[:2], *numbers, *texts[2:])

    def _text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def _mapping(self, values: Mapping[str, str]) -> int:
        pairs, text = self.pairs, self._text
        positions = [pairs.setdefault((text(name), text(value)), len(pairs)) for name, value in values.items()]
        return self.mappings.setdefault(tuple(positions), len(self.mappings))


def _columns(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Return rows as columns; none where there are no rows."""
    return zip(*rows, strict=True)


def _done(steps: StepColumns, records: Sequence[CacheRecord]) -> Iterator[tuple[str, Done]]:
    for position, key, created_ns in zip(steps.record, steps.key, steps.created_ns, strict=True):
        record = records[position]
        if record.top is None:
            raise StateError(f"a document with a step whose record {record.id!r} holds no layer")
        yield record.id, Done(key, record.top.layer, from_clock(created_ns))


def _remembered(builds: BuildsRecord) -> Iterator[tuple[tuple[Place, str], Inputs]]:
    """Yield the inputs with their places and keys; mappings that several have are one object."""
    texts, columns = builds.texts, builds.inputs
    pairs = [(texts[name], texts[value]) for name, value in zip(builds.pairs.name, builds.pairs.value, strict=True)]
    mappings = [dict(_unique("a name", (pairs[at] for at in mapping))) for mapping in builds.mappings]
    rows = zip(*(getattr(columns, name) for name in InputColumns.__struct_fields__), strict=True)
    for builder, stage, kind, ordinal, key, parent, instruction, *held in rows:
        place = Place(texts[builder], texts[stage], texts[kind], ordinal)
        environment, arguments, files, options = (mappings[at] for at in held)
        inputs = Inputs(texts[parent], texts[instruction], environment, arguments, files, options)
        yield (place, texts[key]), inputs


def _unique(what: str, items: Iterable[tuple[_K, _V]]) -> Iterator[tuple[_K, _V]]:
    """Yield items; no two have the same key.

    Raises
    ------
    StateError
        Two have.
    """
    seen: set[_K] = set()
    for key, value in items:
        if key in seen:
            raise StateError(f"a document with {what} twice: {key!r}")
        seen.add(key)
        yield key, value
