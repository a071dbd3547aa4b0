"""Blobs as they came, on an engine with the containerd image store: kept, saved, and the same images elsewhere."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import msgspec
import pytest

import layersim as ls
from layersim.errors import DigestMismatchError, StateError
from layersim.state import document
from tests.kept_archives import ARCHIVES, IMAGE, LAYERS, LAYOUTS, TARS, blobs_of, members_of, platforms
from tests.layouts import Members, as_directory, as_tar, oci_layout
from tests.tars import sha256

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def engine() -> ls.Engine:
    return ls.Engine("containerd", clock=lambda: 0)


def saved(engine: ls.Engine, ref: str = "web:1") -> bytes:
    target = io.BytesIO()
    engine.save(ref, target)
    return target.getvalue()


def assert_same_again(archive: bytes, image: ls.Image) -> None:
    """Load what was saved into an empty engine, and check it by itself."""
    (again,) = ls.Engine("containerd").load(archive)
    assert (again.id, again.tags, again.raw_config) == (image.id, image.tags, image.raw_config)
    assert (again.diff_ids, again.content_size) == (image.diff_ids, image.content_size)
    blobs = blobs_of(archive)
    assert all(sha256(data)[7:] == name.rpartition("/")[2] for name, data in blobs.items())
    assert "blobs/sha256/" + image.id[7:] in blobs


@pytest.mark.parametrize("name", TARS)
def test_what_is_saved_is_what_came(name: str, engine: ls.Engine) -> None:
    (image,) = engine.load(TARS[name])
    archive = saved(engine)
    assert_same_again(archive, image)
    if name in LAYOUTS:
        here = {sha256(data): data for data in blobs_of(TARS[name]).values()}
        reached = {sha256(data) for data in blobs_of(archive).values()}
        # What docker 25 writes beside is for older engines: nothing reaches it from the index.
        assert reached <= set(here) if name == "docker 25" else reached == set(here)


@pytest.mark.parametrize("name", TARS)
def test_a_saved_engine_keeps_it_too(name: str, engine: ls.Engine, tmp_path: Path) -> None:
    (image,) = engine.load(TARS[name])
    expected = saved(engine)
    for path in (f"{tmp_path}/host.lsim", f"{tmp_path}/store/"):
        engine.save_state(path)
        with ls.Engine.open(path, verify=True) as opened:
            assert saved(opened) == expected
            assert opened.save_state(path) > 0
            assert opened.save_state(f"{path.rstrip('/')}.copy") > 0
        with ls.Engine.open(f"{path.rstrip('/')}.copy") as copied:
            assert saved(copied) == expected
            assert copied.get_image("web:1").id == image.id


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_it_came_from_may_go(name: str, engine: ls.Engine, tmp_path: Path) -> None:
    path = tmp_path / "archive.tar"
    path.write_bytes(TARS[name])
    (image,) = engine.load(path)
    path.unlink()
    assert_same_again(saved(engine), image)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_directory_becomes_a_directory(name: str, engine: ls.Engine, tmp_path: Path) -> None:
    folder = as_directory(LAYOUTS[name], tmp_path / "layout")
    # An index may name platforms that are not there.
    lacking = ls.check_archive(folder)
    (image,) = engine.load(folder)
    engine.save("web:1", folder)
    (again,) = ls.Engine("containerd").load(folder)
    assert again.id == image.id
    assert ls.check_archive(folder) == lacking


def test_older_engines_load_it_and_have_the_same_config(engine: ls.Engine) -> None:
    engine.load(TARS["two platforms"])
    archive = saved(engine)
    (item,) = json.loads(members_of(archive)["manifest.json"])
    assert item["RepoTags"] == ["web:1"]
    (image,) = ls.Engine("docker20").load(archive)
    assert image.raw_config == engine.get_image("web:1").raw_config
    assert image.diff_ids == (sha256(LAYERS[0]),)
    (other,) = ls.Engine("containerd").load(archive, platform="linux/s390x")
    assert other.diff_ids == tuple(map(sha256, LAYERS))


def test_several_images_and_names_share_what_they_share(engine: ls.Engine) -> None:
    (first,) = engine.load(TARS["packed with gzip"])
    (second,) = engine.load(as_tar(oci_layout(IMAGE, "docker.io/library/other:1", nested=True)))
    engine.tag("web:1", "also:1")
    target = io.BytesIO()
    engine.save(["web:1", "also:1", "other:1"], target)
    loaded = ls.Engine("containerd").load(target.getvalue())
    assert [(image.id, image.tags) for image in loaded] == [
        (first.id, ("also:1", "web:1")),
        (second.id, ("other:1",)),
    ]
    assert len(blobs_of(target.getvalue())) == 5


def test_a_commit_leaves_the_blobs_of_its_parent_as_they_are(engine: ls.Engine, tmp_path: Path) -> None:
    (base,) = engine.load(TARS["packed with zstd"])
    container = engine.run("web:1")
    container.fs.write_bytes("/own", b"own" * 1000)
    image = container.commit("child:1")
    archive = saved(engine, "child:1")
    assert_same_again(archive, image)
    documents = {f"blobs/sha256/{digest[7:]}" for digest in (base.id, base.config_digest)}
    assert len(documents) == 2
    layers = set(blobs_of(TARS["packed with zstd"])) - documents
    assert len(layers) == 2
    assert layers < set(blobs_of(archive))
    assert len(blobs_of(archive)) == len(layers) + 3
    engine.save_state(tmp_path / "host.lsim")
    with ls.Engine.open(tmp_path / "host.lsim") as opened:
        assert saved(opened, "child:1") == archive


def test_an_image_that_the_engine_makes_keeps_its_id(engine: ls.Engine) -> None:
    image = engine.import_tar(LAYERS[0], "made:1")
    assert_same_again(saved(engine, "made:1"), image)


def test_what_is_packed_anew_is_another_image_with_the_same_config(engine: ls.Engine, tmp_path: Path) -> None:
    (image,) = engine.load(TARS["packed with gzip"])
    engine.save("web:1", tmp_path / "zstd", layout="oci", compression="zstd")
    engine.save("web:1", tmp_path / "docker25", layout="docker25")
    engine.save("web:1", tmp_path / "docker20", layout="docker20")
    for name in ("zstd", "docker25", "docker20"):
        (again,) = ls.Engine("containerd").load(tmp_path / name)
        assert again.id != image.id
        assert again.raw_config == image.raw_config


def test_progress_tells_all_bytes_of_layers(engine: ls.Engine) -> None:
    engine.load(TARS["packed with gzip"])
    told: list[tuple[int, int]] = []
    engine.save("web:1", io.BytesIO(), progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0


def broken_elsewhere() -> Members:
    """Return an index in which a layer of the other platform has other bytes."""
    members = platforms()
    name = next(name for name, data in members.items() if data.startswith(b"\x1f\x8b"))
    return members | {name: members[name][:-1] + b"?"}


def test_what_is_kept_is_verified_and_what_is_not_is_not(engine: ls.Engine) -> None:
    with pytest.raises(DigestMismatchError, match="blobs/sha256"):
        engine.load(as_tar(broken_elsewhere()))
    assert len(engine.images(all=True)) == 0
    assert len(ls.Engine("overlay2").load(as_tar(broken_elsewhere()))) == 1


def test_a_file_that_was_written_over_is_found_when_it_is_saved(engine: ls.Engine, tmp_path: Path) -> None:
    path = tmp_path / "archive.tar"
    path.write_bytes(TARS["packed with gzip"])
    engine.load(path)
    place = TARS["packed with gzip"].index(b"\x1f\x8b")
    with path.open("r+b") as file:
        file.seek(place + 20)
        file.write(b"????")
    with pytest.raises(DigestMismatchError, match="blobs/sha256"):
        engine.save("web:1", tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


def rewritten(store: Path, **columns: object) -> None:
    """Change the section of blobs of a directory store."""
    read, _, _ = document.unsealed((store / "state.json").read_bytes(), "state.json")
    contents = msgspec.structs.replace(read.contents, **columns)
    (store / "state.json").write_bytes(document.sealed(msgspec.structs.replace(read, contents=contents)))


def test_a_state_from_before_blobs_were_kept_still_opens(engine: ls.Engine, tmp_path: Path) -> None:
    (image,) = engine.load(TARS["packed with gzip"])
    engine.save_state(tmp_path / "store", layout="directory")
    rewritten(tmp_path / "store", offset=(), document=())
    with ls.Engine.open(tmp_path / "store") as opened:
        assert opened.get_image("web:1").content_size == image.content_size
        (again,) = ls.Engine("containerd").load(saved(opened))
        assert again.raw_config == image.raw_config
        opened.save_state(tmp_path / "again.lsim")


def test_a_state_with_another_document_is_refused(engine: ls.Engine, tmp_path: Path) -> None:
    engine.load(TARS["packed with gzip"])
    engine.save_state(tmp_path / "store", layout="directory")
    read, _, _ = document.unsealed((tmp_path / "store/state.json").read_bytes(), "state.json")
    changed = tuple(raw and raw + b" " for raw in read.contents.document)
    rewritten(tmp_path / "store", document=changed)
    with pytest.raises(StateError, match="other bytes than those of sha256"):
        ls.Engine.open(tmp_path / "store")
