"""One simulated host, and what its commands give back."""

from __future__ import annotations

from layersim.engine.disk_usage import DiskUsage
from layersim.engine.host import Engine
from layersim.engine.loading import Loaded
from layersim.engine.pruning import Pruned
from layersim.engine.removal import Removed

__all__ = ["DiskUsage", "Engine", "Loaded", "Pruned", "Removed"]
