"""The saving as values, as bars of text, and as matplotlib axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.patches import Rectangle

import layersim as ls
from layersim.demo import write_archives
from layersim.plot import Saving, draw_saving, plot_saving, plot_sharing, saving_bars, savings

if TYPE_CHECKING:
    from pathlib import Path

STEPS = [Saving("one", 100, 100), Saving("two", 200, 150), Saving("three", 400, 200)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> ls.Engine:
    engine = ls.Engine()
    for archive in write_archives(tmp_path_factory.mktemp("example"), engine.now()):
        engine.load(archive)
    return engine


@pytest.fixture(scope="module")
def images(engine: ls.Engine) -> list[ls.Image]:
    return [engine.get_image(row.id) for row in engine.images()]


@dataclass(frozen=True)
class Stack:
    """As much of an image as the saving is computed from."""

    tags: tuple[str, ...]
    chain_ids: tuple[str, ...]
    layer_sizes: tuple[int, ...]
    id: str = "sha256:0123456789abcdef"

    @property
    def size(self) -> int:
        return sum(self.layer_sizes)


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        ([], []),
        ([Stack(("a:1",), ("x",), (10,))], [Saving("a:1", 10, 10)]),
        (
            [Stack(("a:latest",), ("x", "y"), (10, 1)), Stack((), ("x", "z"), (10, 2))],
            [Saving("a", 11, 11), Saving("0123456789ab", 23, 13)],
        ),
    ],
)
def test_savings_count_a_chain_once(stacks: list[ls.Image], expected: list[Saving]) -> None:
    assert savings(stacks) == expected


def test_savings_equal_the_engines_own_sums(engine: ls.Engine, images: list[ls.Image]) -> None:
    whole = savings(images)[-1]
    assert whole.logical == sum(row.size for row in engine.images())
    assert whole.stored == engine.df().layers_size


def test_bars_are_as_long_as_the_sizes() -> None:
    head, *lines = saving_bars(STEPS, width=40).splitlines()
    assert head.split() == ["image", "added", "logical", "on", "disk", "saved"]
    assert [(line.count("█"), line.count("░")) for line in lines] == [(10, 0), (15, 5), (20, 20)]
    assert lines[2].split()[:5] == ["3", "three", "400B", "200B", "200B"]


def test_bars_of_nothing_are_a_head() -> None:
    assert len(saving_bars([]).splitlines()) == 1
    assert "█" not in saving_bars([Saving("empty", 0, 0)])


def test_plot_saving_draws_both_curves_in_megabytes() -> None:
    axes = plot_saving(STEPS)
    logical, stored = (np.asarray(line.get_ydata()).tolist() for line in axes.get_lines())
    assert logical == [step.logical / 1e6 for step in STEPS]
    assert stored == [step.stored / 1e6 for step in STEPS]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["one", "two", "three"]


def test_the_saving_is_drawn_into_a_file(tmp_path: Path) -> None:
    draw_saving(STEPS, tmp_path / "saving.png")
    assert (tmp_path / "saving.png").read_bytes().startswith(b"\x89PNG")


def test_plot_sharing_draws_shared_and_unique_beside_each_other(engine: ls.Engine) -> None:
    axes = plot_sharing(engine)
    rows = list(engine.df(verbose=True).images)
    widths = [bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle)]
    sizes = [row.shared_size for row in rows] + [row.unique_size for row in rows]
    assert widths == pytest.approx([size / 1e6 for size in sizes])


def test_plots_draw_into_given_axes(engine: ls.Engine) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    above, below = figure.subplots(2)
    assert plot_saving(STEPS, above) is above
    assert plot_sharing(engine, below) is below
