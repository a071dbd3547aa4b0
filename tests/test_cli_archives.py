"""`convert` and `check`: from one layout to another, and everything that is wrong with an archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.cli import main
from layersim.units import human_size
from tests.engine.archives import ImageSpec, docker_archive
from tests.layouts import as_directory, oci_layout
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from pathlib import Path

BASE = layer_tar([Entry("base", content=b"b" * 2000)])
APP = layer_tar([Entry("app", content=b"a" * 3000)])
IMAGES = [ImageSpec(layers=(BASE, APP), tags=("web:1", "web:2")), ImageSpec(layers=(BASE,), tags=("base:1",))]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = tmp_path / "in.tar"
    path.write_bytes(docker_archive(IMAGES))
    return str(path)


def images_of(path: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(image.id, image.tags) for image in ls.Engine().load(path)]


def test_all_images_are_converted_with_all_their_tags(archive: str, tmp_path: Path) -> None:
    for name, options in {
        "docker25.tar": ["--layout", "docker25"],
        "oci.tar": ["--layout", "oci", "--compression", "none"],
        "zstd.tar": ["--layout", "oci", "--compression", "zstd", "--level", "19"],
        "oci/": ["--compression", "gzip"],
        "dir": ["--layout", "oci-dir"],
        "docker20.tar": [],
    }.items():
        target = f"{tmp_path}/{name}"
        assert main(["convert", archive, target, *options]) == 0
        assert images_of(target) == images_of(archive)


def test_what_was_written_is_told(archive: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    target = f"{tmp_path}/out/"
    assert main(["convert", archive, target]) == 0
    size = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert capsysbinary.readouterr().out.decode() == f"{target}: oci-dir, {human_size(size)}: web:1, web:2, base:1\n"
    assert main(["convert", archive, target, "--json"]) == 0
    told = json.loads(capsysbinary.readouterr().out)
    assert told == {"target": target, "layout": "oci-dir", "bytes": size, "refs": ["web:1", "web:2", "base:1"]}


@pytest.mark.parametrize("words", [["--layout", "oci", "web:2"], ["web:2", "--layout", "oci"]])
def test_some_images_are_converted_wherever_their_names_stand(words: list[str], archive: str, tmp_path: Path) -> None:
    target = f"{tmp_path}/out.tar"
    assert main(["convert", archive, target, *words]) == 0
    assert images_of(target) == [(IMAGES[0].image_id, ("web:2",))]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--platform", "linux/arm64"], "in.tar: manifest.json: no image for linux/arm64; there is linux/amd64"),
        (["nothing:1"], "out.tar: No such image: nothing:1"),
        (["--compression", "zstd"], "the layers of layout 'docker20' are never compressed"),
        (["--layout", "oci", "--compression", "gzip", "--level", "77"], "the level of gzip must be from 0 to 9"),
    ],
)
def test_what_cannot_be_converted_leaves_nothing(
    words: list[str], told: str, archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", archive, f"{tmp_path}/out.tar", *words]) == 1
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.tar"]


@pytest.mark.parametrize(
    "words",
    [["in.tar"], ["in.tar", "out", "--layout", "zip"], ["in.tar", "out", "--platform", "pdp11"], ["a", "b", "--nope"]],
)
def test_words_that_mean_nothing_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["convert", *words])
    assert caught.value.code == 2


def test_words_too_many_are_refused_where_none_may_follow() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["ls", "image", "path", "more"])
    assert caught.value.code == 2


def test_archives_are_checked_each_breach_on_a_line(
    archive: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    members = oci_layout(IMAGES[0])
    del members["oci-layout"]
    blobs = sorted(name for name in members if name.startswith("blobs/"))
    members[blobs[0]] += b"\n"
    bad = str(as_directory(members, tmp_path / "bad"))
    assert main(["check", archive]) == 0
    assert capsysbinary.readouterr().out.decode() == f"{archive}: ok\n"
    assert main(["check", archive, bad, "nothing.tar"]) == 1
    lines = capsysbinary.readouterr().out.decode().splitlines()
    expected = [f"{bad}: {breach}" for breach in ls.check_archive(bad)]
    assert len(expected) > 2
    assert lines[:-1] == [f"{archive}: ok", *expected]
    assert lines[-1].startswith("nothing.tar: ")
    assert main(["check", "--json", archive, bad]) == 1
    good, broken = map(json.loads, capsysbinary.readouterr().out.splitlines())
    assert good == {"archive": archive, "ok": True, "breaches": []}
    assert (broken["archive"], broken["ok"]) == (bad, False)
    assert broken["breaches"] == [{"where": breach.where, "what": breach.what} for breach in ls.check_archive(bad)]


def test_an_archive_without_an_image_is_not_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = as_directory(
        {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": b'{"manifests": []}'}, tmp_path
    )
    assert main(["convert", str(empty), f"{tmp_path}/out.tar"]) == 1
    assert capsys.readouterr().err == f"layersim: {empty}: holds no image\n"
    assert not (tmp_path / "out.tar").exists()
