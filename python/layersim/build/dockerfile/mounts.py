"""``RUN --mount``: what is wrong with one before any variable is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layersim.build.dockerfile.dialect import Dialect


def check_mounts(mounts: tuple[str, ...], dialect: Dialect) -> None:
    """Check what can be checked while reading."""
