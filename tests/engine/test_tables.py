"""What docker prints, character for character: images, history, system df, with ages and sizes of every magnitude."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.archives import ImageSpec, docker_archive, one_row_a_layer, stamp
from tests.engine.compare import (
    assert_same_history,
    assert_same_images,
    assert_same_merged_tree,
    assert_same_text,
    assert_same_usage,
    loaded,
    new_engine,
    utc_now,
)
from tests.engine.daemon import clients
from tests.engine.rootfs import debian_tar
from tests.tars import Entry, hardlink, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.daemon import Daemon


@pytest.fixture(autouse=True, params=clients())
def command_line(request: pytest.FixtureRequest, daemon: Daemon) -> Iterator[None]:
    """Every docker command line of this machine in turn: their tables differ in small things."""
    own, daemon.client = daemon.client, request.param
    yield
    daemon.client = own


def zeros(name: str, size: int) -> bytes:
    return layer_tar([Entry(name, content=bytes(size))])


AGES = {
    "minute": timedelta(seconds=89),
    "minutes": timedelta(minutes=45, seconds=30),
    "hour": timedelta(minutes=80),
    "hours": timedelta(hours=30),
    "days": timedelta(days=13, hours=6),
    "weeks": timedelta(days=20),
    "months": timedelta(days=200),
    "years": timedelta(days=1100),
}
SIZES = (0, 1, 999, 1000, 1023, 1235, 9995, 9999, 12345, 99949, 99950, 999499, 999500, 999999, 1000000, 7514999)


def test_ages_from_minutes_to_years(daemon: Daemon, tmp_path: Path) -> None:
    now = utc_now()
    images = [
        ImageSpec((zeros(name, 10),), (f"age-of-{name}:1",), now - age, one_row_a_layer((b"",), now - age))
        for name, age in AGES.items()
    ]
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_text(daemon, engine)
    for image in images:
        assert_same_history(daemon, engine, image.tags[0])


def test_sizes_of_every_magnitude(daemon: Daemon, tmp_path: Path) -> None:
    created = utc_now() - timedelta(days=9)
    images = [
        ImageSpec((zeros(f"f{size}", size),), (f"size:{size}",), created - timedelta(hours=number))
        for number, size in enumerate(SIZES)
    ]
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_images(daemon, engine)
    assert_same_usage(daemon, engine)
    assert_same_text(daemon, engine)


def test_an_image_without_a_creation_time_or_history(daemon: Daemon, tmp_path: Path) -> None:
    archive = docker_archive([ImageSpec((zeros("f", 5),), ("timeless:1",))])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_text(daemon, engine)
    assert_same_history(daemon, engine, "timeless:1")


def test_an_image_without_layers(daemon: Daemon, tmp_path: Path) -> None:
    created = utc_now() - timedelta(days=5)
    history = ({"created": stamp(created), "created_by": "ENV A=1", "empty_layer": True},)
    archive = docker_archive([ImageSpec((), ("nothing:1",), created, history)])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_images(daemon, engine)
    assert_same_text(daemon, engine)
    assert_same_history(daemon, engine, "nothing:1")


def test_a_layer_twice_in_a_chain_counts_twice(daemon: Daemon, tmp_path: Path) -> None:
    one, created = zeros("f", 1_000_000), utc_now() - timedelta(days=5)
    images = [
        ImageSpec((one,), ("a:1",), created, one_row_a_layer((one,), created)),
        ImageSpec((one, one), ("aa:1",), created - timedelta(days=1), one_row_a_layer((one, one), created)),
    ]
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_usage(daemon, engine)
    assert_same_text(daemon, engine)
    assert engine.df(verbose=True).layers_size == 2_000_000


def test_links_cost_what_their_inodes_cost(daemon: Daemon, tmp_path: Path) -> None:
    entries = [Entry("a", content=bytes(1000)), hardlink("b", "a"), hardlink("c", "a"), symlink("s", "0123456789")]
    archive = docker_archive([ImageSpec((layer_tar([*entries, Entry("copy", content=bytes(1000))]),), ("links:1",))])
    daemon.docker("load", stdin=archive)
    assert_same_images(daemon, loaded(daemon, archive, tmp_path))
    assert daemon.inspect("links:1")["Size"] == 2010


def test_a_tag_that_moves_leaves_a_dangling_image(daemon: Daemon, tmp_path: Path) -> None:
    created = utc_now() - timedelta(days=5)
    for number in (1, 2):
        archive = docker_archive([ImageSpec((zeros("f", number),), ("moving:1",), created + timedelta(days=number))])
        daemon.docker("load", stdin=archive)
        (tmp_path / f"{number}.tar").write_bytes(archive)
    engine = new_engine(daemon)
    engine.load(tmp_path / "1.tar")
    engine.load(tmp_path / "2.tar")
    assert_same_images(daemon, engine)
    assert_same_text(daemon, engine)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a new machine fetches Debian first
def test_a_real_debian(daemon: Daemon, tmp_path: Path) -> None:
    """`docker import` of a debootstrap'ed root, saved and loaded: every path, every number, every text."""
    daemon.docker("import", str(debian_tar()), "debian:base")
    saved = tmp_path / "debian.tar"
    daemon.docker("save", "--output", str(saved), "debian:base")
    engine = new_engine(daemon)
    engine.load(saved)
    assert_same_images(daemon, engine)
    assert_same_usage(daemon, engine)
    assert_same_history(daemon, engine, "debian:base")
    assert_same_merged_tree(daemon, engine, "debian:base")


@pytest.mark.slow
@pytest.mark.timeout(900)  # a new machine fetches Debian first
def test_an_imported_root_has_the_layer_that_docker_makes(daemon: Daemon) -> None:
    daemon.docker("import", str(debian_tar()), "debian:base")
    expected = daemon.inspect("debian:base")
    image = new_engine(daemon).import_tar(debian_tar(), tag="debian:base")
    assert list(image.diff_ids) == expected["RootFS"]["Layers"]
    assert image.size == expected["Size"]
    assert ls.Layer.from_tar(debian_tar()).size == expected["Size"]
