"""The rules by which engines say how large things are (accounting.md sections 1, 4 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.profiles.base import CacheRules

if TYPE_CHECKING:
    from layersim._core import Layer, Overlay, Upper
    from layersim.profiles.base import ImageSums

_BLOCK = 4096
# The root, /dev, /dev/pts, /dev/shm, /etc, /proc and /sys.
_MOUNT_POINTS = 7


def by_inode(layer: Layer) -> int:
    """Sum of ``st_size`` over distinct inodes of the unpacked layer, directories left out."""
    return layer.size


def by_tar(layer: Layer) -> int:
    """Sum of the ``size`` fields of the tar headers: symbolic links are free."""
    return layer.tar_size


def by_blocks(layer: Layer) -> int:
    """Whole blocks of the unpacked layer, directories included; a synthetic layer takes what it says."""
    return layer.size if layer.is_synthetic else layer.allocated_size


def written_by_inode(fs: Overlay | Upper | None) -> int:
    """Sum of ``st_size`` over distinct inodes of the upper directory."""
    return 0 if fs is None else fs.size_rw


def written_by_blocks(fs: Overlay | Upper | None) -> int:
    """Whole blocks of the upper directory, which takes one from the start."""
    return _BLOCK if fs is None else fs.allocated_rw


def whole_image(_unpacked: int, image: int) -> int:
    """All that the image counts; the engine's own mount points are counted nowhere."""
    return image


def unpacked_with_mount_points(unpacked: int, _image: int) -> int:
    """Whole blocks of the unpacked layers, and of the snapshot with the engine's mount points: seven directories."""
    return unpacked + _MOUNT_POINTS * _BLOCK


def all_but_unique_in_use(images: ImageSums) -> int:
    """All but what images with containers hold alone, as command lines up to 28 compute it."""
    return images.layers_size - images.unique_in_use


def unique_unused(images: ImageSums) -> int:
    """Sum up what images without containers hold alone, as engines since 29.4 do."""
    return images.unique_unused


CACHE_UP_TO_28 = CacheRules(
    size=lambda records: records.unshared, reclaimable=lambda records: records.unshared - records.unshared_in_use
)
CACHE_SINCE_29 = CacheRules(
    size=lambda records: records.total, reclaimable=lambda records: records.unshared - records.unshared_in_use
)
