"""An image: a config, and the layers that it names, base first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from layersim._core import chain_ids, sha256
from layersim.image import instant

if TYPE_CHECKING:
    from datetime import datetime

    from layersim._core import Layer
    from layersim.image.config import ImageConfig


@dataclass(frozen=True, eq=False)
class Image:
    """An image as an engine holds it, seen at one moment: later tagging makes new values.

    Attributes
    ----------
    id : str
        ``sha256:`` and the digest of `raw_config`; with the containerd image store, of what its tag points at.
    tags : tuple of str
        Familiar references, sorted.
    layers : tuple of Layer
        Base first.
    layer_sizes : tuple of int
        What each layer takes, in bytes, as it was recorded when its chain id first came in.
    config : ImageConfig
        The typed config.
    raw_config : bytes
        The config, verbatim.
    parent : str or None
        Id of the image it was committed from, where the engine knows.
    content_size : int
        Bytes of manifests, configs and packed layers, where the engine keeps them beside the unpacked layers.
    """

    id: str
    tags: tuple[str, ...]
    layers: tuple[Layer, ...] = field(repr=False)
    layer_sizes: tuple[int, ...] = field(repr=False)
    config: ImageConfig = field(repr=False)
    raw_config: bytes = field(repr=False)
    parent: str | None = field(default=None, repr=False)
    content_size: int = field(default=0, repr=False)

    @property
    def size(self) -> int:
        """Bytes of all layers: every position of the chain counts, nothing is ever subtracted; and `content_size`."""
        return sum(self.layer_sizes) + self.content_size

    @cached_property
    def config_digest(self) -> str:
        """The digest of `raw_config`, which archives call it by, whatever its engine does."""
        return sha256(self.raw_config)

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """Digests of the uncompressed layer tars, base first."""
        return self.config.diff_ids

    @cached_property
    def chain_ids(self) -> tuple[str, ...]:
        """Digests of the stacks up to each layer, base first."""
        return tuple(chain_ids(self.diff_ids))

    @property
    def created(self) -> datetime:
        """When the config says that the image was made; year 1 where it does not say."""
        return instant.to_datetime(instant.parse(self.config.created or instant.UNKNOWN))

    def __eq__(self, other: object) -> bool:
        """Images are equal when their ids are, whatever they are called."""
        return self.id == other.id if isinstance(other, Image) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash of the id."""
        return hash(self.id)
