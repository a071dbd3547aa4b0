"""A file tree as comparable values, read alike from a view, an overlay or anything with their methods."""

from __future__ import annotations

import stat
from typing import NamedTuple, Protocol

from layersim._core import sha256

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFSOCK: "socket",
}
_PRIVATE = "trusted.overlay."


class Status(Protocol):
    """The part of a stat result that is compared."""

    @property
    def st_mode(self) -> int:
        """Type and permission bits."""

    @property
    def st_nlink(self) -> int:
        """Names of the inode."""

    @property
    def st_uid(self) -> int:
        """Owner."""

    @property
    def st_gid(self) -> int:
        """Group."""

    @property
    def st_size(self) -> int:
        """Bytes."""

    @property
    def st_rdev(self) -> int:
        """What a device node stands for."""

    @property
    def st_mtime_ns(self) -> int:
        """Nanoseconds since 1970."""


class Readable(Protocol):
    """What `layersim.View` and `layersim.Overlay` have in common."""

    def lstat(self, path: str, /) -> Status:
        """Tell about a path, not following a link."""

    def listdir(self, path: str, /) -> list[str]:
        """Name what a directory holds."""

    def readlink(self, path: str, /) -> str:
        """Return the target of a link."""

    def read_bytes(self, path: str, /) -> bytes:
        """Return what a file holds."""

    def listxattr(self, path: str, /, *, follow_symlinks: bool = True) -> list[str]:
        """Name the extended attributes of a path."""

    def getxattr(self, path: str, name: str, /, *, follow_symlinks: bool = True) -> bytes:
        """Return one of them."""


class Node(NamedTuple):
    """One path of a tree: all that a reader of the file system can see.

    Attributes
    ----------
    kind : str
        ``file dir symlink fifo char block socket``.
    mode : int
        Permission bits.
    uid, gid : int
        Owner and group.
    size : int
        Bytes; 0 for a directory.
    rdev : int
        What a device node stands for; else 0.
    mtime_ns : int or None
        Nanoseconds since 1970. None for a directory, and for times that were not to be compared.
    target : str or None
        Of a symbolic link.
    xattrs : tuple of (str, bytes)
        Sorted; overlayfs's own are left out.
    content : str or None
        Digest of a regular file's bytes.
    """

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    rdev: int
    mtime_ns: int | None
    target: str | None
    xattrs: tuple[tuple[str, bytes], ...]
    content: str | None


def tree_of(
    fs: Readable, top: str = "/", *, with_xattrs: bool = True, times_before_ns: int | None = None
) -> dict[str, Node]:
    """Read a whole tree.

    Parameters
    ----------
    fs : View, Overlay or the like
        What to read.
    top : str
        Where to start; it is not part of the answer.
    with_xattrs : bool
        Whether extended attributes are read.
    times_before_ns : int, optional
        Modification times from here on count as None, so that what a clock stamped does not differ. None: all are kept.

    Returns
    -------
    dict of str to Node
        By path.

    Examples
    --------
    >>> import layersim as ls
    >>> from layersim.testing import tree_of
    >>> tree = tree_of(ls.View([ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])]))
    >>> [(path, node.kind, node.size) for path, node in tree.items()]
    [('/etc', 'dir', 0), ('/etc/motd', 'file', 5)]
    """
    nodes: dict[str, Node] = {}
    pending = [top.rstrip("/")]
    while pending:
        directory = pending.pop()
        for name in fs.listdir(directory or "/"):
            path = f"{directory}/{name}"
            nodes[path] = node_of(fs, path, with_xattrs=with_xattrs, times_before_ns=times_before_ns)
            if nodes[path].kind == "dir":
                pending.append(path)
    return nodes


def node_of(fs: Readable, path: str, *, with_xattrs: bool = True, times_before_ns: int | None = None) -> Node:
    """Read one path, not following a link in its last component; parameters as for `tree_of`."""
    found = fs.lstat(path)
    kind = KINDS[stat.S_IFMT(found.st_mode)]
    is_dir = kind == "dir"
    has_time = not is_dir and (times_before_ns is None or found.st_mtime_ns <= times_before_ns)
    return Node(
        kind=kind,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        size=0 if is_dir else found.st_size,
        rdev=found.st_rdev if kind in {"char", "block"} else 0,
        mtime_ns=found.st_mtime_ns if has_time else None,
        target=fs.readlink(path) if kind == "symlink" else None,
        xattrs=_xattrs(fs, path) if with_xattrs else (),
        content=sha256(fs.read_bytes(path)) if kind == "file" else None,
    )


def differences(expected: dict[str, Node], actual: dict[str, Node]) -> list[str]:
    """Tell where two trees disagree, one line a path; nothing when they are equal.

    Parameters
    ----------
    expected, actual : dict of str to Node
        From `tree_of`.

    Returns
    -------
    list of str
        Sorted by path.
    """
    lines = []
    for path in sorted(expected.keys() | actual.keys()):
        wanted, found = expected.get(path), actual.get(path)
        if wanted is None or found is None:
            lines.append(f"{path!r}: expected {wanted}, got {found}")
        elif wanted != found:
            lines.append(f"{path!r}: " + ", ".join(_fields(wanted, found)))
    return lines


def assert_same_tree(
    expected: Readable, actual: Readable, *, with_xattrs: bool = True, times_before_ns: int | None = None
) -> None:
    """Hold that two file systems show the same.

    Parameters
    ----------
    expected, actual : View, Overlay or the like
        What to compare.
    with_xattrs, times_before_ns
        As for `tree_of`.

    Raises
    ------
    AssertionError
        They do not; each path that differs has a line.

    Examples
    --------
    >>> import layersim as ls
    >>> from layersim.testing import assert_same_tree
    >>> fs = ls.Overlay([ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])])
    >>> fs.unlink("/etc/motd")
    >>> assert_same_tree(fs, ls.View([*fs.lower.layers, fs.to_layer()]))
    """
    trees = (tree_of(fs, with_xattrs=with_xattrs, times_before_ns=times_before_ns) for fs in (expected, actual))
    lines = differences(*trees)
    if lines:
        raise AssertionError("\n".join(["the trees differ:", *lines]))


def _xattrs(fs: Readable, path: str) -> tuple[tuple[str, bytes], ...]:
    names = sorted(name for name in fs.listxattr(path, follow_symlinks=False) if not name.startswith(_PRIVATE))
    return tuple((name, fs.getxattr(path, name, follow_symlinks=False)) for name in names)


def _fields(wanted: Node, found: Node) -> list[str]:
    return [
        f"{name} {getattr(wanted, name)!r} became {getattr(found, name)!r}"
        for name in Node._fields
        if getattr(wanted, name) != getattr(found, name)
    ]
