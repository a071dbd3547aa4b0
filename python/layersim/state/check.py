"""Checking a saved engine: every hash, size, reference and count of its document again, against its blobs."""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from layersim._core import Layer, View, chain_ids, sha256
from layersim.errors import LayerSimError
from layersim.image import parse_config
from layersim.layout import Breach
from layersim.state.document import LayerColumns
from layersim.state.known import digest_of
from layersim.state.writing import BLOBS, padded

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from pathlib import Path

    from layersim._core import Blobs
    from layersim.state.document import Document, ImageRecord, UpperRecord

_OF_BUILDS = ("steps", "sources", "sent", "inputs", "pairs")
_IN_COLUMNS = ("layers", "synthetic", "places", "contents", *(f"builds.{name}" for name in _OF_BUILDS))
# What is not written of contents that are known by their sizes alone.
_OPTIONAL = {"offset", "document"}
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def breaches_of(document: Document, blobs: Blobs) -> Iterator[Breach]:
    """Yield all that is wrong with a document, section by section; every blob that it names is read."""
    yield from _of_columns(document)
    yield from _of_layers(document.layers, blobs)
    for where, record in _uppers(document):
        yield from _of_upper(where, record, blobs)
    yield from _of_blobs(document, blobs)
    yield from _of_places(document)
    tags = chain.from_iterable(image.tags for image in document.images)
    yield from _repeated("images", "tag", tags)
    for position, image in enumerate(document.images):
        yield from _of_image(f"images[{position}]", image, document)
    yield from _repeated("volumes", "name", (volume.name for volume in document.volumes))
    yield from _repeated("containers", "name", (one.name for one in document.containers if one.name is not None))
    yield from _repeated("build_cache", "id", (record.id for record in document.build_cache))
    yield from _of_builds(document)
    if document.counters.cache_records < (count := len(document.build_cache)):
        yield Breach("counters", f"says {document.counters.cache_records} cache records ever, there are {count}")


def unnamed_in_folder(folder: Path, document: Document) -> Iterator[Breach]:
    """Yield what is wrong with blobs of a store that its state does not name, as a killed save leaves them."""
    wanted = {name for name, _, _ in _named(document)}
    for path in sorted((folder / BLOBS).glob("*")):
        if _HEX.fullmatch(path.name) and path.name not in wanted and path.is_file():
            expected, actual = f"sha256:{path.name}", digest_of(path)
            if actual != expected:
                yield Breach(f"{BLOBS}/{path.name}", f"expected {expected}, got {actual}")


def members_of_file(path: Path, document: Document) -> Iterator[Breach]:
    """Yield what is wrong with the members of a state file: each is a blob that the document names, where it says."""
    promised = {(f"{BLOBS}/{name}", offset, length) for name, offset, length in _named(document)}
    try:
        with tarfile.open(path, "r:") as archive:
            first, *members = archive.getmembers()
            base = first.offset_data + padded(first.size)
            found = {(member.name, member.offset_data - base, member.size) for member in members}
    except tarfile.TarError as error:
        yield Breach("", str(error))
        return
    for name, offset, length in sorted(promised - found):
        yield Breach(name, f"no member of {length} bytes at {offset}, as the document says")
    for name, offset, length in sorted(found - promised):
        yield Breach(name, f"{length} bytes at {offset}, which the document does not name")


def _named(document: Document) -> set[tuple[str, int, int]]:
    """Return name, offset and length of each blob."""
    layers = document.layers
    named = set(zip((digest[7:] for digest in layers.diff_id), layers.offset, layers.length, strict=False))
    named |= {(digest[7:], offset, size) for digest, size, offset, _ in _blobs(document) if offset >= 0}
    return named | {(record.digest[7:], record.offset, record.length) for _, record in _uppers(document)}


def _blobs(document: Document) -> Iterator[tuple[str, int, int, bytes | None]]:
    """Yield digest, size, offset and document of what came with images."""
    columns = document.contents
    count = len(columns.digest)
    offsets, documents = columns.offset or (-1,) * count, columns.document or (None,) * count
    return zip(columns.digest, columns.size, offsets, documents, strict=False)


def _uppers(document: Document) -> Iterator[tuple[str, UpperRecord]]:
    """Yield where each top is named."""
    uppers = {f"volumes[{position}]": record.upper for position, record in enumerate(document.volumes)}
    uppers |= {f"containers[{position}]": record.upper for position, record in enumerate(document.containers)}
    return ((f"{where}.upper", upper) for where, upper in uppers.items() if upper is not None)


def _of_columns(document: Document) -> Iterator[Breach]:
    for name in _IN_COLUMNS:
        columns = msgspec.structs.asdict(attrgetter(name)(document))
        optional = _OPTIONAL if name == "contents" else set()
        lengths = {field: len(column) for field, column in columns.items() if column or field not in optional}
        if len(set(lengths.values())) > 1:
            yield Breach(name, f"columns of different lengths: {lengths}")


def _of_layers(columns: LayerColumns, blobs: Blobs) -> Iterator[Breach]:
    rows = zip(*(getattr(columns, name) for name in LayerColumns.__struct_fields__), strict=False)
    for position, (diff_id, size, tar_size, entries, length, offset) in enumerate(rows):
        where = f"layers[{position}]"
        try:
            (located,) = blobs.layers([diff_id], [size], [tar_size], [entries], [length], [offset])
            tar = located.tar_bytes()
            layer = Layer.from_tar(tar)
        except (LayerSimError, ValueError, OSError) as error:
            yield Breach(where, str(error))
            continue
        actual = {"size": layer.size, "tar_size": layer.tar_size, "entries": len(layer), "length": len(tar)}
        said = {"size": size, "tar_size": tar_size, "entries": entries, "length": length}
        yield from differing(where, said, actual)


