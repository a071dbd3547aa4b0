"""The merged index beside other ways to look through a stack: walking it, dicts in a chain, a Python file system."""

from __future__ import annotations

from collections import ChainMap
from importlib import import_module
from typing import TYPE_CHECKING

import layersim as ls
from benches.made import merged_stack, paths_of_layer
from benches.row import fastest, speedup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benches.row import Row

_DEPTH = 32
_FEW = 2_000  # paths for peers that take microseconds for each


def beside_unions(_: Path, scale: float) -> Iterator[Row]:
    """Look paths up that the lowest of many layers has, and paths that none has."""
    layers = merged_stack(_DEPTH, int(500 * scale))
    view = ls.View(layers)
    deepest = paths_of_layer(0, int(500 * scale))
    peers = {"collections.ChainMap": _chain(layers), "PyFilesystem MultiFS": _multi_fs(layers)}
    for name, known in (("in the lowest", deepest), ("in none", [f"{path}~" for path in deepest])):
        asked = (known * (200_000 // len(known) + 1))[: int(200_000 * scale)]
        work = f"look up {len(asked):,} paths {name} of {_DEPTH}"
        index, walk = _both_strategies(view, ls.Paths(asked))
        yield speedup(work, 'strategy="walk"', (index, walk), "")
        for peer, look in peers.items():
            each = _seconds(look, asked[:_FEW]) / len(asked[:_FEW])
            yield speedup(work, peer, (index, each * len(asked)), "")


def _both_strategies(view: ls.View, packed: ls.Paths) -> tuple[float, float]:
    index, walk = fastest(lambda: view.lookup(packed), lambda: view.lookup(packed, strategy="walk"), rounds=3)
    return index, walk


def _seconds(look: Callable[[list[str]], object], asked: list[str]) -> float:
    return fastest(lambda: look(asked), rounds=2)[0]


def _chain(layers: Sequence[ls.Layer]) -> Callable[[list[str]], object]:
    union = ChainMap(*({f"/{entry.path.strip('/')}": entry for entry in layer} for layer in reversed(layers)))
    return lambda asked: [union.get(path) for path in asked]


def _multi_fs(layers: Sequence[ls.Layer]) -> Callable[[list[str]], object]:
    """Return the lookup of a union as PyFilesystem makes it of file systems in memory."""
    union = import_module("fs.multifs").MultiFS()
    for number, layer in enumerate(layers):
        memory = import_module("fs.memoryfs").MemoryFS()
        view = ls.View([layer])
        for top, _, names in view.walk("/"):
            memory.makedirs(top, recreate=True)
            for name in names:
                memory.writebytes(f"{top.rstrip('/')}/{name}", view.read_bytes(f"{top.rstrip('/')}/{name}"))
        union.add_fs(str(number), memory, priority=number)
    return lambda asked: [union.exists(path) and union.getinfo(path, ["details"]) for path in asked]
