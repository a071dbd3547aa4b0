"""Pictures: what sharing saves, who shares what, shares that add up, and what edits cost."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from typing import TYPE_CHECKING

from layersim.sharing import Sharing
from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from layersim.analysis import Replay
    from layersim.engine import Engine
    from layersim.image import Image
    from layersim.sharing import ImageShare

_LOGICAL_COLOUR = "#c9d3dc"
_STORED_COLOUR = "#1d63a8"
_MEGABYTE = 1_000_000
# What can be summed up over edits: what the axis says, and its unit.
_SUMMED = {
    "seconds": ("seconds of building", 1),
    "rebuilt_size": ("MB built anew", _MEGABYTE),
    "push_size": ("MB pushed", _MEGABYTE),
    "pull_size": ("MB pulled", _MEGABYTE),
}


@dataclass(frozen=True)
class Saving:
    """What a number of images claim, and what the disk holds for them.

    Parameters
    ----------
    label : str
        The image that joined last.
    logical : int
        The sum of the images' sizes, in bytes: every image counts its whole stack.
    stored : int
        The sum over distinct layers, in bytes: a layer is held once, however many images stand on it.
    """

    label: str
    logical: int
    stored: int

    @property
    def saved(self) -> int:
        """The bytes that sharing saves."""
        return self.logical - self.stored


def savings(images: Iterable[Image]) -> list[Saving]:
    """Return the saving after each image, as the images join a host one by one.

    Parameters
    ----------
    images : iterable of Image
        The images in the order of their joining.

    Returns
    -------
    list of Saving
        One value per image; the last one is the whole.

    Notes
    -----
    Layers are one and the same when their chain ids are equal, as in the engine's own store, and take
    what the store recorded for them. The cost is one step per layer of each image.
    """
    held: set[str] = set()
    return list(accumulate((_joined(image, held) for image in images), _added))


def _joined(image: Image, held: set[str]) -> Saving:
    sizes = dict(zip(image.chain_ids, image.layer_sizes, strict=True))
    new = sum(size for chain_id, size in sizes.items() if chain_id not in held)
    held.update(sizes)
    return Saving(_name(image), image.size, new)


def _added(before: Saving, image: Saving) -> Saving:
    return Saving(image.label, before.logical + image.logical, before.stored + image.stored)


def _name(image: Image | ImageShare) -> str:
    return image.tags[0].removesuffix(":latest") if image.tags else image.id.removeprefix("sha256:")[:12]


def saving_bars(steps: Sequence[Saving], *, width: int = 40) -> str:
    """Return the saving as bars of text, a line per image.

    Parameters
    ----------
    steps : sequence of Saving
        What `savings` returned.
    width : int, default 40
        The length of the longest bar, in columns.

    Returns
    -------
    str
        In each bar the dark part is what the disk holds, the light part what sharing saves.
    """
    longest = max((step.logical for step in steps), default=0)
    names = max((len(step.label) for step in steps), default=0)
    head = f"{'':>4} {'image added':<{names}} {'logical':>9} {'on disk':>9} {'saved':>9}"
    return "\n".join([head.rstrip(), *_bar_lines(steps, names, longest, width)])


def _bar_lines(steps: Sequence[Saving], names: int, longest: int, width: int) -> Iterator[str]:
    for number, step in enumerate(steps, start=1):
        dark = round(width * step.stored / longest) if longest else 0
        light = (round(width * step.logical / longest) if longest else 0) - dark
        sizes = " ".join(f"{human_size(size, 3):>9}" for size in (step.logical, step.stored, step.saved))
        yield f"{number:>4} {step.label:<{names}} {sizes} {'█' * dark}{'░' * light}".rstrip()


def plot_saving(steps: Sequence[Saving], ax: Axes | None = None) -> Axes:
    """Draw the saving as images join: the logical size above, what the disk holds below.

    Parameters
    ----------
    steps : sequence of Saving
        What `savings` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, for titles, limits and saving. Sizes are in MB (1,000,000 bytes).

    Raises
    ------
    ImportError
        If matplotlib is not installed; it comes with the extra ``layersim[plot]``.
    """
    axes = ax if ax is not None else _new_figure(wide=8.0, high=4.5).add_subplot()
    count = range(1, len(steps) + 1)
    logical = [step.logical / _MEGABYTE for step in steps]
    stored = [step.stored / _MEGABYTE for step in steps]
    axes.fill_between(count, stored, logical, color=_LOGICAL_COLOUR, label="saved by sharing")
    axes.fill_between(count, 0, stored, color=_STORED_COLOUR, alpha=0.35)
    axes.plot(count, logical, color="black", linestyle="--", marker=".", label="logical size (images)")
    axes.plot(count, stored, color=_STORED_COLOUR, marker=".", label="on disk (system df)")
    axes.set_xticks(list(count), [step.label for step in steps], rotation=45, ha="right")
    axes.set(ylabel="MB", ylim=(0, None), title="What sharing saves")
    axes.legend(loc="upper left")
    return axes


def draw_saving(steps: Sequence[Saving], target: str | PathLike[str]) -> None:
    """Draw the saving into a file, as `plot_saving` does.

    Parameters
    ----------
    steps : sequence of Saving
        What `savings` returned.
    target : path
        The file; its ending says which format: ``.png``, ``.svg``, ``.pdf``.

    Raises
    ------
    ImportError
        If matplotlib is not installed; it comes with the extra ``layersim[plot]``.
    """
    figure = _new_figure(wide=8.0, high=4.5)
    plot_saving(steps, figure.add_subplot())
    figure.savefig(target, dpi=120)


def plot_sharing(engine: Engine, ax: Axes | None = None) -> Axes:
    """Draw each image's shared and unique bytes, as ``system df -v`` states them.

    Parameters
    ----------
    engine : Engine
        The host whose images are drawn, in the order of its `df`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. Sizes are in MB (1,000,000 bytes).

    Raises
    ------
    ImportError
        If matplotlib is not installed; it comes with the extra ``layersim[plot]``.
    """
    rows = list(engine.df(verbose=True).images)
    axes = ax if ax is not None else _new_figure(wide=8.0, high=1.0 + 0.3 * len(rows)).add_subplot()
    names = [row.tags[0] if row.tags else row.id.removeprefix("sha256:")[:12] for row in rows]
    places = range(len(rows))
    shared = [row.shared_size / _MEGABYTE for row in rows]
    unique = [row.unique_size / _MEGABYTE for row in rows]
    axes.barh(places, shared, color=_LOGICAL_COLOUR, label="shared with other images")
    axes.barh(places, unique, left=shared, color=_STORED_COLOUR, label="unique")
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.set(xlabel="MB", title="Who shares what")
    axes.legend()
    return axes


def plot_fair_shares(host: Engine | Sharing, ax: Axes | None = None) -> Axes:
    """Draw each image's fair share, one after the other, so that together they reach the real bytes.

    Parameters
    ----------
    host : Engine or Sharing
        The host whose images are drawn, newest first; an engine is asked for its `sharing`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. Of each image the light part is its part of what something else holds too, the dark part what would
        be freed if it alone went. Sizes are in MB (1,000,000 bytes).

    Raises
    ------
    ImportError
        If matplotlib is not installed; it comes with the extra ``layersim[plot]``.
    """
    sharing = host if isinstance(host, Sharing) else host.sharing()
    rows = list(sharing.images)
    axes = ax if ax is not None else _new_figure(wide=8.0, high=1.2 + 0.3 * len(rows)).add_subplot()
    places = range(len(rows))
    ends = list(accumulate((float(row.fair_share) / _MEGABYTE for row in rows), initial=0.0))
    parts = [(float(row.fair_share) - row.exclusive) / _MEGABYTE for row in rows]
    alone = [row.exclusive / _MEGABYTE for row in rows]
    axes.barh(places, parts, left=ends[:-1], color=_LOGICAL_COLOUR, label="its part of what others hold too")
    lefts = [left + part for left, part in zip(ends, parts, strict=False)]
    axes.barh(places, alone, left=lefts, color=_STORED_COLOUR, label="exclusive")
    whole = sharing.size / _MEGABYTE
    axes.axvline(whole, color="black", linestyle="--", label="real bytes")
    axes.set_yticks(list(places), [_name(row) for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel="MB", xlim=(0, whole * 1.03 or 1), title="Fair shares add up to the real bytes")
    axes.legend()
    return axes


def plot_replay(replay: Replay, ax: Axes | None = None, *, figure: str = "seconds") -> Axes:
    """Draw what a series of edits has cost so far, one line for each Dockerfile.

    Parameters
    ----------
    replay : Replay
        What `layersim.replay` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    figure : {"seconds", "rebuilt_size", "push_size", "pull_size"}
        What is summed up; sizes are drawn in MB (1,000,000 bytes).

    Returns
    -------
    matplotlib.axes.Axes
        The axes. The first build, before any edit, is left out.

    Raises
    ------
    ValueError
        There is no such figure.
    ImportError
        If matplotlib is not installed; it comes with the extra ``layersim[plot]``.
    """
    if figure not in _SUMMED:
        raise ValueError(f"expected one of {', '.join(map(repr, _SUMMED))}, got {figure!r}")
    label, unit = _SUMMED[figure]
    axes = ax if ax is not None else _new_figure(wide=8.0, high=4.0).add_subplot()
    lines: dict[str, list[float]] = {}
    for row in replay:
        if row.edit:
            lines.setdefault(row.variant, [0.0]).append(getattr(row, figure) / unit)
    for variant, costs in lines.items():
        axes.step(range(len(costs)), list(accumulate(costs)), where="post", label=variant)
    axes.set(xlabel="edits", ylabel=label, title="What the edits cost")
    if lines:
        axes.legend()
    return axes


def draw_sharing(engine: Engine, target: str | PathLike[str]) -> None:
    """Draw into a file what `plot_sharing` says, and below it `plot_fair_shares` of the same images.

    Parameters
    ----------
    engine : Engine
        The host whose images are drawn.
    target : path
        The file; its ending says which format. The same host gives the same bytes of ``.svg`` again.

    Raises
    ------
    ImportError
        If matplotlib is not installed; it comes with the extra ``layersim[plot]``.
    """
    matplotlib = import_module("matplotlib")  # an extra, loaded only when a picture is asked for
    figure = _new_figure(wide=8.0, high=2.4 + 0.6 * len(engine.images()))
    docker, ours = figure.subplots(2, sharex=True)
    plot_sharing(engine, docker)
    plot_fair_shares(engine, ours)
    # Without these an `.svg` has random names in it, the time, and letters as curves.
    with matplotlib.rc_context({"svg.hashsalt": "layersim", "svg.fonttype": "none"}):
        figure.savefig(target, dpi=120, metadata={"Date": None} if str(target).endswith(".svg") else None)


def _new_figure(*, wide: float, high: float) -> Figure:
    module = import_module("matplotlib.figure")  # an extra, loaded only when a picture is asked for
    figure: Figure = module.Figure(figsize=(wide, high), layout="constrained")
    return figure
