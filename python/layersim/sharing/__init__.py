"""Sizes that add up: who holds which layer, what each image's part of it is, and what would really be freed."""

from __future__ import annotations

from layersim.sharing.rows import ImageShare, LayerShare
from layersim.sharing.snapshot import Sharing

__all__ = ["ImageShare", "LayerShare", "Sharing"]
