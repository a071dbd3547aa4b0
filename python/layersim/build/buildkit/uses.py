"""Which records of its cache a build by BuildKit uses: what it needs the files of, and what it makes the image of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.cache import Start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layersim.build.request import Host
    from layersim.image import Image

_BASE = "from local "
"""What BuildKit calls the record of a base."""


def key_of_image(image: Image) -> str:
    """Return what the files of an image are known by."""
    return (image.chain_ids or (image.config_digest,))[-1]


class Uses:
    """What one build uses.

    A step that is found is not looked into: only what a step that runs stands on or copies from counts, and the end of
    the target. 20.10 counts all that the target stands on.

    Parameters
    ----------
    host : Host
        The engine.
    is_old : bool
        Whether it is that of 20.10.
    """

    def __init__(self, host: Host, *, is_old: bool) -> None:
        self._host, self._is_old = host, is_old
        self._bases: dict[str, Image] = {}
        self._needed: set[str] = set()
        self._ran: set[str] = set()

    def add_base(self, image: Image) -> str:
        """Take an image in that a stage stands on, or that is copied from; return its key."""
        key = key_of_image(image)
        self._bases[key] = image
        return key

    def ran(self, key: str, needed: Iterable[str]) -> None:
        """Note a step that ran, and the keys of what it needed."""
        self._ran.add(key)
        self._needed.update(needed)

    def count(self, ends: Iterable[str], chain: Iterable[str]) -> None:
        """Let the cache count it.

        Parameters
        ----------
        ends : iterable of str
            The keys of the steps whose layers the build came to.
        chain : iterable of str
            The keys of what that stands on.
        """
        used = self._needed | {*ends, *(chain if self._is_old else ())}
        for key in sorted(used - self._ran):
            if key not in self._bases:
                self._host.use_step(key)
            elif layers := self._bases[key].layers:
                self._host.note_start(Start(f"{_BASE}{key}", _BASE, layers=layers))
