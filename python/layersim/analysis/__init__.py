"""Questions across engines, fleets and edits, asked of engines that answer one at a time."""

from __future__ import annotations

from layersim.analysis.comparison import ComparisonRow, compare_profiles
from layersim.analysis.replay import Replay, ReplayRow, ReplaySummary, replay
from layersim.analysis.suggest import Suggestion, Suggestions, suggest

__all__ = [
    "ComparisonRow",
    "Replay",
    "ReplayRow",
    "ReplaySummary",
    "Suggestion",
    "Suggestions",
    "compare_profiles",
    "replay",
    "suggest",
]
