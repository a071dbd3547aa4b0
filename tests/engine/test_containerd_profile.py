"""The profile `containerd` against the engine it describes: a newer dockerd with the containerd image store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.engine.archives import ImageSpec, docker_archive, one_row_a_layer
from tests.engine.compare import assert_same_history, loaded, new_engine, utc_now
from tests.engine.families import noise
from tests.engine.random_images import random_images
from tests.engine.snapshots import (
    assert_same_snapshot_images,
    assert_same_snapshot_text,
    assert_same_snapshot_usage,
)
from tests.seeds import seeds
from tests.tars import Entry, directory, hardlink, layer_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon


@pytest.fixture
def daemon(snapshot_daemon: Daemon) -> Daemon:
    return snapshot_daemon


def assert_same(daemon: Daemon, engine: ls.Engine) -> None:
    assert_same_snapshot_images(daemon, engine)
    assert_same_snapshot_usage(daemon, engine)
    assert_same_snapshot_text(daemon, engine)


def test_it_is_the_engine_that_the_profile_describes(daemon: Daemon) -> None:
    info = daemon.api("/info")
    assert info["Driver"] == "overlayfs"
    assert dict(info["DriverStatus"])["driver-type"] == "io.containerd.snapshotter.v1"


def test_an_imported_image(daemon: Daemon) -> None:
    """The worked example of accounting.md section 2: content and snapshot, both counted."""
    daemon.docker("import", "-", "a:1", stdin=layer_tar([Entry("r", content=noise(1_000_000))]))
    engine = new_engine(daemon)
    engine.load(daemon.run("save", "a:1").stdout)
    assert_same(daemon, engine)
    (row,) = engine.images()
    assert row.size - row.content_size == 4096 + 245 * 4096


ENTRIES = {
    "an empty file": [Entry("f")],
    "one byte": [Entry("f", content=b"1")],
    "one block": [Entry("f", content=noise(4096))],
    "one block and a byte": [Entry("f", content=noise(4097))],
    "zeros": [Entry("f", content=bytes(100_000))],
    "hard links": [Entry("f", content=noise(5000)), hardlink("g", "f"), hardlink("h", "f")],
    "directories": [directory("a"), directory("a/b"), directory("c")],
    "directories without an entry": [Entry("a/b/c", content=b"1")],
    "a link that fits its inode": [symlink("l", "t" * 59)],
    "a link that does not": [symlink("l", "t" * 60)],
    "a whiteout": [Entry(".wh.x", mode=0o600)],
    "an opaque directory": [directory("d"), Entry("d/.wh..wh..opq", mode=0o600)],
    "attributes that fit the inode": [Entry("f", xattrs=(("user.a", b"v" * 68),))],
    "attributes that do not": [Entry("f", xattrs=(("user.a", b"v" * 69),))],
    "a longer name of an attribute": [Entry("f", xattrs=(("user.abcde", b"v" * 65),))],
    "two attributes": [Entry("f", xattrs=(("user.a", b"v" * 24), ("user.b", b"v" * 24)))],
    "two that do not fit": [Entry("f", xattrs=(("user.a", b"v" * 24), ("user.b", b"v" * 25)))],
    "attributes of a directory": [Entry("d", b"5", mode=0o755, xattrs=(("user.a", b"v" * 69),))],
    "59 names of 60 letters": [Entry(f"{number:060}") for number in range(59)],
}


@pytest.mark.parametrize("name", ENTRIES)
def test_blocks_of_entries(name: str, daemon: Daemon, tmp_path: Path) -> None:
    """What each kind of entry takes on ext4 (accounting.md section 1), as the only layer and above another."""
    layer, base = layer_tar(ENTRIES[name]), layer_tar([Entry("x", content=b"1"), directory("d"), Entry("d/y")])
    created = utc_now() - timedelta(days=9)
    images = [
        ImageSpec((layer,), ("alone:1",), created, one_row_a_layer((layer,), created)),
        ImageSpec((base, layer), ("above:1",), created, one_row_a_layer((base, layer), created)),
    ]
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_snapshot_images(daemon, engine)
    assert_same_snapshot_usage(daemon, engine)
    for image in images:
        assert_same_history(daemon, engine, image.tags[0])


def test_a_layer_listed_thrice(daemon: Daemon, tmp_path: Path) -> None:
    """Content counts its blob three times, the summary once (accounting.md section 2)."""
    empty, created = bytes(1024), utc_now() - timedelta(days=9)
    once = ImageSpec((empty,), ("e:2",), created - timedelta(days=1))
    archive = docker_archive([ImageSpec((empty,) * 3, ("e:1",), created), once])
    daemon.docker("load", stdin=archive)
    assert_same(daemon, loaded(daemon, archive, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(range(800, 812), gate=6))
def test_a_random_set(seed: int, daemon: Daemon, tmp_path: Path) -> None:
    images = random_images(seed, utc_now(), spells_parents=True)
    archive = docker_archive(images)
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same(daemon, engine)
    for row in engine.images(all=True):
        assert_same_history(daemon, engine, row.id)
