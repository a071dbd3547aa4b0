"""What is saved in every layout: Docker's own bytes, digests that `hashlib` agrees with, and the images again."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest

import layersim as ls
from layersim._core import Member, write_directory
from tests.engine.archives import ImageSpec, docker_archive
from tests.golden import DOCKER20, DOCKER28
from tests.oracles import require_program
from tests.tars import Entry, directory, layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Layout = Literal["docker20", "docker25", "oci", "oci-dir"]
Compression = Literal["gzip", "zstd"] | None

BASE = layer_tar([directory("etc"), Entry("etc/motd", content=b"hi " * 5000)])
APP = layer_tar([Entry("app", content=bytes(range(256)) * 400)])
IMAGES = [
    ImageSpec(layers=(BASE, APP, BASE), tags=("web:1", "reg.example:5000/x/y:2")),
    ImageSpec(layers=(BASE,), tags=("base:1",), config={"Labels": {"a": "<&>"}}),
    ImageSpec(layers=(APP, BASE)),
]
FORMS: list[tuple[Layout, Compression]] = [
    ("docker20", None),
    ("docker25", None),
    ("oci", None),
    ("oci", "gzip"),
    ("oci", "zstd"),
    ("oci-dir", None),
    ("oci-dir", "gzip"),
    ("oci-dir", "zstd"),
]
OCI = [form for form in FORMS if form[0].startswith("oci")]


def loaded() -> ls.Engine:
    engine = ls.Engine(clock=lambda: 10**18)
    engine.load(docker_archive(IMAGES))
    return engine


def refs() -> list[str]:
    return [ref for image in IMAGES for ref in image.tags or (image.image_id,)]


def saved(folder: Path, form: tuple[Layout, Compression]) -> Path:
    target = folder / f"{form[0]}-{form[1]}"
    loaded().save(refs(), target, layout=form[0], compression=form[1])
    return target


def members(archive: Path) -> dict[str, bytes]:
    """Return all files of a tar or directory, read by Python alone."""
    if archive.is_dir():
        return {str(path.relative_to(archive)): path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    with tarfile.open(archive) as tar:
        files = ((member.name, tar.extractfile(member)) for member in tar if not member.isdir())
        return {name: file.read() for name, file in files if file is not None}


def descriptors(document: object) -> Iterator[dict[str, Any]]:
    """Yield every descriptor of a JSON document."""
    if isinstance(document, dict):
        if {"digest", "size"} <= document.keys():
            yield document
        for value in document.values():
            yield from descriptors(value)
    elif isinstance(document, list):
        for value in document:
            yield from descriptors(value)


def identities(images: list[ls.Image]) -> list[tuple[str, bytes, tuple[str, ...], tuple[str, ...]]]:
    return [(image.id, image.raw_config, image.diff_ids, tuple(sorted(image.tags))) for image in images]


def test_an_archive_of_docker_20_is_written_again_to_the_byte(tmp_path: Path) -> None:
    engine = ls.Engine()
    engine.load(DOCKER20 / "saved.tar")
    names = ["gold:3", "gold:1", "gold:2", "other.example:5000/x/gold:y", "wide:1"]
    engine.save(names, tmp_path / "ours.tar", layout="docker20")
    assert (tmp_path / "ours.tar").read_bytes() == (DOCKER20 / "saved.tar").read_bytes()


def without_time_of_saving(tar: bytes) -> bytes:
    """Blank the time, and hence the checksum, of the directory that an engine touches while it saves."""
    at = tar.index(b"blobs/sha256/\0")
    return tar[: at + 136] + bytes(20) + tar[at + 156 :]


@pytest.mark.parametrize(
    ("golden", "names"),
    [
        ("two-tags", ["gold:2", "other.example:5000/x/gold:y"]),
        ("wide", ["wide:1"]),
        ("untagged", ["sha256:46dcd43e0e748c8395901f19315ef0d013b17e40645cde48a7e50139300810ec"]),
        ("family", ["gold:1", "gold:2", "gold:3"]),
    ],
)
def test_an_archive_of_docker_28_is_written_to_the_byte(golden: str, names: list[str]) -> None:
    engine, ours = ls.Engine(), io.BytesIO()
    engine.load(DOCKER20 / "saved.tar")
    written = engine.save(names, ours, layout="docker25")
    theirs = gzip.decompress((DOCKER28 / f"{golden}.tar.gz").read_bytes())
    assert written == len(theirs)
    assert without_time_of_saving(ours.getvalue()) == without_time_of_saving(theirs)


def test_docker_28_leaves_an_image_without_a_tag_out_of_the_index_that_has_one_before_it(tmp_path: Path) -> None:
    """As dockerd 28.5.2 did with these references; `manifest.json` names all."""
    target = tmp_path / "out.tar"
    for names, indexed in ((refs(), 3), ([IMAGES[2].image_id, "base:1"], 2), ([IMAGES[2].image_id], 1)):
        loaded().save(names, target, layout="docker25")
        files = members(target)
        assert len(json.loads(files["index.json"])["manifests"]) == indexed
        assert len(json.loads(files["manifest.json"])) == {4: 3, 2: 2, 1: 1}[len(names)]


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(FORMS, 2)))
def test_from_any_layout_to_any_other_the_images_stay(
    before: tuple[Layout, Compression], after: tuple[Layout, Compression], tmp_path: Path
) -> None:
    engine = ls.Engine()
    engine.load(saved(tmp_path, before))
    target = tmp_path / "after"
    engine.save(refs(), target, layout=after[0], compression=after[1])
    images = ls.Engine().load(target)
    assert identities(images) == identities(loaded().load(docker_archive(IMAGES)))
    assert images[0].layers[1].tar_bytes() == APP
    assert ls.check_archive(target) == []


@pytest.mark.parametrize("form", FORMS)
def test_equal_images_give_equal_bytes_and_no_time_but_theirs(form: tuple[Layout, Compression], tmp_path: Path) -> None:
    once, again = saved(tmp_path, form), saved(tmp_path / "..", form)
    assert members(once) == members(again)
    if not once.is_dir():
        assert once.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("form", FORMS[1:])
def test_hashlib_agrees_with_every_digest_and_size(form: tuple[Layout, Compression], tmp_path: Path) -> None:
    files = members(saved(tmp_path, form))
    blobs = {name: data for name, data in files.items() if name.startswith("blobs/")}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in blobs.items()} == {
        name: name.removeprefix("blobs/sha256/") for name in blobs
    }
    documents = [json.loads(data) for data in files.values() if data[:1] in {b"{", b"["}]
    found = list(descriptors(documents))
    assert len(found) > 8
    for descriptor in found:
        assert len(files[f"blobs/sha256/{descriptor['digest'][7:]}"]) == descriptor["size"]


@pytest.mark.parametrize("form", OCI)
def test_layers_are_what_their_media_types_say_to_the_programs_of_that_name(
    form: tuple[Layout, Compression], tmp_path: Path
) -> None:
    files, compression = members(saved(tmp_path, form)), form[1]
    layers = {layer["digest"]: layer for layer in descriptors([json.loads(d) for d in files.values() if d[:1] == b"{"])}
    kinds = {kind for layer in layers.values() if "layer" in (kind := layer["mediaType"])}
    assert kinds == {"application/vnd.oci.image.layer.v1.tar" + (f"+{compression}" if compression else "")}
    program = require_program(compression or "cat", compression or "coreutils")
    for digest, layer in layers.items():
        if "layer" in layer["mediaType"]:
            blob = files[f"blobs/sha256/{digest[7:]}"]
            if compression:
                subprocess.run([program, "-t"], input=blob, check=True, capture_output=True)
            command = [program, "-dc"] if compression else [program]
            plain = subprocess.run(command, input=blob, check=True, capture_output=True).stdout
            assert plain in {BASE, APP}


@pytest.mark.parametrize("form", [form for form in FORMS if form[0] != "oci-dir"])
def test_gnu_tar_lists_what_tarfile_lists(form: tuple[Layout, Compression], tmp_path: Path) -> None:
    archive = saved(tmp_path, form)
    listed = subprocess.run([require_program("tar", "tar"), "-tf", archive], check=True, capture_output=True, text=True)
    with tarfile.open(archive) as tar:
        names = [f"{member.name}/" if member.isdir() else member.name for member in tar]
    assert listed.stdout.splitlines() == names == sorted(names)
    assert listed.stderr == ""


def test_an_index_tells_tags_and_platforms(tmp_path: Path) -> None:
    config = {"architecture": "arm", "variant": "v7", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    engine = ls.Engine()
    raw = json.dumps(config).encode()
    name = f"{hashlib.sha256(raw).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": ["a.example/b:c"], "Layers": []}]).encode()
    for file, data in {name: raw, "manifest.json": manifest}.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / file).write_bytes(data)
    engine.load(tmp_path / "in")
    engine.save("a.example/b:c", tmp_path / "out", layout="oci-dir")
    index = json.loads((tmp_path / "out" / "index.json").read_bytes())
    (descriptor,) = index["manifests"]
    assert index["schemaVersion"] == 2
    assert descriptor["platform"] == {"architecture": "arm", "os": "linux", "variant": "v7"}
    assert descriptor["annotations"] == {
        "io.containerd.image.name": "a.example/b:c",
        "org.opencontainers.image.ref.name": "c",
    }


@pytest.mark.parametrize("name", ["new/", "new", "empty", "layout", "link"])
def test_a_directory_gets_a_layout(name: str, tmp_path: Path) -> None:
    engine = loaded()
    (tmp_path / "empty").mkdir()
    engine.save("base:1", f"{tmp_path}/layout/")
    (tmp_path / "link").symlink_to("layout")
    layout: Layout | None = "oci-dir" if name == "new" else None
    engine.save("web:1", f"{tmp_path}/{name}", layout=layout, compression="gzip")
    (image,) = ls.Engine().load(tmp_path / name)
    assert image.tags == ("web:1",)
    assert sorted(os.listdir(tmp_path / name)) == ["blobs", "index.json", "oci-layout"]
    assert (tmp_path / "link").is_symlink()
    assert [entry for entry in os.listdir(tmp_path) if entry.endswith(".part")] == []


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ls.LayerSimError, match="neither empty nor an OCI image layout"):
        loaded().save("web:1", tmp_path)
    (tmp_path / "file").write_text("a file")
    with pytest.raises(ls.LayerSimError, match="neither empty nor an OCI image layout"):
        loaded().save("web:1", tmp_path / "file", layout="oci-dir")
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "file"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "docker21"}, "expected a layout of docker20, docker25, oci, oci-dir, got 'docker21'"),
        ({"layout": "oci", "compression": "xz"}, "expected a compression of gzip, zstd or None, got 'xz'"),
        ({"layout": "docker25", "compression": "gzip"}, "are never compressed"),
        ({"layout": "oci", "level": 3}, "a level says nothing without a compression"),
        ({"layout": "oci", "compression": "gzip", "level": 10}, "the level of gzip must be from 0 to 9"),
        ({"layout": "oci", "compression": "zstd", "level": 0}, "the level of zstd must be from 1 to 22"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_written(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        loaded().save("web:1", tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_progress_is_told_in_bytes_of_layers_each_once(form: tuple[Layout, Compression], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    loaded().save(
        "web:1",
        tmp_path / "out",
        layout=form[0],
        compression=form[1],
        progress=lambda done, total: told.append((done, total)),
    )
    total = len(BASE) + len(APP)
    assert {of for _, of in told} == {total}
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == total


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("raised", [RuntimeError, KeyboardInterrupt])
def test_what_progress_raises_leaves_the_target_as_it_was(
    form: tuple[Layout, Compression], raised: type[BaseException], tmp_path: Path
) -> None:
    def stop(_done: int, _total: int) -> None:
        raise raised("enough")

    target = tmp_path / "out"
    loaded().save("base:1", target, layout=form[0], compression=form[1])
    before = members(target)
    with pytest.raises(raised, match="enough"):
        loaded().save("web:1", target, layout=form[0], compression=form[1], progress=stop)
    assert members(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


SAVER = """
import sys, layersim as ls
engine = ls.Engine()
engine.load(sys.argv[1])
while True:
    for tag in ("one:1", "two:1"):
        engine.save(tag, sys.argv[2], layout="oci-dir", compression="zstd")
    print("saved", flush=True)
