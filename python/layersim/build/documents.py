"""The configs of images that builds make, byte for byte as each builder writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from layersim.image import HistoryEntry, instant
from layersim.image.document import decode_untyped, encode, encode_sorted
from layersim.image.instant import format_utc
from layersim.image.runtime import written
from layersim.profiles.made_oci import oci_document, platform_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.build.dockerfile import Dialect
    from layersim.build.draft import Draft
    from layersim.image import Image
    from layersim.image.document import Json
    from layersim.profiles import Profile

_INHERITED = ("architecture", "variant", "os", "os.version", "os.features")
# The fields of a config in BuildKit's order; those of 20.10 differ in the place of the health check.
_FIRST = ("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal")
_LAST_20 = ("Healthcheck", "ArgsEscaped", "OnBuild", "StopTimeout", "Shell")
_LAST = ("ArgsEscaped", "Healthcheck", "OnBuild", "StopTimeout", "Shell")
_SETS = {"ExposedPorts", "Volumes"}
INLINE_CACHE = "moby.buildkit.cache.v0"
"""The field of a config in which BuildKit keeps the cache of the image, if it was asked to."""


@dataclass(frozen=True)
class Child:
    """One step of the legacy builder, which makes an image of it.

    Attributes
    ----------
    config : dict
        What containers of the image start with.
    step_config : dict
        That of the container in which the step was done; its ``Cmd`` says what it was.
    container_id : str
        Empty where there was no container.
    diff_id : str or None
        Of the layer; None where nothing was written.
    created_ns : int
        Nanoseconds since 1970.
    author : str
    """

    config: dict[str, Json]
    step_config: dict[str, Json]
    container_id: str
    diff_id: str | None
    created_ns: int
    author: str

    @property
    def created_by(self) -> str:
        """What history says."""
        return created_by_words(self.step_config)


def created_by_words(step_config: dict[str, Json]) -> str:
    """Return what history says of the container of a step."""
    words = step_config.get("Cmd")
    return " ".join(map(str, words)) if isinstance(words, list) else ""


def legacy_document(profile: Profile, dialect: Dialect, parent: Image | None, child: Child) -> bytes:
    """Return the config of the image of one step; with the containerd store that is one of OCI, without a container."""
    if profile.keeps_blobs:
        return _oci_document(profile, dialect, parent, child)
    raw = decode_untyped(parent.raw_config, parent.id) if parent is not None else {}
    created = instant.format_utc(child.created_ns)
    step: dict[str, Json] = {
        "created": created,
        "author": child.author,
        "created_by": child.created_by,
        "empty_layer": child.diff_id is None,
    }
    before = parent.config.history or () if parent is not None else ()
    diff_ids = [*(parent.diff_ids if parent is not None else ())]
    rootfs: dict[str, Json] = {"type": "layers"}
    if child.diff_id is not None:
        diff_ids.append(child.diff_id)
    if diff_ids:
        rootfs["diff_ids"] = list(diff_ids)
    is_newer = not dialect.is_old
    document: dict[str, Json] = {
        "author": child.author,
        "config": dict(written(child.config, is_newer=is_newer)),
        "container": child.container_id,
        "container_config": dict(written(child.step_config, is_newer=is_newer)),
        "history": [*(_entry(entry, dialect) for entry in before), _ordered(step, dialect)],
        "rootfs": rootfs,
    }
    head: dict[str, Json] = {
        "architecture": profile.architecture,
        "created": created,
        "docker_version": profile.docker_version,
        "os": profile.os,
    }
    inherited = {name: raw.get(name) for name in _INHERITED}
    return encode_sorted(head | _kept(inherited) | _kept(document))


def _oci_document(profile: Profile, dialect: Dialect, parent: Image | None, child: Child) -> bytes:
    raw = decode_untyped(parent.raw_config, parent.id) if parent is not None else {}
    step: dict[str, Json] = {
        "created": instant.format_utc(child.created_ns),
        "created_by": child.created_by,
        "author": child.author,
        "empty_layer": child.diff_id is None,
    }
    before = parent.config.history or () if parent is not None else ()
    diff_ids = [*(parent.diff_ids if parent is not None else ()), *([child.diff_id] if child.diff_id else [])]
    history: list[Json] = [*(_entry(entry, dialect) for entry in before), _kept(step)]
    head = {"created": step["created"], "author": child.author, **platform_of(profile, raw)}
    return oci_document(_kept(head), diff_ids, history, written(child.config, is_newer=True))


@dataclass(frozen=True)
class Restored:
    """One step of the history of an image, which gets an image of its own.

    Attributes
    ----------
    target : Image
        The image that has the step.
    at : int
        The place of the step in the history.
    step_config : dict
        That of the container that was to do it; the new image starts with it.
    diff_ids : sequence of str
        Of the layers up to the step.
    """

    target: Image
    at: int
    step_config: dict[str, Json]
    diff_ids: Sequence[str]


def restored_document(profile: Profile, dialect: Dialect, step: Restored) -> bytes:
    """Return the config of an image that stands for one step of another image's history."""
    raw, is_newer = decode_untyped(step.target.raw_config, step.target.id), not dialect.is_old
    history = (step.target.config.history or ())[: step.at + 1]
    rootfs: dict[str, Json] = {"type": "layers"}
    if step.diff_ids:
        rootfs["diff_ids"] = list(step.diff_ids)
    head: dict[str, Json] = {
        "created": instant.normalised(history[-1].created or instant.UNKNOWN),
        "container_config": dict(written({}, is_newer=is_newer)),
        "docker_version": profile.docker_version,
        "author": raw.get("author"),
        "config": dict(written(step.step_config, is_newer=is_newer)),
        "architecture": raw.get("architecture"),
        "os": raw.get("os"),
        "rootfs": rootfs,
        "history": [_entry(entry, dialect) for entry in history],
        "os.version": raw.get("os.version"),
        "os.features": raw.get("os.features"),
    }
    # Newer engines write the fields in the order of their structure.
    return encode(_kept(head)) if is_newer else encode_sorted(_kept(head))


