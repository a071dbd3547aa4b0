"""Archives of images that are cut, changed or lie: one typed error, and the engine is as it was."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import ArchiveError, DigestMismatchError, InvalidReferenceError, LayerSimError, ValidationError
from tests.engine.archives import ImageSpec
from tests.layouts import Members, as_directory, as_tar, docker_archive, oci_layout
from tests.tars import Entry, hardlink, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYER = layer_tar([Entry("a", content=b"a" * 700), Entry("b")])
IMAGE = ImageSpec(layers=(LAYER, layer_tar([Entry("c", content=b"c")])))
CONFIG = IMAGE.image_id.removeprefix("sha256:") + ".json"
LAYER_BLOB = "layer0/layer.tar"


def refused(source: bytes | Path, kind: type[LayerSimError] = LayerSimError) -> str:
    """Return the message of the error; nothing must have come in."""
    engine = ls.Engine(clock=lambda: 10**18)
    engine.import_tar(LAYER, tag="before:1")
    before = str(engine.images()), str(engine.df(verbose=True))
    with pytest.raises(kind) as caught:
        engine.load(source)
    assert (str(engine.images()), str(engine.df(verbose=True))) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edited(change: Callable[[Any], Any]) -> bytes:
    """Return a docker-archive whose manifest was changed."""
    members = docker_archive(IMAGE)
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps(change(manifest)).encode()
    return as_tar(members)


def with_config(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a docker-archive whose config was changed."""
    members = docker_archive(IMAGE)
    config = json.loads(members[CONFIG])
    change(config)
    members[CONFIG] = json.dumps(config).encode()
    return as_tar(members)


@pytest.mark.parametrize("make", [docker_archive, oci_layout], ids=["docker-archive", "OCI"])
def test_a_cut_archive_is_refused_or_whole(make: Callable[[ImageSpec], Members]) -> None:
    tar = as_tar(make(IMAGE))
    whole = len(tar.rstrip(b"\0"))
    for end in [*range(0, whole, 97), *range(0, whole, 512)]:
        refused(tar[:end])


@pytest.mark.parametrize("make", [docker_archive, oci_layout], ids=["docker-archive", "OCI"])
def test_a_changed_byte_is_refused_or_means_nothing(make: Callable[[ImageSpec], Members]) -> None:
    tar, rng = as_tar(make(IMAGE)), random.Random(5)
    expected = ls.Engine().load(tar)[0].diff_ids
    for _ in range(400):
        changed = bytearray(tar)
        changed[rng.randrange(len(tar))] ^= 1 << rng.randrange(8)
        try:
            images = ls.Engine().load(bytes(changed))
        except LayerSimError:
            continue
        assert [image.diff_ids for image in images] in ([expected], [])


def test_a_layer_that_is_not_what_the_config_says_names_both() -> None:
    members = docker_archive(IMAGE)
    members[LAYER_BLOB] = layer_tar([Entry("other")])
    message = refused(as_tar(members), DigestMismatchError)
    assert LAYER_BLOB in message
    assert ls.sha256(LAYER) in message
    assert ls.sha256(members[LAYER_BLOB]) in message


@pytest.mark.parametrize("gone", [LAYER_BLOB, CONFIG, "manifest.json"])
def test_a_missing_member_is_named(gone: str) -> None:
    members = docker_archive(IMAGE)
    del members[gone]
    assert gone in refused(as_tar(members), ArchiveError)


