"""What earlier builds did: layers by the key of a step, and the inputs that led to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.build.reason import CONTAINER, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from layersim._core import Layer
    from layersim.build.reason import Inputs


@dataclass(frozen=True)
class Place:
    """Where a step stands, so that the same one of an earlier build is found.

    Attributes
    ----------
    builder : str
    stage : str
        Its name or index.
    kind : str
        Of the instruction.
    ordinal : int
        Which of that kind, from 1.
    """

    builder: str
    stage: str
    kind: str
    ordinal: int


@dataclass(frozen=True)
class Done:
    """One step that BuildKit has done.

    Attributes
    ----------
    key : str
        What it is found by.
    layer : Layer
        What it made.
    created_ns : int
        When, in nanoseconds since 1970.
    """

    key: str
    layer: Layer
    created_ns: int


@dataclass(frozen=True)
class Start:
    """What a build starts from, as the build cache counts it.

    Attributes
    ----------
    name : str
        What its record is found by.
    description : str
        What BuildKit calls it.
    kind : str
        The type of the record.
    size : int
        Bytes, when it is first there.
    layers : sequence of Layer
        What the record holds, base first.
    place : str
        The directory that it was sent of; empty for none.
    """

    name: str
    description: str
    kind: str = "regular"
    size: int = 0
    layers: Sequence[Layer] = ()
    place: str = ""


def digest(*parts: str) -> str:
    """Return one key for several texts."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogateescape")
        hasher.update(b"%d:" % len(data) + data)
    return hasher.hexdigest()


def pairs(values: Mapping[str, str]) -> str:
    """Return a mapping as one text; the order of its names does not matter."""
    return digest(*(part for name in sorted(values) for part in (name, values[name])))


class StepCache:
    """What builds of one engine leave behind for the next ones."""

    def __init__(self) -> None:
        self._done: dict[str, Done] = {}
        self._records: dict[str, Done] = {}
        self._record_ids: dict[str, str] = {}
        self._dropped: set[str] = set()
        self._inputs: dict[Place, dict[str, Inputs]] = {}
        # By the image that the legacy builder made, what the container of the step had for a config.
        self._images: dict[str, str] = {}

    def find(self, key: str) -> Done | None:
        """Return what a step made, if it was done and nobody threw that away."""
        return self._done.get(key)

    def record_of(self, key: str) -> str | None:
        """Return the record that keeps what a step made."""
        return self._record_ids.get(key)

    def keep(self, done: Done, record_id: str) -> None:
        """Take in what a step made; the newest counts."""
        self._done[done.key] = done
        self._records[record_id] = done
        self._record_ids[done.key] = record_id
        self._dropped.discard(done.key)

    def drop(self, record_id: str) -> None:
        """Forget what the step of a record made, and remember that it was there."""
        done = self._records.pop(record_id, None)
        if done is not None and self._done.get(done.key) is done:
            del self._done[done.key], self._record_ids[done.key]
            self._dropped.add(done.key)

    def bury(self, keys: Iterable[str]) -> None:
        """Forget what steps made, by their keys, and remember that it was there."""
        for key in keys:
            self._done.pop(key, None)
            self._record_ids.pop(key, None)
            self._dropped.add(key)

    @property
    def records(self) -> Mapping[str, Done]:
        """What was done, by the record that keeps it, oldest first."""
        return self._records

    @property
    def dropped(self) -> frozenset[str]:
        """The keys of what was there once."""
        return frozenset(self._dropped)

    def remembered(self) -> Iterator[tuple[Place, str, Inputs]]:
        """Yield the inputs of each step that ran, with its place and its key; those of one place oldest first."""
        for place, known in self._inputs.items():
            for key, inputs in known.items():
                yield place, key, inputs

    def has_made(self, image_id: str) -> bool:
        """Tell whether the legacy builder made an image of a step here, and did not find it in an archive."""
        return image_id in self._images

    def container_of(self, image_id: str) -> str | None:
        """Return what stands for the config of the container in which an image was made here, if that is known."""
        return self._images.get(image_id) or None

    def remember(self, place: Place, key: str, inputs: Inputs) -> None:
        """Take in the inputs of a step that ran."""
        if place.builder == "legacy":
            self._images[key] = inputs.options.get(CONTAINER, "")
        known = self._inputs.setdefault(place, {})
        known.pop(key, None)
        known[key] = inputs

    def reason(self, place: Place, key: str, inputs: Callable[[], Inputs]) -> Reason:
        """Return why a step has to run: how it differs from the most similar one that ran in its place."""
        if key in self._dropped:
            return Reason("dropped")
        known = self._inputs.get(place)
        if not known:
            return Reason("first")
        now = inputs()
        found = [now.differences(before) for before in reversed(known.values())]
        nearest = min(found, key=len)
        return Reason("changed", nearest) if nearest else Reason("parent")
