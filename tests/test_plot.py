"""The saving as values, as bars of text, and as matplotlib axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.patches import Rectangle

import layersim as ls
from layersim.demo import write_archives
from layersim.plot import (
    Saving,
    draw_saving,
    draw_sharing,
    plot_fair_shares,
    plot_saving,
    plot_sharing,
    saving_bars,
    savings,
)

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


def test_plot_fair_shares_ends_at_the_real_bytes(engine: ls.Engine) -> None:
    axes = plot_fair_shares(engine)
    sharing = engine.sharing()
    rows, bars = list(sharing.images), [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    shared, alone = bars[: len(rows)], bars[len(rows) :]
    assert [bar.get_width() for bar in alone] == pytest.approx([row.exclusive / 1e6 for row in rows])
    widths = [one.get_width() + two.get_width() for one, two in zip(shared, alone, strict=True)]
    assert widths == pytest.approx([float(row.fair_share) / 1e6 for row in rows])
    ends = [bar.get_x() + bar.get_width() for bar in alone]
    assert [bar.get_x() for bar in shared] == pytest.approx([0, *ends[:-1]])
    (line,) = axes.get_lines()
    assert np.asarray(line.get_xdata()).tolist() == pytest.approx([ends[-1]] * 2) == [sharing.size / 1e6] * 2
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "nginx:alpine"


def test_plot_fair_shares_takes_a_moment_too(engine: ls.Engine) -> None:
    drawn = (plot_fair_shares(engine), plot_fair_shares(engine.sharing()))
    one, two = ([bar.get_bbox().bounds for bar in axes.patches if isinstance(bar, Rectangle)] for axes in drawn)
    assert one == two


def test_sharing_is_drawn_into_a_file_the_same_each_time(engine: ls.Engine, tmp_path: Path) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    draw_sharing(engine, one)
    draw_sharing(engine, two)
    assert one.read_bytes() == two.read_bytes()
    assert one.read_text().count("chat-relay") == 2
    draw_sharing(engine, tmp_path / "sharing.png")
    assert (tmp_path / "sharing.png").read_bytes().startswith(b"\x89PNG")


def test_plots_draw_into_given_axes(engine: ls.Engine) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    above, below, last = figure.subplots(3)
    assert plot_saving(STEPS, above) is above
    assert plot_sharing(engine, below) is below
    assert plot_fair_shares(engine, last) is last
