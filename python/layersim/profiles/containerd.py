"""moby 29 with the containerd image store, overlayfs snapshots on ext4: column C29 of accounting.md."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from layersim.profiles.base import Makes
from layersim.profiles.made_oci import committed_config, imported_config, layered_config
from layersim.profiles.naming import CONTAINERD as NAMING
from layersim.profiles.overlay2 import OVERLAY2
from layersim.profiles.packaging import by_manifest
from layersim.profiles.removal import CONTAINERD as REMOVAL
from layersim.profiles.sizes import by_blocks, unpacked_with_mount_points, written_by_blocks

CONTAINERD = replace(
    OVERLAY2,
    name="containerd",
    makes=Makes(imported_config, layered_config, committed_config),
    package=by_manifest,
    layer_dialect="containerd",
    save_layout="oci",
    prefers="index",
    layer_sizes=MappingProxyType(dict.fromkeys(("load", "import", "commit", "build"), by_blocks)),
    written_size=written_by_blocks,
    below_size=unpacked_with_mount_points,
    naming=NAMING,
    removal=REMOVAL,
    counts_hidden=False,
    sums_hidden=True,
    keeps_blobs=True,
    tells_renaming=False,
    reads_inline_caches=False,
    restores_empty_steps=False,
)
