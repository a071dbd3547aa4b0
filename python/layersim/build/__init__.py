"""Images made from Dockerfiles: the language, what is sent to a builder, and what the builders do with both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from layersim.build.buildkit import BuildKit
from layersim.build.context import Download
from layersim.build.dockerfile import BUILDKIT20, BUILDKIT29, LEGACY20, LEGACY29
from layersim.build.legacy import LegacyBuilder
from layersim.build.reason import Difference, Reason
from layersim.build.request import Request
from layersim.build.result import Build, Step

if TYPE_CHECKING:
    from layersim.build.dockerfile import Dialect
    from layersim.profiles import Profile

__all__ = ["Build", "BuildKit", "Difference", "Download", "LegacyBuilder", "Reason", "Request", "Step", "dialect_of"]

_DIALECTS = {"buildkit": (BUILDKIT20, BUILDKIT29), "legacy": (LEGACY20, LEGACY29)}


def dialect_of(builder: Literal["buildkit", "legacy"], profile: Profile) -> Dialect:
    """Return the dialect of a builder in an engine.

    Raises
    ------
    ValueError
        There is no such builder.
    """
    if builder not in _DIALECTS:
        raise ValueError(f"expected one of {', '.join(map(repr, _DIALECTS))}, got {builder!r}")
    old, new = _DIALECTS[builder]
    return old if profile.docker_version.startswith("20.") else new
