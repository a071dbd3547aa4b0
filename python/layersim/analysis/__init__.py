"""Questions across engines, fleets and edits, asked of engines that answer one at a time."""

from __future__ import annotations

from layersim.analysis.comparison import ComparisonRow, compare_profiles
from layersim.analysis.replay import Replay, ReplayRow, ReplaySummary, replay

__all__ = ["ComparisonRow", "Replay", "ReplayRow", "ReplaySummary", "compare_profiles", "replay"]
