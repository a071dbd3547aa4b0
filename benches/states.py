"""Keeping an engine: opening a large one, saving one and reading all of it back."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import layersim as ls
from benches.archives import hashed
from benches.made import noise, small_layer
from benches.row import Row, fastest, speedup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IMAGES, _LAYERS = 1000, 10


def opening(folder: Path, scale: float) -> Iterator[Row]:
    """Open an engine of many images, in both layouts."""
    count = int(_IMAGES * scale)
    engine = ls.Engine(clock=lambda: 10**18)
    for number in range(count):
        layers = [small_layer(number * _LAYERS + place, files=2) for place in range(_LAYERS)]
        engine.add_image(layers, tag=f"app{number}:1")
    engine.save_state(folder / "many.lsim")
    engine.save_state(f"{folder}/many/")
    document = (folder / "many" / "state.json").read_bytes().partition(b"\n")[2]
    for name, layout in (("many.lsim", "file"), ("many", "store")):
        ours, theirs = fastest(partial(opened, folder / name), lambda: json.loads(document))
        work = f"open a {layout} of {count:,} images of {_LAYERS} layers"
        yield Row(work, "json.loads of its document", ours * 1e3, theirs * 1e3, "ms", ours * 1e3, "<= 50 ms")


def opened(path: Path) -> str:
    """Open an engine and let it go."""
    with ls.Engine.open(path) as engine:
        return repr(engine)


def saving(folder: Path, scale: float) -> Iterator[Row]:
    """Save an engine of large layers and read it back, every byte verified."""
    size, engine = int(100e6 * scale), ls.Engine(clock=lambda: 10**18)
    for number in range(10):
        tar = folder / f"{number}.tar"
        data = hashlib.sha256(b"%d" % number).digest() + noise(size)
        ls.Layer.from_changes([ls.write(f"/data{number}", data)]).write_tar(tar)
        engine.add_image([ls.Layer.from_tar(tar)], tag=f"part{number}:1")
    engine.save_state(folder / "whole.lsim")
    work = f"save and verify {(folder / 'whole.lsim').stat().st_size >> 20} MiB"
    for name, layout in (("ours.lsim", "a file"), ("ours/", "a store")):
        ours, theirs = fastest(
            partial(saved_and_read, engine, f"{folder}/{name}"), lambda: copied_and_hashed(folder), rounds=3
        )
        yield speedup(f"{work}, {layout}", "cp, sync and hashlib", (ours, theirs), ">= 0.8 x")


def saved_and_read(engine: ls.Engine, path: str) -> None:
    """Save where nothing is yet, and read all of it."""
    engine.save_state(path)
    ls.Engine.open(path, verify=True).close()
    shutil.rmtree(path) if path.endswith("/") else subprocess.run(["rm", path], check=True)


def copied_and_hashed(folder: Path) -> bytes:
    """Do what a script would to have a second copy and be sure of it."""
    copy = folder / "copy"
    subprocess.run(["cp", folder / "whole.lsim", copy], check=True)
    subprocess.run(["sync", copy], check=True)
    digest = hashed(copy)
    copy.unlink()
    return digest
