"""Hand-made OCI image layouts and docker-archives, as dicts from member name to bytes."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from tests.tars import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.archives import ImageSpec

Members = dict[str, bytes]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def blob(members: Members, data: bytes, media_type: str) -> dict[str, Any]:
    """Put bytes under their digest and return their descriptor."""
    digest = sha256(data)
    members["blobs/sha256/" + digest.removeprefix("sha256:")] = data
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def oci_layout(image: ImageSpec, name: str = "web:1", *, nested: bool = False) -> Members:
    """Return an OCI layout of one image with gzip layers; `nested` puts an index for platforms between."""
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    layers = [blob(members, gzip.compress(layer, mtime=0), LAYER_TYPE) for layer in image.layers]
    config = blob(members, image.config_bytes(), CONFIG_TYPE)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": layers}
    top = blob(members, json.dumps(manifest).encode(), MANIFEST_TYPE)
    if nested:
        wanted = {**top, "platform": {"os": "linux", "architecture": "amd64"}}
        other = {**top, "digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "s390x"}}
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [other, wanted]}
        top = blob(members, json.dumps(index).encode(), INDEX_TYPE)
    top["annotations"] = {"org.opencontainers.image.ref.name": name}
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    return members


def docker_archive(image: ImageSpec, name: str = "web:1") -> Members:
    """Return a docker-archive of one image."""
    config = image.image_id.removeprefix("sha256:") + ".json"
    layers = {f"layer{number}/layer.tar": layer for number, layer in enumerate(image.layers)}
    manifest = [{"Config": config, "RepoTags": [name], "Layers": list(layers)}]
    return {config: image.config_bytes(), **layers, "manifest.json": json.dumps(manifest).encode()}


def as_tar(members: Members) -> bytes:
    """Write the members as a tar."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def as_directory(members: Members, folder: Path) -> Path:
    """Write the members as files."""
    for name, data in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
