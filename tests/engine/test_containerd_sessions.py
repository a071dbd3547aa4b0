"""The profile `containerd` in use: containers that write, and random sessions of tags, containers and removals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layersim.units import human_size
from tests.engine.archives import ImageSpec, docker_archive, one_row_a_layer
from tests.engine.compare import loaded, utc_now
from tests.engine.rootfs import busybox_tar
from tests.engine.short_sessions import Session, play
from tests.engine.snapshots import assert_same_snapshot_images, assert_same_snapshot_usage, blob_path, reached
from tests.engine.test_containers import WORKS, work_layer
from tests.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layersim.engine.pruning import Pruned
    from tests.engine.daemon import Daemon

TELLS_EVERY_BLOB_UP_TO = 26
"""The last measured version whose prune names each blob that went; 28 names manifests alone."""

REPLACES_UP_TO = 26
"""The last measured version whose import lets go of the image that the name alone held; 28 keeps it, untagged."""


@pytest.fixture
def daemon(snapshot_daemon: Daemon) -> Daemon:
    return snapshot_daemon


@pytest.mark.parametrize("name", WORKS)
def test_what_containers_write(name: str, daemon: Daemon, tmp_path: Path) -> None:
    """Blocks of the upper directory (accounting.md section 5), and what `docker diff` tells."""
    work = WORKS[name]
    layers, now = (busybox_tar(), work_layer()), utc_now()
    archive = docker_archive([ImageSpec(layers, ("work:1",), now, one_row_a_layer(layers, now))])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    daemon.docker("run", "--network=none", "--name=worker", "work:1", "sh", "-c", work.shell)
    container = engine.run("work:1", name="worker")
    work.ours(container.fs)
    container.stop()
    changes = sorted(f"{change.kind} {change.path}" for change in container.changes())
    assert changes == sorted(daemon.lines("diff", "worker"))
    assert_same_snapshot_usage(daemon, engine)
    daemon.docker("commit", "worker", "done:1")
    (step, *_) = daemon.api("/images/done:1/history")
    image = container.commit(tag="done:1")
    assert engine.history(image.id)[0].size == step["Size"]


class SnapshotSession(Session):
    """A session without commits: what packs their layers is the engine's own."""

    def acts(self) -> list[Callable[[], None]]:
        return [act for act in super().acts() if act != self.commit]

    def compare(self) -> None:
        assert_same_snapshot_images(self.daemon, self.engine)
        assert_same_snapshot_usage(self.daemon, self.engine)

    def take_over(self, *references: str) -> None:
        """Load what the daemon saved; up to a version, what a name alone held goes with it."""
        before = {reference: self.holder_of(reference) for reference in references}
        saved = self.daemon.run("save", *references)
        assert saved.returncode == 0, saved.stderr
        self.engine.load(saved.stdout)
        for reference, image_id in before.items():
            if self.daemon.major() <= REPLACES_UP_TO and image_id and not self.engine.get_image(image_id).tags:
                assert self.engine.get_image(reference).id != image_id
                self.engine.remove_image(image_id, force=True)

    def holder_of(self, tag: str) -> str | None:
        return next((row.id for row in self.engine.images() if tag in row.tags), None)

    def prune(self) -> None:
        unused = self.rng.random() < 0.3
        self.note("image prune", "--all" if unused else "")
        blobs = {image: reached(self.daemon, image) for image in self.images}
        sizes = {blob: blob_path(self.daemon, blob).stat().st_size for below in blobs.values() for blob in below}
        theirs = self.daemon.docker("image", "prune", "--force", *(["--all"] if unused else []))
        pruned = self.engine.prune("images", unused_images=unused)
        left = {blob for image in self.images for blob in blobs[image]}
        ours = self.report(pruned, {blob: size for blob, size in sizes.items() if blob not in left})
        assert sorted(ours) == sorted(theirs.rstrip("\n").split("\n")), self.said

    def report(self, pruned: Pruned, gone: dict[str, int]) -> list[str]:
        """Say what this version says of a prune: it counts no snapshot, and at first named every blob that went."""
        told = {f"{kind}: {name}" for kind, name in pruned.images}
        if self.daemon.major() <= TELLS_EVERY_BLOB_UP_TO:
            told |= {f"deleted: {blob}" for blob in gone}
        head = ["Deleted Images:", ""] if told else []
        return [*head, *told, f"Total reclaimed space: {human_size(sum(gone.values()))}"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(range(900, 912), gate=6))
def test_a_session(seed: int, daemon: Daemon) -> None:
    play(SnapshotSession(daemon, seed))
