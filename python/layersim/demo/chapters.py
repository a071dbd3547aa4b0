"""The story's chapters, each true of any image: every sentence states what was just computed."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from layersim._core import View
from layersim.demo.passage import command, heading, output, prose
from layersim.demo.proof import layer_digests, view_digest
from layersim.plot import draw_saving, saving_bars, savings
from layersim.units import human_size, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from layersim._core import Overlay
    from layersim.container import Container
    from layersim.demo.passage import Passage
    from layersim.engine import Engine
    from layersim.image import Image
    from layersim.plot import Saving

_CONTAINERS = 3


def name_of(image: Image) -> str:
    """Return what to call an image: its first tag without ``:latest``, or its short id."""
    return image.tags[0].removesuffix(":latest") if image.tags else short_id(image.id)


def history(engine: Engine, image: Image, archives: str) -> Iterator[Passage]:
    """Show how an image was made."""
    yield command(f"layersim history {archives} {name_of(image)}")
    yield output(engine.history(image.id))


def logical_sizes(engine: Engine, archives: Sequence[str]) -> Iterator[Passage]:
    """Show what `images` states, and what that adds up to."""
    rows = engine.images()
    total = sum(row.size for row in rows)
    yield heading("What `images` says: the logical size")
    yield command(f"layersim images {' '.join(archives)}")
    yield output(rows)
    yield prose(f"Every image counts its whole stack, shared or not. Added up: {human_size(total)}.")


def disk(engine: Engine, archives: Sequence[str]) -> Iterator[Passage]:
    """Show what `system df` states, and how far the two are apart."""
    usage = engine.df(verbose=True)
    logical = sum(row.size for row in usage.images)
    yield heading("What the disk holds: each layer once")
    yield command(f"layersim df -v {' '.join(archives)}")
    yield output(usage)
    yield prose(
        f"On disk: {human_size(usage.layers_size)}, not {human_size(logical)}. SHARED SIZE is what an image has in "
        "common with others; UNIQUE SIZE is what only it brought."
    )


def saving(engine: Engine, images: Sequence[Image], archives: Sequence[str], picture: Path | None) -> Iterator[Passage]:
    """Show the saving grow with each image, in the terminal and as a picture."""
    steps = savings(images)
    yield prose("Image by image: the sum of the logical sizes, what the disk holds, and the difference.")
    yield output(f"\n{saving_bars(steps)}")
    whole = steps[-1]
    yield prose(
        f"Dark is on disk, light is what sharing saves: {human_size(whole.saved)} of {human_size(whole.logical)}. "
        f"The engine's own sum of the layers it holds: {human_size(engine.df().layers_size)}."
    )
    if picture is not None:
        yield prose(_drawn(steps, picture))
    yield command(f"layersim df {' '.join(archives)}")
    yield output(engine.df())


def _drawn(steps: Sequence[Saving], picture: Path) -> str:
    picture.parent.mkdir(parents=True, exist_ok=True)
    try:
        draw_saving(steps, picture)
    except ImportError:
        return "No picture was drawn: matplotlib is not installed (pip install 'layersim[plot]')."
    return f"The same as a picture: {picture}"


def containers(engine: Engine, image: Image, path: str | None, data: bytes) -> Iterator[Passage]:
    """Start containers, write in one of them, and prove that nothing else changed."""
    started = [engine.run(image.id, name=f"{_stem(image)}-{n}") for n in range(1, _CONTAINERS + 1)]
    layers, views = layer_digests(image.layers), [view_digest(container.fs) for container in started]
    yield heading("Three containers, one write")
    yield prose(f"Three containers of {name_of(image)} start on the same layers and hold nothing of their own.")
    yield output(f"\n{_sizes(started)}")
    writer = started[1]
    target = path or _largest_file(View(image.layers))
    before = writer.fs.lstat(target).st_size if writer.fs.exists(target) else 0
    _append(writer.fs, target, data)
    yield prose(
        f"{writer.name} appends {len(data)} bytes to {target}, a file of {before} bytes: it is copied up whole."
    )
    yield output(f"\n{_sizes(started)}")
    yield prose(f"What `docker diff` would say of {writer.name}:")
    yield output("\n" + "\n".join(f"{change.kind} {change.path}" for change in writer.changes()))
    yield heading("The proof: no write reaches a layer")
    yield prose("Each layer's bytes hashed again, and what each container sees compared with what it saw before:")
    yield output(f"\n{_layer_lines(layers, layer_digests(image.layers))}")
    yield output(f"\n{_view_lines(started, views)}")


def _stem(image: Image) -> str:
    return name_of(image).rpartition("/")[2].replace(":", "-")


def _largest_file(view: View) -> str:
    paths = (f"{top.rstrip('/')}/{name}" for top, _, names in view.walk("/") for name in names)
    found = ((view.lstat(path), path) for path in paths)
    sizes = ((status.st_size, path) for status, path in found if stat.S_ISREG(status.st_mode))
    return max(sizes, default=(0, "/new-file"))[1]


def _append(fs: Overlay, path: str, data: bytes) -> None:
    with fs.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) as file:
        file.write(data)


def _sizes(started: Sequence[Container]) -> str:
    lines = [f"{'NAMES':<24} SIZE"]
    for container in started:
        rw, root = container.size_rw, container.size_root_fs
        lines.append(f"{container.name:<24} {human_size(rw, 3)} (virtual {human_size(root, 3)})")
    return "\n".join(lines)


def _layer_lines(before: dict[str, str], after: dict[str, str]) -> str:
    lines = [f"{'LAYER':<14} {'SHA-256 BEFORE':<16} {'SHA-256 AFTER':<16}"]
    for diff_id, digest in before.items():
        verdict = "unchanged" if after[diff_id] == digest else "CHANGED"
        lines.append(f"{short_id(diff_id):<14} {short_id(digest):<16} {short_id(after[diff_id]):<16} {verdict}")
    return "\n".join(lines)


def _view_lines(started: Sequence[Container], before: Sequence[str]) -> str:
    lines = [f"{'CONTAINER':<24} {'VIEW BEFORE':<16} {'VIEW AFTER':<16}"]
    for container, digest in zip(started, before, strict=True):
        after = view_digest(container.fs)
        verdict = "unchanged" if after == digest else "changed: it wrote"
        lines.append(f"{container.name:<24} {short_id(digest):<16} {short_id(after):<16} {verdict}")
    return "\n".join(lines)
