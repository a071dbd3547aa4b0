"""The cache that BuildKit writes into an image, if `BUILDKIT_INLINE_CACHE` asks for it, and reads from there."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from layersim.build.cache import Done, digest
from layersim.build.documents import INLINE_CACHE
from layersim.build.named import named_images, unknown_image
from layersim.image.document import decode_untyped, encode
from layersim.image.instant import UNKNOWN, format_utc, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layersim.build.named import Named
    from layersim.build.request import Host, Request
    from layersim.image import HistoryEntry
    from layersim.image.document import Json

_ARGUMENT = "BUILDKIT_INLINE_CACHE"
# What Go's `strconv.ParseBool` takes for true.
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_DIGEST = "sha256:"
_KEY = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_SIGNATURE = digest("layersim", "inline cache", "1")


@dataclass(frozen=True)
class Made:
    """One step of a build, as the image's own cache has it.

    Attributes
    ----------
    key : str
        What it is found by.
    definition : str
        What it is found by without looking at the files of another stage; empty where it copies none.
    position : int or None
        Which layer of the image it made; None for a step of another stage.
    created_ns : int
        When, in nanoseconds since 1970.
    """

    key: str
    definition: str
    position: int | None
    created_ns: int


class _Layer(msgspec.Struct, frozen=True, rename={"created_at": "createdAt"}):
    layer: int
    created_at: str = UNKNOWN


class _Link(msgspec.Struct, frozen=True):
    link: int


class _Record(msgspec.Struct, frozen=True):
    digest: str
    layers: tuple[_Layer, ...] = ()
    inputs: tuple[tuple[_Link, ...], ...] = ()


def inline_cache(build_args: Mapping[str, str], steps: Iterable[Made]) -> str:
    """Return what is written into the config; nothing unless it is asked for and the image has a step with a layer.

    Parameters
    ----------
    build_args : mapping of str to str
        As they were given.
    steps : iterable of Made
        Those of the target first.
    """
    unique = {step.key: step for step in reversed(list(steps))}
    chosen = list(reversed(unique.values()))
    if build_args.get(_ARGUMENT) not in _TRUE or all(step.position is None for step in chosen):
        return ""
    records: list[Json] = [{"digest": _DIGEST + _SIGNATURE}]
    for step in chosen:
        layers: list[Json] = [{"layer": step.position, "createdAt": format_utc(step.created_ns)}]
        head: dict[str, Json] = {"layers": layers} if step.position is not None else {}
        records.append(head | {"digest": _DIGEST + step.key})
        if step.definition:
            records.append({"digest": _DIGEST + step.definition, "inputs": [[{"link": len(records) - 1}]]})
    return base64.b64encode(encode(records)).decode("ascii")


@dataclass(frozen=True)
class Kept:
    """A step that an image tells of.

    Attributes
    ----------
    name : str
        The image, as it was named.
    done : Done or None
        What it made; None for a step whose layer is not in the image.
    """

    name: str
    done: Done | None


class Imports:
    """The steps that images tell of which a build was told to look at.

    Attributes
    ----------
    steps : dict
        By key.
    definitions : dict
        The keys of steps that copy from another stage, by what these steps are without looking at its files.
    warnings : list of str
        Of which images nothing can be taken.
    """

    def __init__(self, host: Host, request: Request) -> None:
        self.steps: dict[str, Kept] = {}
        self.definitions: dict[str, str] = {}
        self.warnings: list[str] = []
        found, missing = named_images(host, request.cache_from)
        reads = host.profile.reads_inline_caches
        self.warnings += [f"cache_from: {unknown_image(name)}" for name in missing]
        for named in found:
            refusal = self._read(named) if reads else "the containerd image store has BuildKit ask a registry for it"
            if refusal:
                self.warnings.append(f"cache_from: nothing is taken from {named.name}: {refusal}")

    def _read(self, named: Named) -> str:
        """Take in what an image tells; say why it tells nothing."""
        raw = decode_untyped(named.image.raw_config, named.image.id).get(INLINE_CACHE)
        if not isinstance(raw, str):
            return f"it was not built with the build argument {_ARGUMENT}=1"
        try:
            records = msgspec.json.decode(base64.b64decode(raw, validate=True), type=tuple[_Record, ...])
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return "its cache cannot be read"
        if not any(record.digest == _DIGEST + _SIGNATURE for record in records):
            return "another implementation wrote its cache, by keys of its own"
        self._take(named, records)
        return ""

    def _take(self, named: Named, records: Sequence[_Record]) -> None:
        history = [entry for entry in named.image.config.history or () if not entry.empty_layer]
        for record in records:
            key = record.digest.removeprefix(_DIGEST)
            if not _KEY.fullmatch(record.digest) or key == _SIGNATURE:
                continue
            links = [link.link for links in record.inputs for link in links]
            if links and 0 <= links[0] < len(records):
                self.definitions.setdefault(key, records[links[0]].digest.removeprefix(_DIGEST))
                continue
            done = _done(named, key, record, history)
            if done is not None or key not in self.steps:
                self.steps[key] = Kept(named.name, done)


def _done(named: Named, key: str, record: _Record, history: Sequence[HistoryEntry]) -> Done | None:
    """Return the layer of a step, which is as old as the image's history says."""
    places = [one.layer for one in record.layers if 0 <= one.layer < len(named.image.layers)]
    if not places:
        return None
    created = history[places[0]].created if places[0] < len(history) else None
    return Done(key, named.image.layers[places[0]], parse(created or UNKNOWN))
