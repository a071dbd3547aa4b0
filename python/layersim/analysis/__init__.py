"""Questions across engines and fleets, asked of engines that answer one at a time."""

from __future__ import annotations

from layersim.analysis.comparison import ComparisonRow, compare_profiles

__all__ = ["ComparisonRow", "compare_profiles"]
