"""The configs that an engine with the containerd image store makes itself: those of OCI, as moby 28 writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.image import instant
from layersim.image.document import decode_untyped, encode
from layersim.profiles.made import history_entry

if TYPE_CHECKING:
    from layersim.image import HistoryEntry, Image
    from layersim.image.document import Json
    from layersim.profiles.base import Profile
    from layersim.profiles.commit import Commit

# The order of the fields of a container config; fields of the Docker engine come after those of OCI.
_RUN_CONFIG = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "ArgsEscaped",
    "Healthcheck", "OnBuild", "Shell",
)  # fmt: skip


def imported_config(profile: Profile, diff_id: str, created_ns: int, message: str, config: Json = None) -> bytes:
    """Return the config of an imported root file system."""
    created = instant.format_utc(created_ns)
    history: list[Json] = [{"created": created, "comment": message}]
    return oci_document({"created": created, **platform_of(profile)}, [diff_id], history, config)


def layered_config(
    profile: Profile, diff_ids: tuple[str, ...], created_ns: int, history: tuple[HistoryEntry, ...], config: Json = None
) -> bytes:
    """Return the config of an image put together from layers and history entries."""
    head: dict[str, Json] = {"created": instant.format_utc(created_ns), **platform_of(profile)}
    return oci_document(head, list(diff_ids), [history_entry(entry) for entry in history], config)


def committed_config(profile: Profile, parent: Image, commit: Commit) -> bytes:
    """Return the config of an image that a container was committed to."""
    raw = decode_untyped(parent.raw_config, parent.id)
    created = instant.format_utc(commit.created_ns)
    author = commit.author or raw.get("author")
    own = {name: value for name, value in commit.own_config.items() if value}
    inherited = raw.get("config")
    config = (inherited if isinstance(inherited, dict) else {}) | own
    words = config.get("Cmd") or []
    step: dict[str, Json] = {
        "created": created,
        "created_by": " ".join(map(str, words)) if isinstance(words, list) else "",
        "author": author,
        "comment": commit.message,
        "empty_layer": commit.diff_id is None,
    }
    history: list[Json] = [*map(history_entry, parent.config.history or ()), _kept(step)]
    added = [commit.diff_id] if commit.diff_id is not None else []
    head = {"created": created, "author": author, **platform_of(profile, raw)}
    return oci_document(_kept(head), [*parent.diff_ids, *added], history, config)


def oci_document(head: dict[str, Json], diff_ids: list[str], history: list[Json], config: Json) -> bytes:
    """Return a config; of no layers Go writes null."""
    given = config if isinstance(config, dict) else {}
    written: Json = {name: given[name] for name in _RUN_CONFIG if given.get(name)}
    rootfs: Json = {"type": "layers", "diff_ids": [*diff_ids] or None}
    return encode(head | {"rootfs": rootfs, "history": history, "config": written})


def platform_of(profile: Profile, raw: dict[str, Json] | None = None) -> dict[str, Json]:
    """Return the platform of an image: that of the config below, or the engine's."""
    said = raw or {}
    platform: dict[str, Json] = {
        "architecture": said.get("architecture") or profile.architecture,
        "os": said.get("os") or profile.os,
    }
    return platform | ({"variant": said["variant"]} if said.get("variant") else {})


def _kept(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value}
