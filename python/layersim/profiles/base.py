"""What engines differ in, as data and small strategies: one `Profile` per engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from layersim._core import Layer, Overlay, Upper
    from layersim.image import HistoryEntry, Image
    from layersim.image.document import Json
    from layersim.layout import ArchivedImage
    from layersim.profiles.commit import Commit
    from layersim.profiles.form import Forms
    from layersim.profiles.naming import Naming
    from layersim.profiles.packaging import Package
    from layersim.profiles.removal import RemovalRules

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

    class CacheSums(Protocol):
        """What the summary of the build cache is computed from."""

        @property
        def total(self) -> int:
            """Bytes of all records."""
            ...

        @property
        def unshared(self) -> int:
            """Bytes of the records whose layer no image holds."""
            ...

        @property
        def unshared_in_use(self) -> int:
            """Bytes of those of them that are in use."""
            ...


SaveLayout: TypeAlias = Literal["docker20", "docker25", "oci", "oci-dir"]


@dataclass(frozen=True)
class Makes:
    """How an engine writes the configs of images that it makes itself.

    Attributes
    ----------
    imported, layered, committed : callable
        For a root file system, for layers at hand, for a container.
    """

    imported: Callable[[Profile, str, int, str, Json], bytes]
    layered: Callable[[Profile, tuple[str, ...], int, tuple[HistoryEntry, ...], Json], bytes]
    committed: Callable[[Profile, Image, Commit], bytes]


@dataclass(frozen=True)
class CacheRules:
    """How an engine sums up its build cache (accounting.md section 4).

    Attributes
    ----------
    size, reclaimable : callable
        From the sums over all records to the cells of the summary.
    """

    size: Callable[[CacheSums], int]
    reclaimable: Callable[[CacheSums], int]


@dataclass(frozen=True)
class Profile:
    """One engine's quirks.

    Attributes
    ----------
    name : str
        What `Engine(profile=...)` calls it.
    docker_version, architecture, os : str
        What it writes into configs it makes.
    makes : Makes
        How it writes them.
    package : callable
        What it makes of an image that comes in: its id, and the blobs kept beside the unpacked layers.
    deepest_chain : int
        The largest number of layers of one image.
    layer_dialect : str
        How it writes the tar of a commit (`Overlay.to_layer`).
    save_layout : str
        What `save` writes.
    prefers : {"manifest", "index"}
        Which document of an archive that has both it loads from.
    layer_sizes : mapping of str to callable
        D(L) by the way in: ``load``, ``import``, ``commit``, ``build`` (accounting.md section 1).
    written_size : callable
        Bytes of a container's own writes, of its file system; of None before it was looked into.
    below_size : callable
        Bytes of what lies below a container's own writes, of the unpacked layers and of its whole image.
    counts_hidden : bool
        Whether images that no list shows make layers shared (accounting.md section 3).
    sums_hidden : bool
        Whether the summary of images counts the layers that only such images hold.
    shares_content : bool
        Whether a blob that several images hold counts as shared.
    reclaimable : callable
        What the summary says could be freed (accounting.md section 4).
    build_cache : CacheRules
        The same for the build cache.
    naming : Naming
        How it finds an image by what it is called.
    removal : RemovalRules
        What removing an image checks and tells.
    keeps_blobs : bool
        Whether the blobs of images are kept as they came, and saved so.
    tells_renaming : bool
        Whether loading says that a tag was taken from another image.
    prunes_named_volumes : bool
        Whether pruning volumes takes those with a name unless asked to.
    forms : Forms
        How its command line writes tables.
    reads_inline_caches : bool
        Whether BuildKit finds the cache that an image of the engine carries; or else it asks a registry alone.
    restores_empty_steps : bool
        Whether the legacy builder can take a step without a layer from the history of an image.
    network_disabled : bool
        Whether the engine runs without a bridge, which it writes into the configs of containers that it starts.
    """

    name: str
    docker_version: str
    makes: Makes
    package: Callable[[ArchivedImage, str], Package]
    layer_dialect: str
    save_layout: SaveLayout
    layer_sizes: Mapping[str, Callable[[Layer], int]]
    written_size: Callable[[Overlay | Upper | None], int]
    below_size: Callable[[int, int], int]
    reclaimable: Callable[[ImageSums], int]
    build_cache: CacheRules
    naming: Naming
    removal: RemovalRules
    counts_hidden: bool
    sums_hidden: bool
    forms: Forms
    shares_content: bool = True
    keeps_blobs: bool = False
    tells_renaming: bool = True
    prunes_named_volumes: bool = False
    prefers: Literal["manifest", "index"] = "manifest"
    architecture: str = "amd64"
    os: str = "linux"
    deepest_chain: int = 125
    reads_inline_caches: bool = True
    restores_empty_steps: bool = True
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
