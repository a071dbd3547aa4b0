"""One file, link or node at its place, with its owner, mode, attributes and time."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from layersim.build.context.plant import make_leaf, set_time
from layersim.build.context.tree import CAPABILITY

if TYPE_CHECKING:
    from layersim._core import Overlay
    from layersim.build.context.tree import Status, Tree
    from layersim.build.copying.owners import Owner

__all__ = ["describe", "make_leaf", "set_attributes", "set_time"]


def describe(overlay: Overlay, target: str, found: Status, owner: Owner, mode: int) -> None:
    """Set owner and mode, which a link has not."""
    overlay.chown(target, *owner, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        overlay.chmod(target, mode)


def set_attributes(overlay: Overlay, target: str, tree: Tree, path: str, *, capability_only: bool = False) -> None:
    """Copy extended attributes, of a link its own."""
    for name in tree.listxattr(path, follow_symlinks=False):
        if name == CAPABILITY or not capability_only:
            overlay.setxattr(target, name, tree.getxattr(path, name, follow_symlinks=False), follow_symlinks=False)