def buildkit_document(profile: Profile, dialect: Dialect, draft: Draft, inline_cache: str = "") -> bytes:
    """Return the config of the image that a stage has come to; its history must be dated."""
    rootfs: dict[str, Json] = {"type": "layers", "diff_ids": [layer.diff_id for layer in draft.layers] or None}
    head: dict[str, Json] = {"architecture": profile.architecture, "os": profile.os}
    dates = [entry.created for entry in draft.history if entry.created]
    document: dict[str, Json] = {
        "author": draft.author,
        "config": _buildkit_config(draft.config, dialect),
        "created": dates[-1] if dates else None,
        "history": [_entry(entry, dialect) for entry in draft.history],
        INLINE_CACHE: inline_cache,
    }
    inherited = {name: draft.origin.get(name) for name in _INHERITED}
    # Go writes a list that was never made as null.
    untold = {} if draft.history else {"history": None}
    return encode_sorted(head | _kept(inherited) | _kept(document) | untold | {"rootfs": rootfs})


def completed(draft: Draft, now_ns: int) -> list[HistoryEntry]:
    """Return the history with entries at its end for the layers that a base with too short a history has.

    They are as many as are missing, and tell of the last layers, as BuildKit counts.
    """
    told = sum(not entry.empty_layer for entry in draft.history)
    missing = [
        HistoryEntry(
            created=format_utc(now_ns if made.created_ns is None else made.created_ns),
            created_by=made.description,
            comment="buildkit.exporter.image.v0",
        )
        for made in draft.made_by[told:]
    ]
    return [*draft.history, *missing]


def dated(history: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Give entries without a time that of the layer before them; the leading ones that of the first new layer."""
    created: str | None = None
    has_undated = False
    for entry in history:
        if entry.created:
            created = entry.created
            if has_undated:
                break
        else:
            has_undated = True
    found, has_undated = [], False
    for entry in history:
        if entry.created:
            created = entry.created if has_undated else created
            found.append(entry)
        else:
            has_undated = True
            found.append(msgspec.structs.replace(entry, created=created))
    return found


def _buildkit_config(config: dict[str, Json], dialect: Dialect) -> dict[str, Json]:
    is_old = dialect.is_old
    document: dict[str, Json] = {}
    for name in _FIRST + (_LAST_20 if is_old else _LAST):
        value = config.get(name)
        if value or (name == "OnBuild" and is_old):
            document[name] = _sorted(name, value)
    return document


def _sorted(name: str, value: Json) -> Json:
    if isinstance(value, dict) and name != "Healthcheck":
        return {key: {} if name in _SETS else value[key] for key in sorted(value)}
    return value or None


def _entry(entry: HistoryEntry, dialect: Dialect) -> dict[str, Json]:
    step: dict[str, Json] = {
        "created": instant.normalised(entry.created) if entry.created else None,
        "author": entry.author,
        "created_by": entry.created_by,
        "comment": entry.comment,
        "empty_layer": entry.empty_layer,
    }
    return _ordered(step, dialect)


def _ordered(step: dict[str, Json], dialect: Dialect) -> dict[str, Json]:
    """Return what is there; since 25 the author comes after the command."""
    if not dialect.is_old and step.get("author"):
        order = ("created", "created_by", "author", "comment", "empty_layer")
        return _kept({name: step.get(name) for name in order})
    return _kept(step)


def _kept(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value}
