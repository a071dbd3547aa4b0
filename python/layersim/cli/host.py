"""From the words of a command to images: which word is an archive, and which image of it is meant."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

from layersim.cli.failure import InputError
from layersim.engine import Engine
from layersim.errors import ImageNotFoundError, InvalidReferenceError, LayerSimError
from layersim.image import parse_reference
from layersim.profiles import PROFILE_NAMES
from layersim.state import is_state
from layersim.units import short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layersim.image import Image


class Host:
    """An engine and the archives that a command names.

    An *image word* is an ``ARCHIVE``, meaning all images in it; one of them as ``ARCHIVE#REF``; or a ``REF``
    alone, meaning an image of the archives that are loaded already. A word is an archive when a file or
    directory of that name exists; the first one may be a saved engine.

    Parameters
    ----------
    profile : str or None
        The engine to be like; None: the first of all, or what a saved one is like.
    clock : callable, optional
        The present; the wall clock by default.
    archives : iterable of str
        Archives to load first (``-f``).
    writes : bool, default False
        Keep a saved engine locked, for it will be saved again; who asks for it closes `engine`.
    """

    def __init__(
        self,
        profile: str | None,
        clock: Callable[[], int] | None,
        archives: Iterable[str] = (),
        *,
        writes: bool = False,
    ) -> None:
        self._writes = writes
        self._clock = time_ns if clock is None else clock
        self._profile = profile
        self.engine = Engine(profile=profile or PROFILE_NAMES[0], clock=self._clock)
        self._loaded: dict[str, list[Image]] = {}
        for archive in archives:
            self.load(archive)

    @property
    def images(self) -> list[Image]:
        """All images that were loaded, in the order of loading, each once."""
        return list(dict.fromkeys(image for images in self._loaded.values() for image in images))

    def load(self, archive: str, platform: str | None = None) -> list[Image]:
        """Load an archive, or open a saved engine, once; with a platform, the images for it alone.

        Raises
        ------
        InputError
            If it cannot be read or is refused, or a saved engine comes after something else.
        """
        if not _is_archive(archive):
            raise InputError(archive, "no such archive")
        if archive not in self._loaded:
            try:
                self._loaded[archive] = (
                    self._opened(archive) if is_state(Path(archive)) else self._read(archive, platform)
                )
            except (LayerSimError, OSError) as error:
                raise InputError(archive, error) from error
        return self._loaded[archive]

    def _read(self, archive: str, platform: str | None) -> list[Image]:
        with progress_bar(f"reading {Path(archive).name}") as progress:
            return self.engine.load(archive, platform=platform, progress=progress)

    def _opened(self, state: str) -> list[Image]:
        """Go on with a saved engine, of whatever profile it is; archives that come after it are loaded into it."""
        if self._loaded:
            raise InputError(state, "a saved engine comes before all archives, and alone of its kind")
        self.engine = Engine.open(state, clock=self._clock)
        if not self._writes:
            self.engine.close()  # a command that only reads does not keep others out while it works
        if self._profile not in {None, self.engine.profile.name}:
            raise InputError(state, f"a saved engine is {self.engine.profile.name}, and cannot be {self._profile}")
        return [self.engine.get_image(row.id) for row in self.engine.images(all=True)]

    def named(self, words: Sequence[str]) -> list[Image]:
        """Return the images that words name.

        Where a word is a bare ``REF``, the bare archives only supply it: ``a.tar web-ping`` is one image.
        """
        bare = {word: self.load(word) for word in words if _is_archive(word)}
        others = [self._one(word) for word in words if word not in bare]
        if any("#" not in word for word in words if word not in bare):
            return others
        chosen = [image for images in bare.values() for image in images] + others
        return list(dict.fromkeys(chosen)) or self.images

    def one(self, word: str) -> Image:
        """Return the one image that a word names.

        Raises
        ------
        InputError
            If the word is an archive of several images, or names none.
        """
        if not _is_archive(word):
            return self._one(word)
        images = self.load(word)
        if len(images) != 1:
            choices = ", ".join(f"{word}#{_name(image)}" for image in images)
            raise InputError(word, f"holds {len(images)} images; name one of {choices}" if images else "holds no image")
        return images[0]

    def _one(self, word: str) -> Image:
        archive, mark, reference = word.rpartition("#")
        if mark and _is_archive(archive):
            return self._member(archive, reference)
        if not self._loaded:
            raise InputError(word, "no such archive")
        try:
            return self.engine.get_image(word)
        except (ImageNotFoundError, InvalidReferenceError) as error:
            raise InputError(word, "no such archive, and no image of that name was loaded") from error

    def _member(self, archive: str, reference: str) -> Image:
        images = self.load(archive)
        found = [image for image in images if _answers(image, reference)]
        if len(found) != 1:
            held = ", ".join(_name(image) for image in images)
            raise InputError(f"{archive}#{reference}", f"expected one image of {archive}, which holds {held}")
        return found[0]


def _is_archive(word: str) -> bool:
    return bool(word) and Path(word).exists()


def _name(image: Image) -> str:
    return image.tags[0] if image.tags else short_id(image.id)


def _answers(image: Image, reference: str) -> bool:
    digits = image.id.removeprefix("sha256:")
    if reference and digits.startswith(reference.removeprefix("sha256:")):
        return True
    with suppress(InvalidReferenceError):
        return str(parse_reference(reference)) in image.tags
    return False


@contextmanager
def progress_bar(work: str, *, counts_bytes: bool = True) -> Iterator[Callable[[int, int], object]]:
    """Show on a terminal how far some work is; give what to tell of it."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn() if counts_bytes else MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(work, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
