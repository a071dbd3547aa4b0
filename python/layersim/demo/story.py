"""The story in order: a stack of layers, logical sizes, the disk, more applications, containers, the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.demo.chapters import containers, disk, history, logical_sizes, saving
from layersim.demo.example import WEB_PING, example
from layersim.demo.passage import heading, prose
from layersim.demo.recipe import write_recipes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from layersim.demo.passage import Passage
    from layersim.engine import Engine
    from layersim.image import Image

STORY_ARCHIVE = "web-ping.tar"
FLEET_ARCHIVE = "fleet.tar"
_LINE = b"// a line that only one container sees\n"


def write_archives(directory: Path, now_ns: int) -> tuple[Path, Path]:
    """Write the example's two docker-archives.

    Parameters
    ----------
    directory : Path
        Where to write; it must exist.
    now_ns : int
        The present in nanoseconds since 1970: the images are minutes to weeks older.

    Returns
    -------
    tuple of Path
        ``web-ping.tar``, with `web-ping` and its base, and ``fleet.tar``, with ten more applications
        and their two other bases.
    """
    paths = directory / STORY_ARCHIVE, directory / FLEET_ARCHIVE
    for path, recipes in zip(paths, example(), strict=True):
        write_recipes(path, recipes, now_ns)
    return paths


def tell(engine: Engine, directory: Path, picture: Path | None = None) -> Iterator[Passage]:
    """Tell the story on the embedded example.

    Parameters
    ----------
    engine : Engine
        An empty host; afterwards it holds the example's images and three containers.
    directory : Path
        Where `write_archives` wrote the example.
    picture : Path, optional
        The PNG file to draw the saving into.

    Yields
    ------
    Passage
        The story's pieces in order, each computed when it is asked for.
    """
    images = engine.load(directory / STORY_ARCHIVE)
    web_ping = next(image for image in images if WEB_PING in image.tags)
    yield heading("An image is a stack of read-only layers")
    yield prose(
        f"{STORY_ARCHIVE} is what `docker save` writes. It holds {_names(images)}. The newest step comes first; the "
        "steps that changed files are layers, the others only say something about the image. A loaded image knows "
        "its own id alone, so its earlier steps are <missing>."
    )
    yield from history(engine, web_ping, STORY_ARCHIVE)
    yield from logical_sizes(engine, [STORY_ARCHIVE])
    yield from disk(engine, [STORY_ARCHIVE])
    yield heading("Ten more applications, on the same base and on two others")
    images += engine.load(directory / FLEET_ARCHIVE)
    yield from saving(engine, images, [STORY_ARCHIVE, FLEET_ARCHIVE], picture)
    yield from containers(engine, web_ping, "/web-ping/app.js", _LINE)


def tell_of(
    engine: Engine, archives: Sequence[str], images: Sequence[Image], picture: Path | None
) -> Iterator[Passage]:
    """Tell the same story of images that were loaded into an engine.

    Parameters
    ----------
    engine : Engine
        The host that holds the images; afterwards it holds three containers too.
    archives : sequence of str
        Names of the archives, as one would type them.
    images : sequence of Image
        What they held, at least one image, in the order of loading.
    picture : Path, optional
        The PNG file to draw the saving into.

    Yields
    ------
    Passage
        The story's pieces in order, each computed when it is asked for.
    """
    largest = max(images, key=lambda image: image.size)
    yield heading("An image is a stack of read-only layers")
    yield prose(f"Loaded: {_names(images)}. The largest of them, newest step first:")
    yield from history(engine, largest, " ".join(archives))
    yield from logical_sizes(engine, archives)
    yield from disk(engine, archives)
    yield heading("The saving, image by image")
    yield from saving(engine, images, archives, picture)
    yield from containers(engine, largest, None, b"x")


def _names(images: Sequence[Image]) -> str:
    names = [image.tags[0] if image.tags else image.id.removeprefix("sha256:")[:12] for image in images]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
