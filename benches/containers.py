"""Containers, forks, copy-up, changesets, fleets."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import layersim as ls
from benches.made import base_layer, file_paths, fleet, small_layer
from benches.memory import bytes_of
from benches.row import Row, fastest, share_of_limit, speedup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STARTS = 1000
_CONTAINERS = 1_000_000
_LARGE = 256 << 20
_UNSHARED = 5


def starting(_: Path, scale: float) -> Iterator[Row]:
    """Start containers, and fork."""
    layers = [base_layer(int(50_000 * scale))]
    engine = ls.Engine(profile="docker20", clock=lambda: 0)
    image = engine.add_image(layers, tag="base:1")
    view, merged = ls.View(layers), dict.fromkeys(file_paths(int(50_000 * scale)), 0)
    fs = ls.Overlay(view)
    created, forked, opened, copied = fastest(
        lambda: [engine.create(image.id) for _ in range(_STARTS)],
        lambda: [fs.fork() for _ in range(_STARTS)],
        lambda: [ls.Overlay(view) for _ in range(_STARTS)],
        lambda: [merged.copy() for _ in range(10)],
    )
    for work, seconds in (("a new container", created), ("a fork", forked), ("a new overlay", opened)):
        each, peer = seconds / _STARTS * 1e6, copied / 10 * 1e6
        yield Row(f"{work} on {len(merged):,} files", "dict.copy of the view", each, peer, "us", each, "<= 2 us")
    count = int(_CONTAINERS * scale)
    prepare = "import layersim as ls\ne = ls.Engine(clock=lambda: 0)\ne.add_image([ls.Layer.from_changes([])], tag='b')"
    kept = bytes_of(prepare, f"kept = [e.create('b') for _ in range({count})]") / count
    yield Row(f"memory of one of {count:,} containers", "the promise", kept, 512, "B", kept, "<= 512 B")
    kept = (
        bytes_of(
            f"{prepare}\nfs = ls.Overlay(ls.View(e.get_image('b').layers))",
            f"kept = [fs.fork() for _ in range({count})]",
        )
        / count
    )
    yield Row(f"memory of one of {count:,} forks", "the promise", kept, 512, "B", kept, "<= 512 B")


def copying_up(folder: Path, scale: float) -> Iterator[Row]:
    """Append one byte to a large lower file."""
    size = int(_LARGE * scale)
    layer = ls.Layer.from_changes([ls.write("/big", bytes(size))])

    def append() -> int:
        fs = ls.Overlay([layer])
        with fs.open("/big", os.O_WRONLY | os.O_APPEND) as file:
            file.write(b"!")
        return fs.size_rw

    (ours,) = fastest(append)
    try:
        theirs = min(_kernel_append(folder / f"up{round_}", size) for round_ in range(2))
    except subprocess.CalledProcessError:
        yield Row("append to a large lower file", "no mount here", ours * 1e3, 0, "ms", 0, "")
        return
    yield speedup(
        f"append to a {size >> 20} MiB lower file", "copy-up on the kernel's overlay", (ours, theirs), ">= 10000 x"
    )


def _kernel_append(folder: Path, size: int) -> float:
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir(parents=True)
    with (folder / "lower" / "big").open("wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
    options = f"lowerdir={folder / 'lower'},upperdir={folder / 'upper'},workdir={folder / 'work'}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, folder / "merged"], check=True)
    try:
        start = time.perf_counter()
        with (folder / "merged" / "big").open("ab") as file:
            file.write(b"!")
        return time.perf_counter() - start
    finally:
        subprocess.run(["umount", folder / "merged"], check=True)
        shutil.rmtree(folder)


def changing(_: Path, scale: float) -> Iterator[Row]:
    """Ask for changesets and commits after the same writes on a small and on a large image."""
    small, large = (_written(int(files * scale)) for files in (5_000, 50_000))
    few, many = fastest(small.changes, large.changes, rounds=20)
    yield share_of_limit("changes() after 100 writes, 50,000 files", "itself on 5,000", (many, few), "<= 1.2 x")
    few, many = fastest(small.to_layer, large.to_layer, rounds=20)
    yield share_of_limit("to_layer() after 100 writes, 50,000 files", "itself on 5,000", (many, few), "<= 1.2 x")


def _written(files: int) -> ls.Overlay:
    fs = ls.Overlay([base_layer(files)])
    for path in file_paths(100):
        fs.write_bytes(path, b"changed")
    return fs


def sharing(_: Path, scale: float) -> Iterator[Row]:
    """Index a thousand images on one base."""
    images, files = int(1000 * scale), int(50_000 * scale)
    base, own = base_layer(files), [small_layer(n) for n in range(images)]
    alone = [base_layer(files) for _ in range(_UNSHARED)]

    def index(number: int, below: ls.Layer) -> int:
        view = ls.View([below, own[number]])
        views.append(view)
        return int(view.lookup([f"/app/{number}/f0"]).layer[0])

    views: list[ls.View] = []
    ours, theirs = fastest(
        lambda: [index(n, base) for n in range(images)],
        lambda: [index(n, below) for n, below in enumerate(alone)],
        rounds=1,
    )
    yield Row(
        f"index {images:,} images on one base",
        f"without sharing (from {_UNSHARED})",
        ours,
        theirs / 5 * images,
        "s",
        ours,
        "<= 1 s",
    )
    imports = "import layersim as ls\nfrom benches.made import base_layer, small_layer"
    prepare = f"{imports}\nbase, own = base_layer({files}), [small_layer(n) for n in range({images})]"
    work = "views = [ls.View([base, layer]) for layer in own]\nfor view in views: view.lookup(['/app'])"
    shared = bytes_of(prepare, work) / 1e6
    apart = (
        bytes_of(prepare, work.replace("own]", f"own[:{_UNSHARED}]]").replace("[base,", f"[base_layer({files}),"))
        / 1e6
        / 5
        * images
    )
    yield Row(
        f"memory of {images:,} views on one base",
        f"without sharing (from {_UNSHARED})",
        shared,
        apart,
        "MB",
        shared,
        "<= 100 MB",
    )


def accounting(_: Path, scale: float) -> Iterator[Row]:
    """Sum up very many images."""
    images, layers = int(10_000 * scale), int(100_000 * scale)
    engine = fleet(images, layers)
    ours, theirs = fastest(engine.df, lambda: _df_by_hand(engine), rounds=3)
    yield Row(
        f"df of {images:,} images, {layers:,} layers", "the promise", ours * 1e3, 20, "ms", ours * 1e3, "<= 20 ms"
    )
    yield speedup(f"df of {images:,} images, {layers:,} layers", "a Python loop", (ours, theirs), ">= 50 x")


def _df_by_hand(engine: ls.Engine) -> dict[str, int]:
    users: dict[str, int] = {}
    sizes: dict[str, int] = {}
    images = [engine.get_image(row.id) for row in engine.images()]
    for image in images:
        for chain_id, size in zip(image.chain_ids, image.layer_sizes, strict=True):
            users[chain_id] = users.get(chain_id, 0) + 1
            sizes[chain_id] = size
    return {image.id: sum(sizes[chain_id] for chain_id in image.chain_ids if users[chain_id] == 1) for image in images}
