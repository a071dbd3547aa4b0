"""moby 20.10 with the overlay2 graphdriver: column G20 of accounting.md."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from layersim.profiles.base import Profile
from layersim.profiles.docker_cli import Version, forms
from layersim.profiles.sizes import by_inode, by_tar
from layersim.units import display_width

if TYPE_CHECKING:
    from layersim.profiles.base import ImageSums

# As accounting.md has them: the tables of command line 28, and the ages of 20.10. For one of the two to the last
# character there are `CLI_20` and `CLI_28`: `replace(DOCKER20, forms=CLI_20)`.
_TABLES = forms(Version(usage_digits=3, measure=display_width, undates_old_steps=False))


def _reclaimable(images: ImageSums) -> int:
    """All but what images with containers hold alone, as the CLI up to 28 computes it."""
    return images.layers_size - images.unique_in_use


DOCKER20 = Profile(
    name="docker20",
    docker_version="20.10.24+dfsg1",
    layer_dialect="docker20",
    layer_sizes=MappingProxyType({"load": by_inode, "import": by_inode, "commit": by_inode, "build": by_tar}),
    reclaimable=_reclaimable,
    counts_hidden=False,
    forms=_TABLES,
)
