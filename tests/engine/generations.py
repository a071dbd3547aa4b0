"""The profile of an engine at hand: its generation's, with what this very version does otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layersim.profiles import CLI_20, CLI_28, CLI_29, CONTAINERD, DOCKER20, OVERLAY2
from layersim.profiles.sizes import all_but_unique_in_use, unique_unused

if TYPE_CHECKING:
    from layersim.profiles import Profile
    from layersim.profiles.form import Forms
    from tests.engine.daemon import Daemon

SHARES_CONTENT_SINCE = 29
"""The first version whose SHARED SIZE counts blobs beside snapshots."""


def profile_of(daemon: Daemon) -> Profile:
    """Return what describes this daemon behind this command line.

    Up to version 28 it is the command line that computes what could be freed, and the tables are its own.
    """
    generation = _generation(daemon)
    old_client = daemon.client_major() <= 28
    return replace(
        generation,
        docker_version=daemon.version(),
        forms=_forms(daemon.client_major()),
        reclaimable=all_but_unique_in_use if old_client else unique_unused,
        shares_content=daemon.major() >= SHARES_CONTENT_SINCE,
    )


def _generation(daemon: Daemon) -> Profile:
    if daemon.keeps_snapshots:
        return CONTAINERD
    return DOCKER20 if daemon.major() < 24 else OVERLAY2


def _forms(client_major: int) -> Forms:
    if client_major <= 20:
        return CLI_20
    return CLI_28 if client_major <= 28 else CLI_29
