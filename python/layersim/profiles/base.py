"""What engines differ in, as data and small strategies: one `Profile` per engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from layersim._core import Layer
    from layersim.profiles.form import Forms

    class ImageSums(Protocol):
        """What the summary of images is computed from."""

        @property
        def layers_size(self) -> int:
            """Every counted layer once."""
            ...

        @property
        def unique_in_use(self) -> int:
            """Sum of UNIQUE SIZE over the images that have containers."""
            ...

        @property
        def unique_unused(self) -> int:
            """Sum of UNIQUE SIZE over the images that have none."""
            ...


@dataclass(frozen=True)
class Profile:
    """One engine's quirks.

    Attributes
    ----------
    name : str
        What `Engine(profile=...)` calls it.
    docker_version, architecture, os : str
        What it writes into configs it makes.
    deepest_chain : int
        The largest number of layers of one image.
    layer_dialect : str
        How it spells the tar of a commit (`Overlay.to_layer`).
    layer_sizes : mapping of str to callable
        D(L) by the way in: ``load``, ``import``, ``commit``, ``build`` (accounting.md section 1).
    counts_hidden : bool
        Whether images that no list shows make layers shared (accounting.md section 3).
    reclaimable : callable
        What the summary says could be freed (accounting.md section 4).
    forms : Forms
        How its command line writes tables.
    network_disabled : bool
        Whether the engine runs without a bridge, which it writes into the configs of containers that it starts.
    """

    name: str
    docker_version: str
    layer_dialect: str
    layer_sizes: Mapping[str, Callable[[Layer], int]]
    reclaimable: Callable[[ImageSums], int]
    counts_hidden: bool
    forms: Forms
    architecture: str = "amd64"
    os: str = "linux"
    deepest_chain: int = 125
    network_disabled: bool = False

    def size_rule(self, way: str) -> Callable[[Layer], int]:
        """Return D(L) for layers that come in by this way.

        Raises
        ------
        ValueError
            There is no such way; the message lists those there are.
        """
        if way not in self.layer_sizes:
            ways = ", ".join(map(repr, sorted(self.layer_sizes)))
            raise ValueError(f"expected a way in which layers come in, one of {ways}, got {way!r}")
        return self.layer_sizes[way]
