"""moby 29 with the overlay2 graphdriver: column G29 of accounting.md."""

from __future__ import annotations

from dataclasses import replace

from layersim.profiles.docker20 import DOCKER20
from layersim.profiles.docker_cli import CLI_29
from layersim.profiles.naming import GRAPH as NAMING
from layersim.profiles.sizes import CACHE_SINCE_29, unique_unused

OVERLAY2 = replace(
    DOCKER20,
    name="overlay2",
    docker_version="29.7.2",
    layer_dialect="docker29",
    save_layout="docker25",
    reclaimable=unique_unused,
    build_cache=CACHE_SINCE_29,
    naming=NAMING,
    counts_hidden=True,
    prunes_named_volumes=False,
    forms=CLI_29,
)
