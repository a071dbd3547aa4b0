"""Column C29 of accounting.md, whose figures are exact where the blobs are given: here they have the measured sizes."""

from __future__ import annotations

import gzip
import io
import json
import random
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.layouts import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Members, as_tar, blob
from tests.tars import Entry, layer_tar, sha256
from tests.test_spec_accounting import new_engine

if TYPE_CHECKING:
    import layersim as ls

HEADER_WITH_EXTRA_FIELD = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff"


class Given(NamedTuple):
    """The bytes that an image's manifest, config and own layer take, packed and as files; its parent's layers below."""

    manifest_and_config: int
    packed: int
    file: int
    parent: str | None = None


# Section 3: from SIZE, SHARED and UNIQUE of the four images follows what each blob takes.
FAMILY = {
    "a": Given(696, 1_000_486, 1_000_000),
    "b": Given(1_478, 500_328, 500_000, "a"),
    "c": Given(1_480, 300_277, 300_000, "a"),
    "d": Given(2_041, 100_225, 100_000, "b"),
}


def chain(name: str) -> list[str]:
    parent = FAMILY[name].parent
    return [*(chain(parent) if parent else []), name]


def padded_json(document: dict[str, Any], size: int) -> bytes:
    """Write a document in exactly so many bytes."""
    raw = json.dumps(document).encode()
    assert len(raw) <= size
    return raw + b" " * (size - len(raw))


def padded_gzip(data: bytes, size: int) -> bytes:
    """Pack bytes into exactly so many, as no program would."""
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(data) + packer.flush()
    tail = zlib.crc32(data).to_bytes(4, "little") + (len(data) % 2**32).to_bytes(4, "little")
    extra = size - len(HEADER_WITH_EXTRA_FIELD) - 2 - len(body) - len(tail)
    assert 0 <= extra < 2**16
    packed = HEADER_WITH_EXTRA_FIELD + extra.to_bytes(2, "little") + bytes(extra) + body + tail
    assert gzip.GzipFile(fileobj=io.BytesIO(packed)).read() == data
    return packed


def own_layer(name: str) -> bytes:
    """Return a tar that packs into a little less than the bytes given."""
    zeros = FAMILY[name].file // 25
    noise = random.Random(name).randbytes(FAMILY[name].file - zeros)
    return layer_tar([Entry(f"file-{name}", content=noise + bytes(zeros))])


def archive(name: str) -> bytes:
    """Return an image of the family as an OCI image layout."""
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    layers, steps = [own_layer(one) for one in chain(name)], chain(name)
    packed = [
        blob(members, padded_gzip(layer, FAMILY[one].packed), LAYER_TYPE)
        for one, layer in zip(steps, layers, strict=True)
    ]
    size = FAMILY[name].manifest_and_config
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": list(map(sha256, layers))},
    }
    described = blob(members, json.dumps(config).encode(), CONFIG_TYPE)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described, "layers": packed}
    top = blob(members, padded_json(manifest, size - described["size"]), MANIFEST_TYPE)
    top["annotations"] = {"io.containerd.image.name": f"docker.io/library/{name}:1"}
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    return as_tar(members)


@pytest.fixture
def engine() -> ls.Engine:
    engine = new_engine("containerd")
    for name in FAMILY:
        engine.load(archive(name))
    return engine


def test_who_shares_what(engine: ls.Engine) -> None:
    rows = {row.tags[0]: (row.size, row.shared_size, row.unique_size) for row in engine.df().images}
    assert rows == {
        "a:1": (2_008_798, 2_008_102, 696),
        "b:1": (3_017_812, 3_016_334, 1_478),
        "c:1": (2_617_059, 2_008_102, 608_957),
        "d:1": (3_225_096, 3_016_334, 208_762),
    }


def test_what_could_be_freed(engine: ls.Engine) -> None:
    """Section 4: 819.9kB without a container, 818.4kB with one of b, 209.5kB with one of c as well."""
    said = []
    for tag in (None, "b:1", "c:1"):
        if tag is not None:
            engine.create(tag)
        said.append(str(engine.df()).splitlines()[1].split()[4])
    assert said == ["819.9kB", "818.4kB", "209.5kB"]


def test_the_sum_counts_each_snapshot_and_blob_once(engine: ls.Engine) -> None:
    snapshots = [4096 + -(-given.file // 4096) * 4096 for given in FAMILY.values()]
    blobs = [given.manifest_and_config + given.packed for given in FAMILY.values()]
    assert engine.df().layers_size == sum(snapshots) + sum(blobs)
    assert engine.prune("images", unused_images=True).freed == sum(snapshots) + sum(blobs)


def thrice_empty(config_size: int) -> bytes:
    """Return a docker-archive of an image of three empty layers."""
    empty = bytes(1024)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [sha256(empty)] * 3},
    }
    manifest = [{"Config": "c.json", "RepoTags": ["e:1"], "Layers": ["layer.tar"] * 3}]
    members = {"c.json": padded_json(config, config_size), "layer.tar": empty}
    return as_tar({**members, "manifest.json": json.dumps(manifest).encode()})


def test_a_blob_that_is_listed_thrice() -> None:
    """Section 2: manifest 731 and config 605, three times 1024 packed and three roots."""
    engine = new_engine("containerd")
    engine.load(thrice_empty(605))
    (row,) = engine.images()
    assert row.content_size == 731 + 605 + 3 * 1024
    assert row.size == 16_696
