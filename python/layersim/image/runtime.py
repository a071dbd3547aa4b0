"""The container config as moby 20.10 writes it: fields in the order of its struct, empty ones where it keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.image.document import Json

# Written even when empty, with this value.
_ALWAYS: dict[str, Json] = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False,
    "AttachStderr": False, "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": None,
    "Image": "", "Volumes": None, "WorkingDir": "", "Entrypoint": None, "OnBuild": None, "Labels": None,
}  # fmt: skip
_ORDER = (
    "Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "ExposedPorts", "Tty",
    "OpenStdin", "StdinOnce", "Env", "Cmd", "Healthcheck", "ArgsEscaped", "Image", "Volumes", "WorkingDir",
    "Entrypoint", "NetworkDisabled", "MacAddress", "OnBuild", "Labels", "StopSignal", "StopTimeout", "Shell",
)  # fmt: skip
_HEALTHCHECK = ("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")
# What moby knows since 25.
_NEWER = {"StartInterval"}
# Pointers in moby's struct: kept when they point to something empty.
_POINTERS = {"Healthcheck", "StopTimeout"}
# Sets, which Go has as maps to nothing.
_SETS = {"ExposedPorts", "Volumes"}
_WORDS = {"Cmd", "Entrypoint", "Shell"}
# What a container takes over from its image where its own config says nothing.
_INHERITED = ("User", "ExposedPorts", "Env", "Healthcheck", "WorkingDir", "Volumes", "StopSignal")


def written(config: Json, *, is_newer: bool = False) -> dict[str, Json]:
    """Return the config with the fields moby knows, in moby's order.

    Parameters
    ----------
    config : object of JSON
        As found in an image config; None stands for the empty one.
    is_newer : bool, default False
        Whether it is written as moby 25 and newer does.
    """
    given = config if isinstance(config, dict) else {}
    fields = {name: _field(name, given.get(name), is_newer=is_newer) for name in _ORDER}
    return {name: value for name, value in fields.items() if name in _ALWAYS or _is_kept(name, value)}


def of_container(image: Json, own: Mapping[str, Json]) -> dict[str, Json]:
    """Return the config of a container: its own fields over those of its image."""
    inherited = image if isinstance(image, dict) else {}
    merged: dict[str, Json] = {name: inherited.get(name) for name in _INHERITED}
    if not own.get("Entrypoint"):
        merged["Entrypoint"] = inherited.get("Entrypoint")
        merged["Cmd"] = inherited.get("Cmd")
    labels = inherited.get("Labels")
    merged["Labels"] = labels if isinstance(labels, dict) else {}
    return written(merged | {name: value for name, value in own.items() if value is not None})


def _field(name: str, value: Json, *, is_newer: bool) -> Json:
    if value is None:
        return _ALWAYS.get(name)
    if name in _WORDS and isinstance(value, str):
        return [value]
    if name == "Healthcheck" and isinstance(value, dict):
        return {part: value[part] for part in _HEALTHCHECK if value.get(part) and (is_newer or part not in _NEWER)}
    if isinstance(value, dict):
        return {key: {} if name in _SETS else value[key] for key in sorted(value)}
    return value


def _is_kept(name: str, value: Json) -> bool:
    return value is not None if name in _POINTERS else bool(value)
