"""Archives of one image in every form that its blobs can have."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import layersim as ls
from tests.engine.archives import ImageSpec
from tests.engine.archives import docker_archive as plain_archive
from tests.layouts import CONFIG_TYPE, INDEX_TYPE, LAYER_TYPE, MANIFEST_TYPE, Members, as_tar, blob, oci_layout
from tests.tars import Entry, layer_tar, sha256

if TYPE_CHECKING:
    from typing import Literal

LAYERS = (layer_tar([Entry("f", content=b"x" * 5000)]), layer_tar([Entry("g", content=b"y" * 50)]))
IMAGE = ImageSpec(LAYERS, ("web:1",))
NAME = "docker.io/library/web:1"


def members_of(archive: bytes) -> Members:
    """Return the files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        files = [(member.name, opened.extractfile(member)) for member in opened if member.isreg()]
        return {name: file.read() for name, file in files if file is not None}


def blobs_of(archive: bytes) -> Members:
    """Return its blobs."""
    return {name: data for name, data in members_of(archive).items() if name.startswith("blobs/")}


def converted(layout: Literal["docker25", "oci"], compression: Literal["gzip", "zstd"] | None = None) -> Members:
    """Return what an engine writes that keeps unpacked layers alone."""
    engine, target = ls.Engine("overlay2", clock=lambda: 0), io.BytesIO()
    engine.load(plain_archive([IMAGE]))
    engine.save("web:1", target, layout=layout, compression=compression)
    return members_of(target.getvalue())


def packed_archive() -> Members:
    """Return a docker-archive whose layers are packed."""
    members = members_of(plain_archive([IMAGE]))
    return {name: gzip.compress(data, 1, mtime=0) if name.endswith(".tar") else data for name, data in members.items()}


def platforms() -> Members:
    """Return an index of two platforms and a statement; one layer is of the other platform alone."""
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    plain = [blob(members, LAYERS[0], LAYER_TYPE.removesuffix("+gzip"))]
    packed = [blob(members, gzip.compress(layer, 1, mtime=0), LAYER_TYPE) for layer in LAYERS]
    statement = blob(members, b'{"_type": "statement"}', "application/vnd.in-toto+json")
    entries = [
        _manifest(members, "linux/s390x", packed, LAYERS),
        _manifest(members, "linux/amd64", plain, LAYERS[:1]),
        _manifest(members, "unknown/unknown", [statement], ()),
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
    top = blob(members, json.dumps(index, indent=1).encode(), INDEX_TYPE)
    top["annotations"] = {"io.containerd.image.name": NAME}
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    return members


def _manifest(
    members: Members, platform: str, stored: list[dict[str, Any]], layers: tuple[bytes, ...]
) -> dict[str, Any]:
    os, _, architecture = platform.partition("/")
    rootfs = {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]}
    config = json.dumps({"os": os, "architecture": architecture, "rootfs": rootfs}).encode()
    described = blob(members, config, CONFIG_TYPE)
    document = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described, "layers": stored}
    top = blob(members, json.dumps(document).encode(), MANIFEST_TYPE)
    return {**top, "platform": {"os": os, "architecture": architecture}}


LAYOUTS = {
    "packed with gzip": oci_layout(IMAGE, NAME),
    "below an index": oci_layout(IMAGE, NAME, nested=True),
    "packed with zstd": converted("oci", "zstd"),
    "not packed": converted("oci"),
    "docker 25": converted("docker25"),
    "two platforms": platforms(),
}
ARCHIVES = LAYOUTS | {"docker 20": members_of(plain_archive([IMAGE])), "docker 20, packed": packed_archive()}
TARS = {name: as_tar(members) for name, members in ARCHIVES.items()}
