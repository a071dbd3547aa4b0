"""The builder in the engine: each instruction makes an image (spec/build.md)."""

from __future__ import annotations

from layersim.build.legacy.builder import LegacyBuilder

__all__ = ["LegacyBuilder"]
