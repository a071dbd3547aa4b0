"""Looking paths up: in batches, at depth, one at a time."""

from __future__ import annotations

import random
import subprocess
from os import stat
from typing import TYPE_CHECKING

import numpy as np

import layersim as ls
from benches.made import base_layer, file_paths, small_layer
from benches.mounted import overlay, refusal, seconds_of_lstat_loop
from benches.row import Row, fastest, share_of_limit, speedup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DEPTH = 128
_SINGLE = 2_000
_PASSES = 10  # over the same paths in a round, as timeit does: the peer's round has emptied the processor's caches


def batches(folder: Path, scale: float) -> Iterator[Row]:
    """Look many paths up at once, from one packed array."""
    files, asked = int(50_000 * scale), int(200_000 * scale)
    layers = [base_layer(files), small_layer(1)]
    known = file_paths(files)
    chosen = random.Random(2).choices(known, k=asked)
    packed, view = ls.Paths(np.array(chosen, dtype="S")), ls.View(layers)
    plain = {path: (0, len(path)) for path in known}
    (ours, theirs) = fastest(lambda: view.lookup(packed), lambda: [plain.get(path) for path in chosen], rounds=20)
    yield Row(
        f"look up {asked:,} paths",
        "15 million a second",
        asked / ours / 1e6,
        15.0,
        "M/s",
        asked / ours / 1e6,
        ">= 15 M/s",
    )
    yield speedup(f"look up {asked:,} paths", "dict.get in a list", (ours, theirs), "")
    yield from _beside_the_kernel(folder / "mount", layers, chosen, ours)
    deep = ls.View([layers[0], *(small_layer(n) for n in range(1, _DEPTH))])
    flat = ls.View([layers[0]])
    below, above = fastest(lambda: deep.lookup(packed), lambda: flat.lookup(packed), rounds=20)
    yield share_of_limit(f"the same at depth {_DEPTH}", "itself at depth 1", (below, above), "<= 1.2 x")


def _beside_the_kernel(folder: Path, layers: list[ls.Layer], chosen: list[str], ours: float) -> Iterator[Row]:
    view, singles = ls.View(layers), chosen[:_SINGLE]
    try:
        with overlay(folder, layers) as merged:
            theirs = seconds_of_lstat_loop(merged, merged, chosen)
            yield speedup(f"look up {len(chosen):,} paths", "lstat in C, kernel overlay", (ours, theirs), ">= 30 x")
            real = [f"{merged}{path}" for path in singles]
            one, theirs = fastest(
                lambda: [view.lstat(path) for _ in range(_PASSES) for path in singles],
                lambda: [stat(path) for _ in range(_PASSES) for path in real],
            )
            yield speedup(
                f"lstat of {len(singles):,} paths, one by one", "os.stat, kernel overlay", (one, theirs), ">= 10 x"
            )
    except subprocess.CalledProcessError as refused:
        yield refusal(refused)
