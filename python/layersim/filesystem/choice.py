"""Which merged view the options of a file system mean: that of one image in an archive or a saved engine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem

from layersim._core import View
from layersim.engine import Engine
from layersim.errors import ImageNotFoundError
from layersim.state import is_state

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from layersim.image import Image

# So many archives stay open for those who come back to them, as libraries do that take a URL at each call.
_KEPT = 16


class Wish(NamedTuple):
    """One image: its tag or id, None where there is no choice; the platform to take of an index."""

    image: str | None = None
    platform: str | None = None


class _Stamp(NamedTuple):
    """By what a file is told from one that took its place."""

    device: int
    inode: int
    size: int
    mtime_ns: int


def view_at(path: str | os.PathLike[str], wish: Wish) -> View:
    """Return the view of an image in an archive, or of a saved engine, on this machine.

    Raises
    ------
    ImageNotFoundError
        It holds no such image.
    ValueError
        It holds several, and nothing says which.
    OSError, LayerSimError
        It cannot be read, or is refused.
    """
    place = Path(path).absolute()
    return _view_at(place, _stamps(place), wish)


def view_in(url: str, wish: Wish, protocol: str | None, options: Mapping[str, object] | None) -> View:
    """Return the view of an image in an archive that a URL of fsspec names; one that is far away is read whole."""
    file = fsspec.open(url, mode="rb", protocol=protocol, **(options or {}))
    if isinstance(file.fs, LocalFileSystem):
        return view_at(file.path, wish)
    with file as opened:
        return _chosen(_loaded(opened.read(), wish), url, wish)


def forget_views() -> None:
    """Let go of the archives that were kept open."""
    _view_at.cache_clear()


def _stamps(place: Path) -> tuple[_Stamp, ...]:
    """Return what changes when an archive is replaced; a directory is replaced when its documents are."""
    found = [place.stat()]
    if place.is_dir():
        found += [child.stat() for child in sorted(place.iterdir())]
    return tuple(_Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) for status in found)


@lru_cache(maxsize=_KEPT)
def _view_at(place: Path, _: tuple[_Stamp, ...], wish: Wish) -> View:
    return _chosen(_opened(place) if is_state(place) else _loaded(place, wish), str(place), wish)


def _loaded(archive: Path | bytes, wish: Wish) -> Engine:
    engine = Engine()
    engine.load(archive, platform=wish.platform)
    return engine


def _opened(place: Path) -> Engine:
    engine = Engine.open(place)
    # Who only reads does not keep others out.
    engine.close()
    return engine


def _chosen(engine: Engine, name: str, wish: Wish) -> View:
    if wish.image is not None:
        return View(_named(engine, name, wish.image).layers)
    images = [engine.get_image(row.id) for row in engine.images()]
    if not images:
        raise ImageNotFoundError(f"{name!r} holds no image")
    if len(images) > 1:
        raise ValueError(f"{name!r} holds {len(images)} images: expected image= to be one of {_choices(images)}")
    return View(images[0].layers)


def _named(engine: Engine, name: str, ref: str) -> Image:
    try:
        return engine.get_image(ref)
    except ImageNotFoundError as error:
        images = [engine.get_image(row.id) for row in engine.images()]
        raise ImageNotFoundError(f"{name!r} holds no image {ref!r}, but {_choices(images) or 'none'}") from error


def _choices(images: Sequence[Image]) -> str:
    return ", ".join(repr(name) for image in images for name in image.tags or (image.id,))
