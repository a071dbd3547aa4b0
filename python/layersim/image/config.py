"""The image config: what an image says of itself. Its digest is the image id, so the raw bytes are always kept."""

from __future__ import annotations

import re

import msgspec

from layersim.errors import ValidationError
from layersim.image import instant
from layersim.image.document import decode
from layersim.image.frozen import Frozen, FrozenSets, frozen

_OBJECTS = ("volumes", "exposed_ports", "labels")
_DIFF_ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class Healthcheck(msgspec.Struct, frozen=True, rename="pascal"):
    """How a container says that it is well; the first word of `test` is the way, ``NONE`` means not at all."""

    test: tuple[str, ...] | None = None


class ContainerConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """What a container of the image starts with; like all of a config, it cannot be changed."""

    user: str | None = None
    env: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | str | None = None
    entrypoint: tuple[str, ...] | str | None = None
    working_dir: str | None = None
    volumes: FrozenSets | None = None
    exposed_ports: FrozenSets | None = None
    labels: Frozen[str] | None = None
    stop_signal: str | None = None
    on_build: tuple[str, ...] | None = None
    healthcheck: Healthcheck | None = None

    def __post_init__(self) -> None:
        """Freeze the objects of the document."""
        for name in _OBJECTS:
            msgspec.structs.force_setattr(self, name, frozen(getattr(self, name)))

    @property
    def command(self) -> tuple[str, ...]:
        """The words that a container runs: entrypoint, then cmd."""
        return (*self.entrypoint_words, *_words(self.cmd))

    @property
    def entrypoint_words(self) -> tuple[str, ...]:
        """The words that come before those of any command."""
        return _words(self.entrypoint)


def _words(value: tuple[str, ...] | str | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


class HistoryEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of an image's making (accounting.md section 7).

    Entries without `empty_layer` pair with the diff ids, base first.

    Attributes
    ----------
    created : str or None
        RFC 3339, as it is written.
    author : str or None
    created_by : str or None
        The instruction or command.
    comment : str or None
    empty_layer : bool or None
        Whether it made no layer.
    """

    created: str | None = None
    author: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class RootFS(msgspec.Struct, frozen=True):
    """The diff ids of an image, base first."""

    type: str | None = None
    diff_ids: tuple[str, ...] | None = None


class ImageConfig(msgspec.Struct, frozen=True):
    """The typed fields of an image config; a field that it does not know lives on in the raw bytes.

    Attributes
    ----------
    architecture, os, variant : str or None
        The platform, in Go's words.
    created : str or None
        RFC 3339, as it is written.
    author : str or None
    config : ContainerConfig or None
        What containers start with.
    rootfs : RootFS or None
        The diff ids.
    history : tuple of HistoryEntry or None
        Oldest step first.
    docker_version : str or None
        Of the engine that made it.
    """

    architecture: str | None = None
    os: str | None = None
    variant: str | None = None
    created: str | None = None
    author: str | None = None
    config: ContainerConfig | None = None
    rootfs: RootFS | None = None
    history: tuple[HistoryEntry, ...] | None = None
    docker_version: str | None = None

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The diff ids, base first."""
        return (self.rootfs and self.rootfs.diff_ids) or ()

    @property
    def run_config(self) -> ContainerConfig:
        """The container config, an empty one where the image has none."""
        return self.config or ContainerConfig()


def parse_config(raw: bytes, name: str = "image config") -> ImageConfig:
    """Read and check an image config.

    Parameters
    ----------
    raw : bytes
        The document, verbatim.
    name : str
        What to call it in messages: the archive member it came from.

    Returns
    -------
    ImageConfig
        Frozen, whatever is in it too.

    Raises
    ------
    ValidationError
        It is not JSON, a field has the wrong type, or it breaks a rule; all broken rules are listed.
    """
    config = decode(raw, ImageConfig, name)
    breaches = _breaches(config)
    if breaches:
        raise ValidationError(f"{name}: " + "; ".join(breaches), breaches)
    return config


def _breaches(config: ImageConfig) -> list[str]:
    if config.rootfs is None:
        return ["invalid image JSON, no RootFS key", *_time_breaches(config)]
    breaches, diff_ids = [], config.diff_ids
    for index, diff_id in enumerate(diff_ids):
        if not _DIFF_ID.fullmatch(diff_id):
            breaches.append(f"diff_ids[{index}] must be sha256: and 64 hex digits, not {diff_id[:80]!r}")
    if sum(not entry.empty_layer for entry in config.history or ()) > len(diff_ids):
        breaches.append("too many non-empty layers in History section")
    return breaches + _time_breaches(config)


def _time_breaches(config: ImageConfig) -> list[str]:
    places = [("created", config.created)]
    places += [(f"history[{index}].created", entry.created) for index, entry in enumerate(config.history or ())]
    breaches = []
    for place, text in places:
        try:
            instant.unix_seconds(text)
        except ValueError as error:
            breaches.append(f"{place}: {error}")
    return breaches
