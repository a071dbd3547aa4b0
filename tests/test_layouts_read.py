"""What an archive says beyond its images: platforms to choose from, targets, blobs as they are stored."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

import layersim as ls
from layersim.layout import Descriptor, Platform, Wanted, read_archive
from layersim.profiles.packaging import by_manifest
from tests.engine.archives import ImageSpec
from tests.engine.archives import docker_archive as archive_of
from tests.layouts import INDEX_TYPE, MANIFEST_TYPE, Members, as_tar, blob, docker_archive, oci_layout
from tests.tars import Entry, directory, layer_tar

HERE = Wanted(Platform(os="linux", architecture="amd64"))
BASE = layer_tar([Entry("base", content=b"b" * 2000)])
APP = layer_tar([Entry("app", content=b"a" * 3000)])
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
PLATFORMS = ("linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8", "linux/s390x")
Json = dict[str, Any]


def platform_json(text: str) -> Json:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def image_for(members: Members, platform: str, *, layers: tuple[bytes, ...] = (BASE,)) -> Json:
    """Put in an image for a platform, and return the descriptor of its manifest."""
    rootfs = {"type": "layers", "diff_ids": [ls.sha256(layer) for layer in layers]}
    config = blob(members, json.dumps({**platform_json(platform), "rootfs": rootfs}).encode(), CONFIG_TYPE)
    stored = [
        blob(members, gzip.compress(layer, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip") for layer in layers
    ]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": stored}
    return blob(members, json.dumps(manifest).encode(), MANIFEST_TYPE) | {"platform": platform_json(platform)}


def attestation(members: Members, about: Json) -> Json:
    config = blob(members, b'{"architecture": "unknown", "os": "unknown"}', CONFIG_TYPE)
    statement = blob(members, b'{"_type": "statement"}', "application/vnd.in-toto+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": [statement]}
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"]}
    found = blob(members, json.dumps(manifest).encode(), MANIFEST_TYPE)
    return found | {"platform": platform_json("unknown/unknown"), "annotations": annotations}


def many_platforms() -> tuple[Members, Json]:
    """Return a layout of one name with an index for many platforms, and the descriptor of that index."""
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    images = [image_for(members, platform) for platform in PLATFORMS]
    manifests = [*images, attestation(members, images[0])]
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
    target = blob(members, json.dumps(index).encode(), INDEX_TYPE)
    top = target | {"annotations": {"io.containerd.image.name": "docker.io/library/web:1"}}
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    return members, target


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (None, "linux/amd64"),
        *((platform, platform) for platform in PLATFORMS),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm64", "linux/arm64/v8"),
        ("Linux/AMD64", "linux/amd64"),
    ],
)
def test_a_platform_is_picked_from_an_index(asked: str | None, got: str) -> None:
    members, _ = many_platforms()
    (image,) = ls.Engine().load(as_tar(members), platform=asked)
    config = json.loads(image.raw_config)
    assert {name: config.get(name) for name in platform_json(got)} == platform_json(got)
    assert image.tags == ("web:1",)


@pytest.mark.parametrize("asked", ["linux/riscv64", "windows/amd64", "linux/arm/v5"])
def test_a_platform_that_is_not_there_is_answered_with_those_that_are(asked: str) -> None:
    engine = ls.Engine()
    with pytest.raises(ls.LayerSimError) as caught:
        engine.load(as_tar(many_platforms()[0]), platform=asked)
    assert str(caught.value) == f"index.json: no image for {asked}; there is {', '.join(PLATFORMS)}"
    assert len(engine.images(all=True)) == 0
    with pytest.raises(ls.LayerSimError) as caught:
        engine.load(as_tar(docker_archive(ImageSpec(layers=(BASE,)))), platform=asked)
    assert str(caught.value) == f"manifest.json: no image for {asked}; there is linux/amd64"


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux amd64", "linux/amd64\n"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a platform such as"):
        ls.Engine().load(as_tar(oci_layout(ImageSpec(layers=(BASE,)))), platform=text)


def test_of_several_names_those_with_an_image_for_the_platform_come_in() -> None:
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    tops = []
    for number, platform in enumerate(("linux/amd64", "linux/arm64", "linux/arm64")):
        top = image_for(members, platform, layers=(BASE, layer_tar([Entry(str(number))])))
        del top["platform"]  # then the config says it
        tops.append(top | {"annotations": {"org.opencontainers.image.ref.name": f"name{number}:1"}})
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": tops}).encode()
    assert [image.tags[0] for image in ls.Engine().load(as_tar(members), platform="linux/arm64")] == [
        "name1:1",
        "name2:1",
    ]
    assert len(ls.Engine().load(as_tar(members))) == 3


def expected(members: Members, descriptor: Json) -> list[tuple[str, int]]:
    """Walk a layout as a script would: what a descriptor reaches, as often as it does."""
    found = members.get("blobs/sha256/" + descriptor["digest"][7:])
    if found is None:
        return []
    reached = [(descriptor["digest"], len(found))]
    if descriptor["mediaType"] in {INDEX_TYPE, MANIFEST_TYPE}:
        document = json.loads(found)
        below = [document["config"], *document["layers"]] if "config" in document else document["manifests"]
        reached += [pair for one in below for pair in expected(members, one)]
    return reached


def pairs(content: tuple[Descriptor, ...]) -> list[tuple[str, int]]:
    return [(descriptor.digest, descriptor.size) for descriptor in content]


def test_the_content_of_an_index_is_all_that_is_there() -> None:
    members, target = many_platforms()
    (image,) = read_archive(as_tar(members), wanted=HERE)
    assert image.target is not None
    assert (image.target.digest, image.target.media_type) == (target["digest"], INDEX_TYPE)
    assert pairs(image.content) == expected(members, target)
    assert len(image.content) == 1 + 3 * len(PLATFORMS) + 3
    assert image.stored_layers == ()


def test_what_is_not_there_is_not_content() -> None:
    members, target = many_platforms()
    for descriptor in json.loads(members["blobs/sha256/" + target["digest"][7:]])["manifests"][1:]:
        del members["blobs/sha256/" + descriptor["digest"][7:]]
    (image,) = read_archive(as_tar(members), wanted=HERE)
    assert pairs(image.content) == expected(members, target)
    assert len(image.content) == 1 + 3


def test_content_is_listed_as_often_as_it_is_listed() -> None:
    """The worked example of accounting.md section 2: an image of three empty layers of 1,024 bytes."""
    empty = bytes(1024)
    spec = ImageSpec(layers=(empty, empty, empty))
    engine = ls.Engine()
    engine.load(as_tar(docker_archive(spec)))
    members: Members = {}
    rootfs = {"type": "layers", "diff_ids": [ls.sha256(empty)] * 3}
    config = blob(members, json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode(), CONFIG_TYPE)
    stored = blob(members, empty, "application/vnd.oci.image.layer.v1.tar")
    manifest = {"schemaVersion": 2, "config": config, "layers": [stored] * 3}
    top = blob(members, json.dumps(manifest).encode(), MANIFEST_TYPE)
    members["index.json"] = json.dumps({"manifests": [top]}).encode()
    (image,) = read_archive(as_tar(members), wanted=HERE)
    assert sum(descriptor.size for descriptor in image.content) == top["size"] + config["size"] + 3 * 1024


@pytest.mark.parametrize(("prefers", "tag"), [("manifest", "archive:1"), ("index", "layout:1")])
def test_of_both_documents_the_store_reads_the_one_it_prefers(prefers: Literal["manifest", "index"], tag: str) -> None:
    both = {
        **oci_layout(ImageSpec(layers=(BASE, APP)), "layout:1"),
        **docker_archive(ImageSpec(layers=(BASE,)), "archive:1"),
    }
    (image,) = read_archive(as_tar(both), wanted=HERE, prefers=prefers)
    assert [str(reference) for reference in image.references] == [tag]
    assert (image.target is None) == (prefers == "manifest")
    for only in (oci_layout(ImageSpec(layers=(BASE,))), docker_archive(ImageSpec(layers=(BASE,)))):
        assert len(read_archive(as_tar(only), wanted=HERE, prefers=prefers)) == 1


def test_a_docker_archive_tells_its_layers_as_they_are_stored() -> None:
    members = docker_archive(ImageSpec(layers=(BASE, APP, BASE)))
    members["layer1/layer.tar"] = gzip.compress(APP)
    (image,) = read_archive(as_tar(members), wanted=HERE)
    stored = [BASE, members["layer1/layer.tar"], BASE]
    kinds = ["", ".gzip", ""]
    assert image.stored_layers == tuple(
        Descriptor(
            digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
            size=len(data),
            media_type=f"application/vnd.docker.image.rootfs.diff.tar{kind}",
        )
        for data, kind in zip(stored, kinds, strict=True)
    )
    assert (image.target, image.content) == (None, ())


def test_the_manifest_of_a_docker_archive_is_the_one_that_containerd_makes() -> None:
    """The ids that dockerd 28.5.2 with containerd's store gave these images."""
    motd = layer_tar([directory("etc"), Entry("etc/a", content=b"a" * 1000)])
    more = layer_tar([Entry("b", content=b"b" * 3000)])
    born = datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    images = [ImageSpec(layers=(motd,)), ImageSpec(layers=(motd, more), created=born)]
    ids = [by_manifest(image, "load").id for image in read_archive(archive_of(images), wanted=HERE)]
    assert ids == [
        "sha256:e51f4502be1015d3817a928befa106ebe93c5d707540c1a791de2ffbe6bdab81",
        "sha256:b64904b8232aba7d8bb2c99b6819b63b749d524f3c12dbc751c4a2cc4249a53d",
    ]


def test_compressed_layers_of_one_archive_share_the_bound_on_inflating() -> None:
    layers = tuple(layer_tar([Entry(str(n), content=bytes(3 << 20))]) for n in range(8))
    members = oci_layout(ImageSpec(layers=layers))
    whole = sum(map(len, layers))
    assert len(ls.Engine().load(as_tar(members), limits=ls.Limits(inflated_bytes=whole))) == 1
    with pytest.raises(ls.LayerSimError, match="inflate to more"):
        ls.Engine().load(as_tar(members), limits=ls.Limits(inflated_bytes=whole // 3))
