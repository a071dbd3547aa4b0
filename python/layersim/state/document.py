"""The document of a saved engine: typed records, and the line before them that says what they must be.

``state.json`` is one line of JSON, the *seal*, and the document after it. The seal names the version, the digest and
the length of the document, so whatever was changed or cut off is found before anything is believed.
"""

from __future__ import annotations

import json
from typing import Annotated

import msgspec

from layersim._core import sha256
from layersim.errors import StateError, StateVersionError

VERSION = 1
"""Of the format; it grows with every change that an older library would read wrongly."""
SEAL_START = b'{"layersim_state":'

Index = Annotated[int, msgspec.Meta(ge=0)]
Parent = Annotated[int, msgspec.Meta(ge=-1)]
Offset = Annotated[int, msgspec.Meta(ge=-1, le=(1 << 63) - 1)]
LifeState = Annotated[str, msgspec.Meta(pattern=r"\A(created|running|paused|exited)\Z")]
Size = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A part of the document; what has its default value is not written."""


class LayerColumns(_Record, frozen=True):
    """The layers that have content, each once; there are many, so each field is one list."""

    diff_id: tuple[str, ...] = ()
    size: tuple[Size, ...] = ()
    tar_size: tuple[Size, ...] = ()
    entries: tuple[Size, ...] = ()
    length: tuple[Size, ...] = ()
    offset: tuple[Size, ...] = ()


class SyntheticColumns(_Record, frozen=True):
    """The layers that are known by digest and size alone."""

    diff_id: tuple[str, ...] = ()
    size: tuple[Size, ...] = ()


class PlaceColumns(_Record, frozen=True):
    """Layers on their parents, parents first.

    `layer` is a position among the layers and, after them, the synthetic ones; `parent` one among the places, or -1;
    `size` is D(L) as it was recorded when the place came in, which may be another than the layer's own.
    """

    chain_id: tuple[str, ...] = ()
    layer: tuple[Index, ...] = ()
    parent: tuple[Parent, ...] = ()
    size: tuple[Size, ...] = ()


class ContentColumns(_Record, frozen=True):
    """The blobs that an engine counts beside its unpacked layers.

    `document` is a blob that is one, `offset` says where another is kept, or -1; without both only its size is known.
    The two are not written where that is so of all.
    """

    digest: tuple[str, ...] = ()
    size: tuple[Size, ...] = ()
    offset: tuple[Offset, ...] = ()
    document: tuple[bytes | None, ...] = ()


class ImageRecord(_Record, frozen=True):
    """An image with the raw bytes of its config.

    `top` is a position among the places, `parent` one among the images, `contents` are some among the contents.

    A removed image is one that containers still use.
    """

    config: bytes
    created_s: int
    # None: the digest of the config, as engines that keep unpacked layers alone have it.
    id: str | None = None
    top: Index | None = None
    parent: Index | None = None
    tags: tuple[str, ...] = ()
    has_lost_parent: bool = False
    is_removed: bool = False
    contents: tuple[Index, ...] = ()
    contents_size: Size = 0
    contents_own_size: Size = 0


class UpperRecord(_Record, frozen=True):
    """What a container has written: a blob, and how much the container is said to take."""

    digest: str
    size_rw: Size
    allocated_rw: Size
    length: Size
    offset: Size


class VolumeRecord(_Record, frozen=True):
    """A volume with what it holds."""

    name: str
    created_ns: int
    is_anonymous: bool = False
    upper: UpperRecord | None = None


class CacheRecord(_Record, frozen=True):
    """A record of the build cache; `top` is a position among the places."""

    id: str
    type: str
    size: Size
    created_ns: int
    top: Index | None = None
    last_used_ns: int | None = None
    usage_count: int = 1
    in_use: bool = False
    description: str = ""


class StepColumns(_Record, frozen=True):
    """The steps that BuildKit has done; `record` is a position in the build cache, whose top is what the step made."""

    record: tuple[Index, ...] = ()
    key: tuple[str, ...] = ()
    created_ns: tuple[int, ...] = ()


class PairColumns(_Record, frozen=True):
    """Names with values, each pair once; both are positions among the texts."""

    name: tuple[Index, ...] = ()
    value: tuple[Index, ...] = ()


class InputColumns(_Record, frozen=True):
    """What steps that ran depended on, oldest first.

    The last four are positions among the mappings, the ordinal is a number, all others are positions among the texts.
    """

    builder: tuple[Index, ...] = ()
    stage: tuple[Index, ...] = ()
    kind: tuple[Index, ...] = ()
    ordinal: tuple[Ordinal, ...] = ()
    key: tuple[Index, ...] = ()
    parent: tuple[Index, ...] = ()
    instruction: tuple[Index, ...] = ()
    environment: tuple[Index, ...] = ()
    arguments: tuple[Index, ...] = ()
    files: tuple[Index, ...] = ()
    options: tuple[Index, ...] = ()


class SourceColumns(_Record, frozen=True):
    """What builds started from, with the positions of its records in the build cache."""

    name: tuple[str, ...] = ()
    record: tuple[Index, ...] = ()


class SentColumns(_Record, frozen=True):
    """What BuildKit has of directories: files with digests, and directories, whose digest is an empty text.

    `place`, `path`, `target`, `first` (the name under which a hard link was sent before) and `digest` are positions
    among the texts.
    """

    place: tuple[Index, ...] = ()
    path: tuple[Index, ...] = ()
    mode: tuple[Size, ...] = ()
    size: tuple[Size, ...] = ()
    mtime_ns: tuple[int, ...] = ()
    device: tuple[Size, ...] = ()
    target: tuple[Index, ...] = ()
    first: tuple[Index, ...] = ()
    digest: tuple[Index, ...] = ()


class BuildsRecord(_Record, frozen=True):
    """What builds remember of earlier ones, beside the records of the build cache.

    Texts, pairs and mappings are there once each, whatever the number of steps that have them: a mapping is positions
    among the pairs. `dropped` are keys of steps whose records were pruned.
    """

    steps: StepColumns = StepColumns()
    dropped: tuple[str, ...] = ()
    sources: SourceColumns = SourceColumns()
    sent: SentColumns = SentColumns()
    inputs: InputColumns = InputColumns()
    mappings: tuple[tuple[Index, ...], ...] = ()
    pairs: PairColumns = PairColumns()
    texts: tuple[str, ...] = ()


NO_BUILDS = BuildsRecord()


class ContainerRecord(_Record, frozen=True):
    """A container; `image` is a position, `volumes` are pairs of a path and a name, and so are those asked for."""

    number: Index
    image: Index
    image_name: str
    created_ns: int
    state: LifeState = "created"
    since_ns: int = 0
    exit_code: int = 0
    name: str | None = None
    command: tuple[str, ...] | None = None
    is_attached: bool = True
    asked_volumes: tuple[tuple[str, str], ...] = ()
    volumes: tuple[tuple[str, str], ...] = ()
    upper: UpperRecord | None = None


class Counters(_Record, frozen=True):
    """What the next container is called, which numbers none gets, and how many cache records there were."""

    next_container: Index = 1
    reserved: tuple[int, ...] = ()
    cache_records: Index = 0


class Document(_Record, frozen=True):
    """A whole engine. A section that comes later has a default, so that older states have it too."""

    profile: str
    layers: LayerColumns = LayerColumns()
    synthetic: SyntheticColumns = SyntheticColumns()
    places: PlaceColumns = PlaceColumns()
    contents: ContentColumns = ContentColumns()
    images: tuple[ImageRecord, ...] = ()
    volumes: tuple[VolumeRecord, ...] = ()
    containers: tuple[ContainerRecord, ...] = ()
    build_cache: tuple[CacheRecord, ...] = ()
    counters: Counters = Counters()
    builds: BuildsRecord = NO_BUILDS


class _Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    layersim_state: int
    sha256: str
    length: Size
    # Bytes after the document in the same file, so that a file cut short is known without reading it.
    rest: Size


def sealed(document: Document, rest: int = 0) -> bytes:
    """Return the bytes of ``state.json``.

    Parameters
    ----------
    document : Document
        What to say.
    rest : int
        Bytes that follow in the same file.
    """
    try:
        body = msgspec.json.encode(document)
    except UnicodeEncodeError:
        # Bytes that are no UTF-8 are lone surrogates in Python's texts; RFC 8259 has them as escapes.
        body = json.dumps(msgspec.to_builtins(document), separators=(",", ":")).encode("ascii")
    seal = _Seal(layersim_state=VERSION, sha256=sha256(body), length=len(body), rest=rest)
    return msgspec.json.encode(seal) + b"\n" + body


def unsealed(data: bytes, name: str) -> tuple[Document, int, int]:
    """Return a document, its length with its seal, and how many bytes follow it.

    Parameters
    ----------
    data : bytes
        ``state.json``, with or without something after it.
    name : str
        What a message calls it.

    Raises
    ------
    StateError
        It is no state, cut short, or not what its seal says.
    StateVersionError
        It comes from the future.
    """
    seal, start = _seal(data, name)
    # A view: the document of a large engine is not copied.
    body = memoryview(data)[start : start + seal.length]
    if len(body) < seal.length:
        raise StateError(f"{name!r} is cut short: expected a document of {seal.length} bytes, found {len(body)}")
    digest = sha256(body)
    if digest != seal.sha256:
        raise StateError(f"{name!r} was changed: expected a document of {seal.sha256}, got {digest}")
    try:
        document = _decoded(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StateError(f"{name!r}: {error}") from error
    return document, start + seal.length, seal.rest


def _decoded(body: memoryview) -> Document:
    try:
        return msgspec.json.decode(body, type=Document)
    except msgspec.DecodeError as error:
        if isinstance(error, msgspec.ValidationError) or "surrogate" not in str(error):
            raise
        return msgspec.convert(json.loads(bytes(body)), Document)


def _seal(data: bytes, name: str) -> tuple[_Seal, int]:
    line, newline, _ = data[:_LONGEST_SEAL].partition(b"\n")
    try:
        version = msgspec.json.decode(line, type=_AnySeal).layersim_state
        if version > VERSION:
            message = f"{name!r} has version {version} of the format; this library knows versions up to {VERSION}"
            raise StateVersionError(message, version, VERSION)
        seal = msgspec.json.decode(line, type=_Seal)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"{name!r} is no saved engine: its first line is {line[:80]!r}") from error
    if not newline or version != VERSION:
        raise StateError(f"{name!r} is no saved engine: its first line is {line[:80]!r}")
    return seal, len(line) + 1


class _AnySeal(msgspec.Struct, frozen=True):
    """The first line, of whatever version."""

    layersim_state: Index


_LONGEST_SEAL = 1024
