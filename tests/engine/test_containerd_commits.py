"""What containerd's differ writes of a container (layers.md section 7), entry by entry."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.engine.archives import ImageSpec, docker_archive, one_row_a_layer
from tests.engine.compare import loaded, utc_now
from tests.engine.rootfs import busybox_tar
from tests.engine.snapshots import blob_path
from tests.engine.test_containers import STAMPED, WORKS, Work, work_layer

if TYPE_CHECKING:
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon

BARE_MARKS_SINCE = 28
"""The first measured version whose containerd, a 2.x, gives marks no time; 1.7 gives them that of the commit."""


def _copy_up_and_write(fs: ls.Overlay) -> None:
    fs.chmod("/w/big", 0o644)
    fs.write_bytes("/w/new", b"1")


def _again(fs: ls.Overlay) -> None:
    fs.unlink("/w/d/sub/two")
    fs.rmdir("/w/d/sub")
    fs.mkdir("/w/d/sub")
    fs.write_bytes("/w/new", b"1")


def _link_before(fs: ls.Overlay) -> None:
    fs.link("/w/big", "/w/aa")
    fs.unlink("/w/d/one")


MORE = {
    "copied up, and something else written": Work("chmod 644 /w/big; printf 1 > /w/new", _copy_up_and_write),
    "a directory made again": Work("rm -r /w/d/sub; mkdir /w/d/sub; printf 1 > /w/new", _again),
    "a link that comes before": Work("ln /w/big /w/aa; rm /w/d/one", _link_before),
    "everything": STAMPED,
}
TELLING = (
    "chmod",
    "chmod to the mode it has",
    "link",
    "rename",
    "remove a directory",
    "directory replaced by a file",
    "a name like a whiteout",
    "change far below",
)
ALL = {name: WORKS[name] for name in TELLING} | MORE


@pytest.fixture
def daemon(snapshot_daemon: Daemon) -> Daemon:
    return snapshot_daemon


def committed(daemon: Daemon, work: Work, folder: Path) -> tuple[bytes | None, ls.Image]:
    """Do the work in a container of each engine and commit both; return the layer that theirs made, and our image."""
    layers, now = (busybox_tar(), work_layer()), utc_now()
    archive = docker_archive([ImageSpec(layers, ("work:1",), now, one_row_a_layer(layers, now))])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, folder)
    daemon.docker("run", "--network=none", "--name=worker", "work:1", "sh", "-c", f"umask 0; {work.shell}")
    container = engine.run("work:1", name="worker")
    work.ours(container.fs)
    container.stop()
    daemon.docker("commit", "worker", "done:1")
    manifest = json.loads(blob_path(daemon, daemon.inspect("done:1")["Id"]).read_bytes())
    packed = [blob_path(daemon, layer["digest"]) for layer in manifest["layers"][len(layers) :]]
    return gzip.decompress(packed[0].read_bytes()) if packed else None, container.commit(tag="done:1")


def entries(tar: bytes) -> list[tuple[object, ...]]:
    """Return what a layer holds, times aside, by name; of linked names whichever comes first stands for all."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = archive.getmembers()
    groups = {link.linkname: min(link.name, link.linkname) for link in members if link.islnk()}
    sizes = {member.name: member.size for member in members}

    def row(one: tarfile.TarInfo) -> tuple[object, ...]:
        first = one.linkname if one.islnk() else one.name
        kind = tarfile.REGTYPE if one.islnk() else one.type
        return one.name, kind, one.mode, one.uid, one.gid, sizes[first], groups.get(first), one.issym() and one.linkname

    return sorted(map(row, members), key=lambda row: str(row[0]))


@pytest.mark.parametrize("name", ALL)
def test_the_entries_of_a_commit(name: str, daemon: Daemon, tmp_path: Path) -> None:
    theirs, image = committed(daemon, ALL[name], tmp_path)
    assert len(image.layers) == 2 + (theirs is not None)
    if theirs is not None:
        assert entries(image.layers[-1].tar_bytes()) == entries(theirs)


def test_the_very_bytes(daemon: Daemon, tmp_path: Path) -> None:
    theirs, image = committed(daemon, STAMPED, tmp_path)
    assert theirs is not None
    ours = image.layers[-1].tar_bytes()
    if daemon.major() < BARE_MARKS_SINCE:
        ours, theirs = unmarked(ours), unmarked(theirs)
    assert ours == theirs


def unmarked(tar: bytes) -> bytes:
    """Return a tar without its marks, which bear the time of the commit."""
    kept, at = b"", 0
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            end = member.offset_data + -(-member.size // 512) * 512
            if "/.wh." not in f"/{member.name}":
                kept += tar[at:end]
            at = end
    return kept + tar[at:]
