"""`docker save` of an engine with the containerd image store: the blobs as they came, to the byte what ours writes."""

from __future__ import annotations

import io
import json
import tarfile
from operator import itemgetter
from typing import TYPE_CHECKING

import pytest

from tests.engine.archives import ImageSpec
from tests.engine.archives import docker_archive as plain_archive
from tests.engine.compare import new_engine, utc_now
from tests.engine.families import noise
from tests.kept_archives import LAYOUTS, TARS
from tests.layouts import as_tar, oci_layout
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from typing import Any

    import layersim as ls
    from tests.engine.daemon import Daemon

# Their layers are in no other archive: the engine takes a packed layer that it has for the plain one that comes, and it
# has that for a while after its image went.
OWN, OTHER = (
    ImageSpec((layer_tar([Entry("own", content=noise(size))]),), ("web:1",), utc_now()) for size in (3000, 3001)
)


@pytest.fixture
def daemon(snapshot_daemon: Daemon) -> Daemon:
    return snapshot_daemon


def both_save(daemon: Daemon, engine: ls.Engine, *refs: str) -> tuple[bytes, bytes]:
    """Return what the two engines save; the time of a saving is in neither."""
    target = io.BytesIO()
    engine.save(refs, target)
    theirs = daemon.run("save", *refs)
    assert theirs.returncode == 0, theirs.stderr
    return target.getvalue(), theirs.stdout


def written(images: list[dict[str, Any]]) -> bytes:
    return json.dumps(images, separators=(",", ":")).encode()


def in_one_order(archive: bytes) -> bytes:
    """Return an archive with the images of manifest.json sorted: containerd goes through a map there, in any order."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        member = opened.getmember("manifest.json")
        start, end = member.offset_data, member.offset_data + member.size
    text = archive[start:end]
    images = json.loads(text)
    assert text == written(images)
    return archive[:start] + written(sorted(images, key=itemgetter("Config"))) + archive[end:]


@pytest.mark.parametrize("archive", [*map(TARS.get, LAYOUTS), plain_archive([OWN])], ids=[*LAYOUTS, "docker 20"])
def test_both_write_the_same(archive: bytes, daemon: Daemon) -> None:
    daemon.docker("load", stdin=archive)
    engine = new_engine(daemon)
    (image,) = engine.load(archive)
    assert image.id == daemon.inspect("web:1")["Id"]
    ours, theirs = both_save(daemon, engine, "web:1")
    assert ours == theirs


def test_several_images_and_names(daemon: Daemon) -> None:
    engine = new_engine(daemon)
    for archive in (TARS["packed with gzip"], as_tar(oci_layout(OTHER, "docker.io/library/other:1", nested=True))):
        daemon.docker("load", stdin=archive)
        engine.load(archive)
    daemon.docker("tag", "web:1", "also:1")
    engine.tag("web:1", "also:1")
    ours, theirs = map(in_one_order, both_save(daemon, engine, "web:1", "also:1", "other:1"))
    assert ours == theirs


def test_by_id(daemon: Daemon) -> None:
    daemon.docker("load", stdin=TARS["packed with gzip"])
    engine = new_engine(daemon)
    (image,) = engine.load(TARS["packed with gzip"])
    ours, theirs = both_save(daemon, engine, image.id)
    assert ours == theirs


def test_the_engine_has_the_same_image_of_ours(daemon: Daemon) -> None:
    engine = new_engine(daemon)
    (base,) = engine.load(TARS["packed with zstd"])
    container = engine.run("web:1")
    container.fs.write_bytes("/own", noise(5000))
    image = container.commit("child:1")
    target = io.BytesIO()
    engine.save(["web:1", "child:1"], target)
    daemon.docker("load", stdin=target.getvalue())
    assert [daemon.inspect(tag)["Id"] for tag in ("web:1", "child:1")] == [base.id, image.id]
