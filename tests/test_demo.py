"""The story: its images are what it says, its numbers are the engine's, and its proof can fail."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.demo import Passage, tell, tell_of, write_archives
from layersim.demo.chapters import containers
from layersim.demo.example import APP_JS
from layersim.demo.proof import layer_digests, view_digest
from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_714_564_800 * 10**9


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_archives(tmp_path_factory.mktemp("example"), NOW)


@pytest.fixture
def engine() -> ls.Engine:
    return ls.Engine(clock=lambda: NOW)


@pytest.fixture
def web_ping(engine: ls.Engine, archives: tuple[Path, Path]) -> ls.Image:
    engine.load(archives[0])
    return engine.get_image("web-ping")


def outputs(passages: Iterator[Passage]) -> list[str]:
    return [passage.text for passage in passages if passage.kind == "output"]


def test_history_is_the_one_a_book_shows(engine: ls.Engine, web_ping: ls.Image) -> None:
    rows = list(engine.history(web_ping.id))[:6]
    assert [(row.created_by, row.size) for row in rows] == [
        ('CMD ["node" "/web-ping/app.js"]', 0),
        ("COPY app.js . # buildkit", 846),
        ("WORKDIR /web-ping", 0),
        ("ENV INTERVAL=3000", 0),
        ("ENV METHOD=HEAD", 0),
        ("ENV TARGET=blog.sixeyed.com", 0),
    ]
    assert {row.comment for row in rows} == {"buildkit.dockerfile.v0"}
    assert [row.id for row in rows] == [web_ping.id, *[None] * 5]
    assert [row.empty_layer for row in rows] == [True, False, False, True, True, True]


def test_the_images_own_config_says_what_its_steps_say(web_ping: ls.Image) -> None:
    config = json.loads(web_ping.raw_config)["config"]
    assert config["Env"][-3:] == ["TARGET=blog.sixeyed.com", "METHOD=HEAD", "INTERVAL=3000"]
    assert (config["WorkingDir"], config["Cmd"]) == ("/web-ping", ["node", "/web-ping/app.js"])
    assert ls.View(web_ping.layers).read_bytes("/web-ping/app.js") == APP_JS
    assert len(APP_JS) == 846


def test_the_archives_are_a_function_of_the_clock(archives: tuple[Path, Path], tmp_path: Path) -> None:
    again = write_archives(tmp_path, NOW)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in archives]


def test_ten_more_applications_stand_on_three_bases(engine: ls.Engine, archives: tuple[Path, Path]) -> None:
    images = [image for archive in archives for image in engine.load(archive)]
    bases = {
        image.tags[0]: image.chain_ids
        for image in images
        if image.tags[0] in {"node:20", "python:3.13", "nginx:alpine"}
    }
    standing = {
        name: [image for image in images if image.chain_ids[: len(chain)] == chain and image.chain_ids != chain]
        for name, chain in bases.items()
    }
    assert {name: len(found) for name, found in standing.items()} == {
        "node:20": 1 + 4,
        "python:3.13": 3,
        "nginx:alpine": 3,
    }


def test_the_story_states_the_engines_numbers(engine: ls.Engine, archives: tuple[Path, Path], tmp_path: Path) -> None:
    picture = tmp_path / "made" / "saving.png"
    passages = list(tell(engine, archives[0].parent, picture))
    text = "\n".join(passage.text for passage in passages)
    logical, stored = sum(row.size for row in engine.images()), engine.df().layers_size
    assert f"{human_size(logical - stored)} of {human_size(logical)}" in text
    assert f"layers it holds: {human_size(stored)}" in text
    assert str(engine.history("web-ping")) in text
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in text


def test_the_saving_grows_with_every_application(engine: ls.Engine, archives: tuple[Path, Path]) -> None:
    bars = next(text for text in outputs(tell(engine, archives[0].parent)) if "█" in text).strip("\n").splitlines()[1:]
    light = [line.count("░") for line in bars]
    assert len(bars) == 2 + 2 + 10
    assert light == sorted(light)
    assert light[-1] > 20


def test_one_container_pays_for_its_write(engine: ls.Engine, web_ping: ls.Image) -> None:
    told = outputs(containers(engine, web_ping, "/web-ping/app.js", b"// more\n"))
    assert re.findall(r"(\S+) \(virtual", told[0]) == ["0B"] * 3
    assert sorted(re.findall(r"(\S+) \(virtual", told[1])) == ["0B", "0B", "854B"]
    assert told[2].split("\n") == ["", "C /web-ping", "C /web-ping/app.js"]
    assert told[3].count("unchanged") == len(web_ping.layers)
    assert [line.split()[0] for line in told[4].splitlines() if "unchanged" in line] == ["web-ping-1", "web-ping-3"]


def test_the_proof_sees_a_change() -> None:
    lower = [ls.Layer.from_changes([ls.write("/a", b"1")])]
    one, two = ls.Overlay(lower), ls.Overlay(lower)
    untouched = view_digest(two)
    assert view_digest(one) == untouched
    one.write_bytes("/a", b"2")
    written = view_digest(one)
    one.write_bytes("/a", b"3")
    assert len({untouched, written, view_digest(one)}) == 3
    assert view_digest(two) == untouched


def test_layer_digests_hash_the_bytes_again() -> None:
    layer = ls.Layer.from_changes([ls.write("/a", b"1" * 100_000)])
    assert layer_digests([layer]) == {layer.diff_id: ls.sha256(layer.tar_bytes())}


def test_the_story_of_ones_own_images(engine: ls.Engine, web_ping: ls.Image) -> None:
    images = [engine.get_image(row.id) for row in engine.images()]
    passages = list(tell_of(engine, ["mine.tar"], images, None))
    text = "\n".join(passage.text for passage in passages)
    assert "layersim df -v mine.tar" in text
    assert "/usr/local/bin/node, a file of 39845632 bytes:" in text
    assert web_ping.tags[0] in text


def test_an_image_without_files_gets_one(engine: ls.Engine) -> None:
    empty = ls.Layer.from_changes([ls.mkdir("/only")])
    image = engine.import_tar(empty.tar_bytes(), tag="empty")
    assert "\nA /new-file" in outputs(containers(engine, image, None, b"x"))
