"""The configs that an engine makes itself, by `import` and `commit`, as moby with a graph driver writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.image import instant
from layersim.image.document import decode_untyped, encode_sorted
from layersim.image.runtime import of_container, written

if TYPE_CHECKING:
    from layersim.image import HistoryEntry, Image
    from layersim.image.document import Json
    from layersim.profiles.base import Profile
    from layersim.profiles.commit import Commit


def imported_config(profile: Profile, diff_id: str, created_ns: int, message: str, config: Json = None) -> bytes:
    """Return the config of an imported root file system."""
    created = instant.format_utc(created_ns)
    document: dict[str, Json] = {
        "comment": message,
        "config": dict(written(config)),
        "container_config": dict(written(None)),
        "history": [{"created": created, "comment": message}],
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }
    return encode_sorted(_head(profile, created) | document)


def layered_config(
    profile: Profile, diff_ids: tuple[str, ...], created_ns: int, history: tuple[HistoryEntry, ...], config: Json = None
) -> bytes:
    """Return the config of an image put together from layers and history entries."""
    created = instant.format_utc(created_ns)
    document: dict[str, Json] = {
        "config": dict(written(config)),
        "history": [history_entry(entry) for entry in history],
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
    }
    return encode_sorted(_head(profile, created) | document)


def committed_config(profile: Profile, parent: Image, commit: Commit) -> bytes:
    """Return the config of an image that a container was committed to."""
    raw = decode_untyped(parent.raw_config, parent.id)
    config = of_container(raw.get("config"), commit.own_config)
    created = instant.format_utc(commit.created_ns)
    words = config.get("Cmd") or []
    step: dict[str, Json] = {
        "created": created,
        "author": commit.author,
        "created_by": " ".join(map(str, words)) if isinstance(words, list) else "",
        "comment": commit.message,
        "empty_layer": commit.diff_id is None,
    }
    step = _kept(step)
    added = [commit.diff_id] if commit.diff_id is not None else []
    document: dict[str, Json] = {
        "author": commit.author,
        "config": dict(config),
        "container": commit.container_id,
        "container_config": dict(config),
        "history": [*map(history_entry, parent.config.history or ()), step],
        "rootfs": {"type": "layers", "diff_ids": [*parent.diff_ids, *added]},
    }
    inherited = {name: raw.get(name) for name in ("architecture", "variant", "os", "os.version", "os.features")}
    return encode_sorted(_head(profile, created) | _kept(inherited) | _kept(document))


def history_entry(entry: HistoryEntry) -> dict[str, Json]:
    """Return an entry as moby writes it."""
    written_entry: dict[str, Json] = {
        "created": instant.normalised(entry.created or instant.UNKNOWN),
        "author": entry.author,
        "created_by": entry.created_by,
        "comment": entry.comment,
        "empty_layer": entry.empty_layer,
    }
    return _kept(written_entry)


def _head(profile: Profile, created: str) -> dict[str, Json]:
    return {
        "architecture": profile.architecture,
        "created": created,
        "docker_version": profile.docker_version,
        "os": profile.os,
    }


def _kept(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value}