def _of_upper(where: str, record: UpperRecord, blobs: Blobs) -> Iterator[Breach]:
    try:
        upper = blobs.upper(record.digest, record.size_rw, record.allocated_rw, record.length, record.offset)
        saved = upper.over(View([])).upper()
    except (LayerSimError, ValueError, OSError) as error:
        yield Breach(where, str(error))
        return
    yield from differing(where, {"length": record.length}, {"length": 0 if saved is None else saved.length})


def _of_blobs(document: Document, blobs: Blobs) -> Iterator[Breach]:
    """Documents are in the state itself; what is kept beside it, and is no layer's tar, is read again."""
    tars = set(document.layers.diff_id)
    for position, (digest, size, offset, raw) in enumerate(_blobs(document)):
        where = f"contents[{position}]"
        if raw is not None:
            if (actual := sha256(raw)) != digest:
                yield Breach(where, f"expected {digest}, got {actual}")
            yield from differing(where, {"size": size}, {"size": len(raw)})
        elif offset >= 0 and digest not in tars:
            try:
                blobs.packed(digest, size, offset).verify()
            except (LayerSimError, ValueError, OSError) as error:
                yield Breach(where, str(error))


def _of_places(document: Document) -> Iterator[Breach]:
    """Chain ids are computed from what is below, and everything is there for something above."""
    places, held = document.places, _holders(document)
    diff_ids = document.layers.diff_id + document.synthetic.diff_id
    for position, (chain_id, layer, parent) in enumerate(
        zip(places.chain_id, places.layer, places.parent, strict=False)
    ):
        where = f"places[{position}]"
        if layer >= len(diff_ids) or parent >= position:
            yield Breach(where, f"on layer {layer} and place {parent}, which is not before it")
            continue
        below = places.chain_id[parent] if parent >= 0 else None
        expected = _chain_id(below, diff_ids[layer])
        if chain_id != expected:
            yield Breach(where, f"expected the chain id {expected}, got {chain_id}")
        if position not in held:
            yield Breach(where, "no image, place or cache record holds it")
    for position in sorted(set(range(len(diff_ids))) - set(places.layer)):
        yield Breach(
            "layers" if position < len(document.layers.diff_id) else "synthetic", f"{diff_ids[position]} is in no place"
        )
    yield from _repeated("places", "chain id", places.chain_id)
    yield from _repeated("layers", "diff id", document.layers.diff_id)


def _holders(document: Document) -> set[int]:
    """Return the places that something holds."""
    tops = {image.top for image in document.images} | {record.top for record in document.build_cache}
    return {*document.places.parent, *(top for top in tops if top is not None)}


def _chain_id(below: str | None, diff_id: str) -> str:
    return diff_id if below is None else sha256(f"{below} {diff_id}".encode())


def _of_image(where: str, image: ImageRecord, document: Document) -> Iterator[Breach]:
    try:
        config = parse_config(image.config, where)
    except LayerSimError as error:
        yield Breach(where, str(error).removeprefix(f"{where}: "))
        return
    tops = document.places.chain_id
    actual = tops[image.top] if image.top is not None and image.top < len(tops) else None
    expected = chain_ids(config.diff_ids)[-1] if config.diff_ids else None
    if actual != expected:
        yield Breach(where, f"its config says a stack of {expected}, its top is {actual}")
    if image.parent is not None and image.parent not in range(len(document.images)):
        yield Breach(where, f"its parent is no image: {image.parent}")
    yield from _of_contents(where, image, document.contents.size)


def _of_contents(where: str, image: ImageRecord, sizes: Sequence[int]) -> Iterator[Breach]:
    if any(position >= len(sizes) for position in image.contents):
        yield Breach(where, f"holds blobs of nowhere: {image.contents}")
        return
    # A blob that is named twice counts twice, and is kept once.
    least = sum(sizes[position] for position in image.contents)
    if image.contents_size < least:
        yield Breach(where, f"says {image.contents_size} bytes of blobs, which have {least}")
    if image.contents_own_size > image.contents_size:
        yield Breach(where, f"says that {image.contents_own_size} bytes of {image.contents_size} are its own")


def _of_builds(document: Document) -> Iterator[Breach]:
    """Each step that was done has a record, which holds what it made."""
    records, steps = document.build_cache, document.builds.steps
    for position, record in enumerate(steps.record):
        if record >= len(records) or records[record].top is None:
            yield Breach(f"builds.steps[{position}]", f"its record {record} holds no layer")
    yield from _repeated("builds.steps", "record", steps.record)
    yield from _repeated("builds.sources", "name", document.builds.sources.name)


def differing(where: str, said: dict[str, int], actual: dict[str, int]) -> Iterator[Breach]:
    """Yield each number that is not what was said."""
    for name, value in said.items():
        if value != actual[name]:
            yield Breach(where, f"says {name} {value}, it is {actual[name]}")


def _repeated(where: str, what: str, values: Iterable[Hashable]) -> Iterator[Breach]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Breach(where, f"{count} with the {what} {value}")