def test_a_missing_or_changed_blob_of_a_layout_is_named(tmp_path: Path) -> None:
    for number, name in enumerate(name for name in oci_layout(IMAGE) if name.startswith("blobs/")):
        members = oci_layout(IMAGE)
        data = members.pop(name)
        assert name in refused(as_tar(members), ArchiveError)
        assert name in refused(as_directory(members, tmp_path / str(number)), ArchiveError)
        changed = as_tar({**members, name: data[:-1] + bytes([data[-1] ^ 1])})
        assert name.rpartition("/")[2] in refused(changed)
        assert name in refused(as_tar({**members, name: data + b"x"}), ArchiveError)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda _: None, ValidationError),
        (lambda _: {}, ValidationError),
        (lambda _: [7], ValidationError),
        (lambda manifest: [{**manifest[0], "Layers": manifest[0]["Layers"][:1]}], ValidationError),
        (lambda manifest: [{**manifest[0], "Layers": manifest[0]["Layers"] * 2}], ValidationError),
        (lambda manifest: [{**manifest[0], "Layers": manifest[0]["Layers"][::-1]}], DigestMismatchError),
        (lambda manifest: [{**manifest[0], "Layers": "x"}], ValidationError),
        (lambda manifest: [{**manifest[0], "Config": "../../etc/passwd"}], ArchiveError),
        (lambda manifest: [{**manifest[0], "Config": ""}], ArchiveError),
        (lambda manifest: [{**manifest[0], "Config": LAYER_BLOB}], ValidationError),
        (lambda manifest: [{**manifest[0], "RepoTags": ["UPPER:1"]}], InvalidReferenceError),
        (lambda manifest: [{**manifest[0], "RepoTags": ["a:1", ":"]}], InvalidReferenceError),
        (lambda manifest: [{**manifest[0], "RepoTags": [7]}], ValidationError),
    ],
)
def test_a_manifest_that_breaks_its_rules(change: Callable[[Any], Any], kind: type[LayerSimError]) -> None:
    refused(edited(change), kind)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.pop("rootfs"),
        lambda config: config.update(rootfs=None),
        lambda config: config.update(rootfs={"type": "layers", "diff_ids": ["sha256:xyz", "b"]}),
        lambda config: config.update(rootfs={"type": "layers", "diff_ids": ["md5:" + "0" * 32, "b"]}),
        lambda config: config.update(created="yesterday"),
        lambda config: config.update(config=[]),
        lambda config: config.update(history=[{"empty_layer": "no"}]),
        lambda config: config.update(history={"created_by": "x"}),
    ],
)
def test_a_config_that_breaks_its_rules(change: Callable[[dict[str, Any]], object]) -> None:
    assert CONFIG in refused(with_config(change))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"7",
        b"nul",
        b'{"a":' * 100_000,
        b"[" * 1_000_000,
        b'\xff\xfe{"a":1}',
        b'{"rootfs":{"diff_ids":1e999}}',
        b"\0" * 600,
    ],
    ids=lambda raw: repr(raw[:12]),
)
@pytest.mark.parametrize("document", [CONFIG, "manifest.json"])
def test_bytes_that_are_no_document(document: str, raw: bytes) -> None:
    assert document in refused(as_tar({**docker_archive(IMAGE), document: raw}))


def test_a_layout_of_another_version_or_a_bottomless_index() -> None:
    members = oci_layout(IMAGE)
    assert "oci-layout" in refused(as_tar({**members, "oci-layout": b'{"imageLayoutVersion": "9.0.0"}'}))
    refused(as_tar({**members, "index.json": b'{"schemaVersion": 2, "manifests": 7}'}), ValidationError)


def test_links_of_a_directory_lead_nowhere_outside(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(docker_archive(IMAGE)[CONFIG])
    folder = as_directory(docker_archive(IMAGE), tmp_path / "archive")
    (folder / CONFIG).unlink()
    (folder / CONFIG).symlink_to(secret)
    assert CONFIG in refused(folder, ArchiveError)
    (folder / CONFIG).unlink()
    (folder / CONFIG).symlink_to("../secret")
    assert CONFIG in refused(folder, ArchiveError)
    (folder / CONFIG).unlink()
    (folder / CONFIG).symlink_to(CONFIG)
    assert CONFIG in refused(folder, ArchiveError)


def test_links_between_members_are_followed_as_they_were_when_they_came() -> None:
    """A hard link is the file that had the name then; a link to a directory leads to what is in it at the end."""
    layer = layer_tar([Entry("f", content=b"f")])
    image = ImageSpec((layer, layer))
    config = image.config_bytes()
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": ["hard.tar", "alias/layer.tar"]}]
    members = [
        Entry("first.tar", content=layer),
        hardlink("hard.tar", "first.tar"),
        Entry("first.tar", content=b"something else"),
        symlink("alias", "folder"),
        Entry("folder/layer.tar", content=layer),
        Entry("config.json", content=config),
        Entry("manifest.json", content=json.dumps(manifest).encode()),
    ]
    (loaded,) = ls.Engine().load(layer_tar(members))
    assert loaded.id == image.image_id


def test_what_is_no_archive_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"hello\n" * 100)
    (tmp_path / "folder").mkdir()
    for name in ("empty", "text", "folder"):
        assert name in refused(tmp_path / name) or name != "folder"
    with pytest.raises(FileNotFoundError):
        ls.Engine().load(tmp_path / "none")
