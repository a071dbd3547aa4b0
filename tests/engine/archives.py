"""Hand-made images: configs and docker-archives, written with `tarfile` and `json` alone."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.tars import BORN, sha256

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class ImageSpec:
    """What one image of an archive holds: its tags, its layers base first, its history oldest first."""

    layers: tuple[bytes, ...]
    tags: tuple[str, ...] = ()
    created: datetime | None = None
    history: tuple[dict[str, Any], ...] | None = None
    config: dict[str, Any] = field(default_factory=lambda: {"Cmd": ["/bin/sh"]}, hash=False)
    architecture: str = "amd64"

    def config_bytes(self) -> bytes:
        """Return the config's JSON, whose digest is the image id."""
        config: dict[str, Any] = {"architecture": self.architecture, "os": "linux", "config": self.config}
        config["rootfs"] = {"type": "layers", "diff_ids": [sha256(layer) for layer in self.layers]}
        if self.created is not None:
            config["created"] = stamp(self.created)
        if self.history is not None:
            config["history"] = list(self.history)
        return json.dumps(config, ensure_ascii=False).encode()

    @property
    def image_id(self) -> str:
        return sha256(self.config_bytes())


def stamp(moment: datetime) -> str:
    """Write a time as configs do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def one_row_a_layer(layers: Sequence[bytes], created: datetime) -> tuple[dict[str, Any], ...]:
    """Return the plainest history."""
    return tuple(
        {"created": stamp(created - timedelta(hours=len(layers) - n)), "created_by": f"step {n}"}
        for n in range(len(layers))
    )


def docker_archive(images: Sequence[ImageSpec]) -> bytes:
    """Write the images as `docker save` would let them travel: each distinct layer once."""
    members: dict[str, bytes] = {}
    manifest = []
    for image in images:
        config = image.config_bytes()
        members[f"{sha256(config)[7:]}.json"] = config
        paths = [f"{sha256(layer)[7:]}/layer.tar" for layer in image.layers]
        members.update(zip(paths, image.layers, strict=True))
        manifest.append({"Config": f"{sha256(config)[7:]}.json", "RepoTags": list(image.tags) or None, "Layers": paths})
    members["manifest.json"] = json.dumps(manifest).encode()
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), BORN
            archive.addfile(member, io.BytesIO(content))
    return body.getvalue()
