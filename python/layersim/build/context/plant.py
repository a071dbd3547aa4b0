"""Making in an overlay what a tree has: the one place that creates files, links and nodes for a build."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from layersim._core import Overlay, View
from layersim.build.context.tree import SentTree, below

if TYPE_CHECKING:
    from layersim.build.context.tree import Status, Tree

PERMISSIONS = 0o7777


def make_leaf(overlay: Overlay, dest: str, tree: Tree, path: str, found: Status) -> None:
    """Make a file, link or node of a tree under a free name, root's, with its bytes and without its mode and time."""
    if stat.S_ISREG(found.st_mode):
        overlay.write_bytes(dest, tree.read_bytes(path))
        if isinstance(tree, SentTree):
            tree.taken[path] = dest
    elif stat.S_ISLNK(found.st_mode):
        overlay.symlink(tree.readlink(path), dest)
    else:
        overlay.mknod(dest, found.st_mode, found.st_rdev)


def set_time(overlay: Overlay, dest: str, mtime_ns: int) -> None:
    """Set the time of a name, of a link itself."""
    overlay.utime(dest or "/", ns=(mtime_ns, mtime_ns), follow_symlinks=False)


def planted(tree: Tree) -> View:
    """Return a tree as the view of one layer, hard links and times kept."""
    overlay = Overlay([])
    plant(tree, "", overlay)
    return View([overlay.to_layer(dialect="canonical")])


def plant(tree: Tree, root: str, overlay: Overlay) -> None:
    """Make in an empty overlay what a directory of a tree has, and make its root like that directory."""
    first_names: dict[tuple[int, int], str] = {}
    directories: list[tuple[str, Status]] = [("/", tree.lstat(root or "/"))]
    for path, found in below(tree, root):
        made = path[len(root) :].strip("/")
        if stat.S_ISDIR(found.st_mode):
            overlay.mkdir(made)
            directories.append((made, found))
            continue
        first = first_names.setdefault((found.st_dev, found.st_ino), made) if found.st_nlink > 1 else made
        if first != made:
            overlay.link(first, made)
            continue
        make_leaf(overlay, made, tree, path, found)
        _describe(overlay, made, found)
    for made, found in reversed(directories):
        _describe(overlay, made, found)


def _describe(overlay: Overlay, path: str, found: Status) -> None:
    overlay.chown(path, found.st_uid, found.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        overlay.chmod(path, found.st_mode & PERMISSIONS)
    set_time(overlay, path, found.st_mtime_ns)
