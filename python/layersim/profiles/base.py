"""What engines differ in, as data and small strategies: one `Profile` per engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
    save_layout : str
        The layout that `Engine.save` writes unless it is asked for another.
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
    save_layout: Literal["docker20", "docker25", "oci", "oci-dir"] = "docker20"
    network_disabled: bool = False
