"""moby 20.10 with the overlay2 graphdriver: column G20 of accounting.md."""

from __future__ import annotations

from types import MappingProxyType

from layersim.profiles.base import Makes, Profile
from layersim.profiles.docker_cli import Version, forms
from layersim.profiles.made import committed_config, imported_config, layered_config
from layersim.profiles.naming import GRAPH_20
from layersim.profiles.packaging import by_config
from layersim.profiles.removal import GRAPH
from layersim.profiles.sizes import (
    CACHE_UP_TO_28,
    all_but_unique_in_use,
    by_inode,
    by_tar,
    whole_image,
    written_by_inode,
)
from layersim.units import printed_width

# As accounting.md has them: the tables of command line 28, and the ages of 20.10. For one of the two to the last
# character there are `CLI_20` and `CLI_28`: `replace(DOCKER20, forms=CLI_20)`.
_TABLES = forms(Version(usage_digits=3, measure=printed_width, undates_old_steps=False))

DOCKER20 = Profile(
    name="docker20",
    docker_version="20.10.24+dfsg1",
    makes=Makes(imported_config, layered_config, committed_config),
    package=by_config,
    layer_dialect="docker20",
    save_layout="docker20",
    layer_sizes=MappingProxyType({"load": by_inode, "import": by_inode, "commit": by_inode, "build": by_tar}),
    written_size=written_by_inode,
    below_size=whole_image,
    reclaimable=all_but_unique_in_use,
    build_cache=CACHE_UP_TO_28,
    naming=GRAPH_20,
    removal=GRAPH,
    counts_hidden=False,
    sums_hidden=False,
    prunes_named_volumes=True,
    forms=_TABLES,
)