"""


@pytest.mark.slow
def test_a_directory_is_the_old_or_the_new_one_when_the_save_is_killed(tmp_path: Path) -> None:
    noise = [os.urandom(1 << 20) for _ in range(2)]
    engine = ls.Engine()
    for tag, data in zip(("one:1", "two:1"), noise, strict=True):
        engine.import_tar(layer_tar([Entry("f", content=data)]), tag=tag)
    engine.save(["one:1", "two:1"], tmp_path / "in.tar")
    target, tags = tmp_path / "here" / "out", set[str]()
    target.parent.mkdir()
    for wait in range(20):
        command = [sys.executable, "-c", SAVER, str(tmp_path / "in.tar"), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as saver:
            assert saver.stdout is not None
            assert saver.stdout.readline() == "saved\n"
            time.sleep(wait * 0.003)
            saver.send_signal(signal.SIGKILL)
        assert ls.check_archive(target) == []
        tags |= {image.tags[0] for image in ls.Engine().load(target)}
    assert tags == {"one:1", "two:1"}
    engine.save("one:1", target, layout="oci-dir")
    assert os.listdir(target.parent) == ["out"]


def test_a_name_that_leads_out_of_the_directory_is_never_written(tmp_path: Path) -> None:
    for name in ("../out", "/etc/out", "a/../../out", "./out"):
        with pytest.raises(ValueError, match="is no plain name of a member"):
            write_directory(tmp_path / "here", [Member.file(name, b"x")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("refs", [[], ()])
def test_no_image_is_no_archive(refs: Sequence[str], tmp_path: Path) -> None:
    """Docker's words: "docker save" requires at least 1 argument."""
    with pytest.raises(ValueError, match='"save" requires at least 1 argument: no image is named'):
        ls.Engine().save(refs, tmp_path / "empty.tar")
    assert not (tmp_path / "empty.tar").exists()
