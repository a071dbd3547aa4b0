"""Hand-made images: layer tars, configs and docker-archives, written with `tarfile` and `json` alone."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BORN = 1_500_000_000


@dataclass(frozen=True)
class Entry:
    """One member of a layer's tar."""

    path: str
    kind: bytes = tarfile.REGTYPE
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = BORN
    device: tuple[int, int] = (0, 0)
    xattrs: tuple[tuple[str, bytes], ...] = ()


def directory(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, tarfile.DIRTYPE, mode=mode)


def symlink(path: str, target: str) -> Entry:
    return Entry(path, tarfile.SYMTYPE, target=target, mode=0o777)


def hardlink(path: str, target: str) -> Entry:
    return Entry(path, tarfile.LNKTYPE, target=target)


def layer_tar(entries: Iterable[Entry]) -> bytes:
    """Write the entries, in this order, as an uncompressed PAX tar."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.type, member.linkname, member.size = entry.kind, entry.target, len(entry.content)
            member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.uid, entry.gid, entry.mtime
            member.devmajor, member.devminor = entry.device
            member.pax_headers = {
                f"SCHILY.xattr.{name}": value.decode("utf-8", "surrogateescape") for name, value in entry.xattrs
            }
            archive.addfile(member, io.BytesIO(entry.content))
    return body.getvalue()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class ImageSpec:
    """What one image of an archive holds: its tags, its layers base first, its history oldest first."""

    layers: tuple[bytes, ...]
    tags: tuple[str, ...] = ()
    created: datetime | None = None
    history: tuple[dict[str, Any], ...] | None = None
    config: dict[str, Any] = field(default_factory=lambda: {"Cmd": ["/bin/sh"]}, hash=False)

    def config_bytes(self) -> bytes:
        """Return the config's JSON, whose digest is the image id."""
        config: dict[str, Any] = {"architecture": "amd64", "os": "linux", "config": self.config}
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
        {"created": stamp(created - timedelta(hours=len(layers) - n)), "created_by": f"step {n}"} for n in range(len(layers))
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
