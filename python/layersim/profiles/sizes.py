"""The rules by which engines say how large a layer is (accounting.md section 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layersim._core import Layer


def by_inode(layer: Layer) -> int:
    """Sum of ``st_size`` over distinct inodes of the unpacked layer, directories left out."""
    return layer.size


def by_tar(layer: Layer) -> int:
    """Sum of the ``size`` fields of the tar headers: symbolic links are free."""
    return layer.tar_size
