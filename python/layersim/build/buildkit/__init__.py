"""BuildKit: stages as a graph of operations, each found by a key of its inputs (spec/build.md)."""

from __future__ import annotations

from layersim.build.buildkit.builder import BuildKit

__all__ = ["BuildKit"]
