"""What layersim saves in every layout, in the hands of others: `docker load`, `skopeo`, `umoci`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Literal

import pytest

import layersim as ls
from layersim.testing import differences
from tests.engine.archives import docker_archive
from tests.engine.compare import assert_same_history, loaded, new_engine, utc_now
from tests.engine.random_images import random_images
from tests.engine.test_save import identity
from tests.oracles import require_program
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.archives import ImageSpec
    from tests.engine.daemon import Daemon

Layout = Literal["docker20", "docker25", "oci", "oci-dir"]
Compression = Literal["gzip", "zstd"] | None

SEEDS = range(400, 404)


def tagged_images(seed: int) -> list[ImageSpec]:
    return [image for image in random_images(seed, utc_now()) if image.tags and image.layers]


def tags_of(images: list[ImageSpec]) -> list[str]:
    return [tag for image in images for tag in image.tags]


def engine_with(images: list[ImageSpec]) -> ls.Engine:
    engine = ls.Engine(clock=lambda: 10**18)
    engine.load(docker_archive(images))
    return engine


def skopeo(*arguments: str) -> str:
    command = [require_program("skopeo", "skopeo"), "--insecure-policy", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layout", ["docker20", "docker25"])
def test_docker_loads_what_is_saved_for_it(
    layout: Layout, seed: int, daemon: Daemon, other_daemon: Daemon, tmp_path: Path
) -> None:
    images = tagged_images(seed)
    daemon.docker("load", stdin=docker_archive(images))
    engine = loaded(daemon, docker_archive(images), tmp_path)
    engine.save(tags_of(images), tmp_path / "ours.tar", layout=layout)
    other_daemon.docker("load", "--input", str(tmp_path / "ours.tar"))
    for image in images:
        assert identity(other_daemon, image.image_id) == identity(daemon, image.image_id)
        assert_same_history(other_daemon, engine, image.tags[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_what_docker_saves_is_saved_again_to_the_byte(seed: int, daemon: Daemon, tmp_path: Path) -> None:
    for image in tagged_images(seed):
        if len(set(image.layers)) < len(image.layers):
            continue  # the link in the place of a repeated layer bears the time of the saving
        daemon.docker("load", stdin=docker_archive([image]))
        daemon.docker("save", "--output", str(tmp_path / "theirs.tar"), *image.tags)
        engine = new_engine(daemon)
        engine.load(tmp_path / "theirs.tar")
        engine.save(image.tags, tmp_path / "ours.tar", layout="docker20")
        assert (tmp_path / "ours.tar").read_bytes() == (tmp_path / "theirs.tar").read_bytes()
        assert ls.check_archive(tmp_path / "theirs.tar") == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("layout", ["oci", "oci-dir"])
def test_skopeo_copies_an_oci_layout_into_docker_and_the_ids_stay(
    layout: Layout, compression: Compression, seed: int, daemon: Daemon, tmp_path: Path
) -> None:
    for number, image in enumerate(tagged_images(seed)[:2]):
        target, archive = tmp_path / f"ours{number}", tmp_path / f"archive{number}.tar"
        engine_with([image]).save(image.tags[0], target, layout=layout, compression=compression)
        transport = "oci" if layout == "oci-dir" else "oci-archive"
        skopeo("copy", "--quiet", f"{transport}:{target}", f"docker-archive:{archive}:{image.tags[0]}")
        daemon.docker("load", "--input", str(archive))
        found = daemon.inspect(image.tags[0])
        assert found["Id"] == image.image_id
        assert found["RootFS"]["Layers"] == [ls.sha256(layer) for layer in image.layers]
        inspected: dict[str, Any] = json.loads(skopeo("inspect", "--config", "--raw", f"{transport}:{target}"))
        assert inspected == json.loads(image.config_bytes())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_skopeo_makes_of_it_is_the_image_again(compression: Compression, seed: int, tmp_path: Path) -> None:
    (image, *_) = tagged_images(seed)
    engine_with([image]).save(image.tags[0], tmp_path / "ours", layout="oci-dir", compression=compression)
    skopeo("copy", "--quiet", f"oci:{tmp_path / 'ours'}", f"oci:{tmp_path / 'theirs'}:{image.tags[0]}")
    (again,) = ls.Engine().load(tmp_path / "theirs")
    assert (again.id, again.raw_config) == (image.image_id, image.config_bytes())
    assert ls.check_archive(tmp_path / "theirs") == []


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_umoci_unpacks_what_the_view_shows(compression: Compression, tmp_path: Path) -> None:
    umoci = require_program("umoci", "umoci")
    layer = ls.Layer.from_changes(
        [ls.mkdir("/d", mode=0o700), ls.write("/d/f", b"x" * 5000, mode=0o640), ls.symlink("/l", "d/f")]
    )
    top = ls.Layer.from_changes([ls.mkdir("/d", mode=0o750), ls.remove("/l")])
    engine = ls.Engine(clock=lambda: 10**18)
    engine.add_image([layer, top], tag="here:1")
    engine.save("here:1", tmp_path / "layout", layout="oci-dir", compression=compression)
    command = [umoci, "unpack", "--image", f"{tmp_path / 'layout'}:1", str(tmp_path / "bundle")]
    subprocess.run(command, check=True, capture_output=True)
    view = ls.View([layer, top])
    assert differences(snapshot(Disk(tmp_path / "bundle" / "rootfs")), snapshot(view)) == []
