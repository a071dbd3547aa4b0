"""How the cost of a lookup grows with depth, drawn: `make bench-plots`.

For each depth the same three questions: paths of the top layer, of the lowest one, of none. Beside the index and the
walk stands the kernel's overlay just after it was mounted, when it has to ask every layer as the walk does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import layersim as ls
from benches.made import merged_stack, paths_of_layer
from benches.mounted import overlay, remount, seconds_of_lstat_loop
from benches.row import fastest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

DEPTHS = (1, 2, 4, 8, 16, 32, 64, 96, 125)
FILES = 200
_REPEATS = 50  # of each path in a batch, so that one lookup lasts long enough to be timed
_COLOURS = {"index": "#1d63a8", "walk": "#c98a1b", "kernel": "#8a97a3"}
_STYLES = {"top": "-", "lowest": "--", "none": ":"}


def measured() -> dict[str, dict[str, list[float]]]:
    """Return nanoseconds a path, by way and by the layer that has it, one for each depth; and the probes."""
    curves: dict[str, dict[str, list[float]]] = {way: {where: [] for where in _STYLES} for way in (*_COLOURS, "probes")}
    for depth in DEPTHS:
        layers = merged_stack(depth, FILES)
        lowest = paths_of_layer(0, FILES)
        asked = {"top": paths_of_layer(depth - 1, FILES), "lowest": lowest, "none": [f"{path}~" for path in lowest]}
        for where, paths in asked.items():
            _measure_ours(ls.View(layers), paths, {way: curves[way][where] for way in ("index", "walk", "probes")})
        _measure_the_kernel(layers, asked, curves["kernel"])
    return curves


def _measure_ours(view: ls.View, paths: list[str], into: dict[str, list[float]]) -> None:
    packed = ls.Paths(paths * _REPEATS)
    index, walk = fastest(lambda: view.lookup(packed), lambda: view.lookup(packed, strategy="walk"))
    into["index"].append(index / len(packed) * 1e9)
    into["walk"].append(walk / len(packed) * 1e9)
    into["probes"].append(float(view.lookup(packed).probes.mean()))


def _measure_the_kernel(layers: Sequence[ls.Layer], asked: dict[str, list[str]], into: dict[str, list[float]]) -> None:
    with tempfile.TemporaryDirectory(prefix="layersim-curves-") as folder:
        try:
            with overlay(Path(folder, "mount"), layers) as merged:
                for where, paths in asked.items():
                    into[where].append(min(_first_seconds(merged, paths) for _ in range(5)) / len(paths) * 1e9)
        except subprocess.CalledProcessError:
            print("no mount here: the picture goes without the kernel", file=sys.stderr)


def _first_seconds(merged: Path, paths: list[str]) -> float:
    remount(merged)
    return seconds_of_lstat_loop(merged.parent, merged, paths, rounds=1)


def draw(curves: dict[str, dict[str, list[float]]], target: str) -> None:
    """Draw the curves into a file."""
    matplotlib = import_module("matplotlib")
    with matplotlib.rc_context({"svg.hashsalt": "layersim", "svg.fonttype": "none"}):
        figure = import_module("matplotlib.figure").Figure(figsize=(9, 4), layout="constrained")
        times, probes = figure.subplots(1, 2, width_ratios=(3, 2))
        _draw_times(times, curves)
        for where, style in _STYLES.items():
            probes.plot(DEPTHS, curves["probes"][where], style, color="black", label=f"in {_told(where)}")
        probes.set(xlabel="layers", ylabel="probes", title="Layers that the kernel consults")
        probes.legend()
        figure.savefig(target, metadata={"Date": None})


def _draw_times(axes: Axes, curves: dict[str, dict[str, list[float]]]) -> None:
    for way, colour in _COLOURS.items():
        for where, style in _STYLES.items():
            if curves[way][where]:
                label = way if where == "lowest" else None
                axes.plot(DEPTHS, curves[way][where], style, color=colour, label=label)
    axes.set(xlabel="layers", ylabel="nanoseconds a path", yscale="log", title="Time of a lookup")
    axes.legend()


def _told(where: str) -> str:
    return where if where == "none" else f"the {where} layer" if where == "lowest" else "the top layer"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benches.curves PICTURE.svg")
    found = measured()
    draw(found, sys.argv[1])
    print(json.dumps({"depths": DEPTHS, **found}))
