"""What a containerd store holds, read beside the engine: snapshots from containerd, blobs from its folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from typing import TYPE_CHECKING

from tests.engine.compare import assert_same_table

if TYPE_CHECKING:
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon

COUNTS_BLOBS_SINCE = 28
"""The first measured version whose LayersSize holds blobs; 26 counts snapshots alone."""
COLLECTION_TIMEOUT_S = 20.0


def assert_same_snapshot_images(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare ids, tags, chains and sizes: those of the list, as `inspect` tells of the content alone."""
    expected = {row["Id"]: (sorted(row["RepoTags"] or ()), row["Size"]) for row in daemon.api("/images/json?all=1")}
    assert {row.id: (sorted(row.tags), row.size) for row in engine.images(all=True)} == expected
    for image_id in expected:
        found = daemon.inspect(image_id)
        assert list(engine.get_image(image_id).diff_ids) == (found["RootFS"].get("Layers") or [])
        assert next(row.content_size for row in engine.images(all=True) if row.id == image_id) == found["Size"]


def assert_same_snapshot_usage(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare the integers behind `docker system df -v`, and the sums of its summary."""
    usage, df = daemon.api("/system/df"), engine.df(verbose=True)
    expected = {row["Id"]: (row["Size"], row["SharedSize"], row["Containers"]) for row in usage["Images"]}
    assert {row.id: (row.size, row.shared_size, row.containers) for row in df.images} == expected
    containers = {row["Names"][0].lstrip("/"): (row["SizeRw"], row["SizeRootFs"]) for row in usage["Containers"]}
    assert {row.name: (row.size_rw, row.size_root_fs) for row in df.containers} == containers
    held = held_by_images(daemon, with_blobs=engine.profile.shares_content)
    assert df.layers_size == held
    in_use = sum(row["Size"] - row["SharedSize"] for row in usage["Images"] if row["Containers"])
    (images, *_) = df
    sums = (len(expected), sum(count > 0 for _, _, count in expected.values()), held, held - in_use)
    assert (images.total, images.active, images.size, images.reclaimable) == sums


def assert_same_snapshot_text(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare the tables whose every figure these versions compute as version 29 does."""
    assert_same_table(daemon, engine.images, "images")
    if not daemon.lines("ps", "--all", "--quiet"):
        assert_same_table(daemon, lambda: engine.df(verbose=True), "system", "df", "--verbose")


def held_by_images(daemon: Daemon, *, with_blobs: bool) -> int:
    """Sum up the snapshots of all images, each once, and their blobs, as version 29 does for its summary.

    That the engine's own figure is made of these is shown on the way: up to version 28 it takes in the snapshots of
    containers, and at first left out the blobs.
    """
    blobs, chains = set[str](), set[str]()
    for row in daemon.api("/images/json?all=1"):
        blobs |= set(reached(daemon, row["Id"]))
        chains |= set(chain_ids(daemon.inspect(row["Id"])["RootFS"].get("Layers") or []))
    content = sum(blob_path(daemon, digest).stat().st_size for digest in blobs)
    snapshots = collected(daemon, content if daemon.major() >= COUNTS_BLOBS_SINCE else 0)
    return sum(snapshots[chain] for chain in chains) + (content if with_blobs else 0)


def collected(daemon: Daemon, content: int) -> dict[str, int]:
    """Return the snapshots once those that nothing holds are collected, and the engine counts what there is."""
    deadline = time.monotonic() + COLLECTION_TIMEOUT_S
    while True:
        snapshots = snapshot_usages(daemon)
        counted = daemon.api("/system/df")["LayersSize"]
        if snapshots is not None and counted == sum(snapshots.values()) + content:
            return snapshots
        assert time.monotonic() < deadline, f"the engine counts {counted}, of content {content} and {snapshots}"
        time.sleep(0.1)


def snapshot_usages(daemon: Daemon) -> dict[str, int] | None:
    """Ask the engine's containerd for the bytes of each snapshot; None where one of them went while it was asked."""
    assert daemon.software.programs is not None
    ctr = [str(daemon.software.programs / "ctr"), "--address", str(daemon.folder / "exec/containerd/containerd.sock")]
    command = [*ctr, "--namespace", "moby", "snapshots", "--snapshotter", "overlayfs", "usage", "-b"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        assert "not found" in done.stderr, done.stderr
        return None
    lines = done.stdout.splitlines()[1:]
    return {key: int(size) for key, size, _inodes in map(str.split, lines)}


def chain_ids(diff_ids: list[str]) -> list[str]:
    """Hash a stack, base first, as the OCI image specification has it."""
    chains = diff_ids[:1]
    for diff_id in diff_ids[1:]:
        chains.append("sha256:" + hashlib.sha256(f"{chains[-1]} {diff_id}".encode()).hexdigest())
    return chains


def reached(daemon: Daemon, digest: str) -> list[str]:
    """Return the digests of an index or manifest and of all below it."""
    document = json.loads(blob_path(daemon, digest).read_bytes())
    below = [found for one in document.get("manifests", ()) for found in reached(daemon, one["digest"])]
    leaves = [document["config"], *document["layers"]] if "config" in document else []
    return [digest, *below, *(leaf["digest"] for leaf in leaves)]


def blob_path(daemon: Daemon, digest: str) -> Path:
    return daemon.graph / "containerd/daemon/io.containerd.content.v1.content/blobs" / digest.replace(":", "/")
