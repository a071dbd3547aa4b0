"""A tree of files to copy from: of the host, or any view of layers."""

from __future__ import annotations

import hashlib
import os
import stat
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import msgspec

from layersim._core import hash_files
from layersim.errors import BuildError, PathNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LINKS_MAX = 255
CAPABILITY = "security.capability"


class Status(Protocol):
    """What a tree tells of a name; as ``os.stat_result``, as far as copying asks."""

    @property
    def st_mode(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_uid(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_gid(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_size(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_mtime_ns(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_nlink(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_dev(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_ino(self) -> int:
        """As in ``os.stat_result``."""

    @property
    def st_rdev(self) -> int:
        """As in ``os.stat_result``."""


class Names(Protocol):
    """Names and links: what following a path needs."""

    def lstat(self, path: str, /) -> Status:
        """Return what a name is, without following a link."""

    def readlink(self, path: str, /) -> str:
        """Return the target of a link."""


class Tree(Names, Protocol):
    """What can be copied from: a `View`, an `Overlay`, or what was sent from a directory."""

    def listdir(self, path: str, /) -> list[str]:
        """Return the names in a directory, sorted."""

    def read_bytes(self, path: str, /) -> bytes:
        """Return the bytes of a file."""

    def listxattr(self, path: str, /, *, follow_symlinks: bool) -> list[str]:
        """Return the names of attributes."""

    def getxattr(self, path: str, attribute: str, /, *, follow_symlinks: bool) -> bytes:
        """Return an attribute."""


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One name of a directory's context. Builders make every file root's."""

    st_mode: int
    st_size: int = 0
    st_mtime_ns: int = 0
    st_ctime_ns: int = 0
    st_nlink: int = 1
    st_dev: int = 0
    st_ino: int = 0
    st_rdev: int = 0
    st_uid: int = 0
    st_gid: int = 0
    target: str = ""
    capability: bytes = b""
    is_implied: bool = False


class SentTree:
    """What a directory sends: names and what is known of them; bytes are read when they are wanted.

    Parameters
    ----------
    root : bytes
        The directory on the host.
    names : Mapping of str to Sent
        By path, relative to the root, parents first and names sorted.

    Attributes
    ----------
    memo : dict
        What was worked out from names, by what was asked.
    sums : dict
        What was worked out from bytes, by what was asked.
    known : dict of str to bytes
        Digests of files.
    modes : dict of str to int
        Modes that directories count with, where those are not their own.
    taken : dict of str to str
        Where in an overlay files were put.
    """

    def __init__(self, root: bytes, names: Mapping[str, Sent]) -> None:
        self.root = root
        self.names = names
        self.memo: dict[object, object] = {}
        self.sums: dict[object, bytes] = {}
        self.known: dict[str, bytes] = {}
        self.modes: dict[str, int] = {}
        self.taken: dict[str, str] = {}

    def host_path(self, path: str) -> bytes:
        """Return the place of a name on the host."""
        return self.root + b"/" + path.encode(errors="surrogateescape")

    def lstat(self, path: str, /) -> Sent:
        """Return what was sent of a name."""
        found = self.names.get(path.strip("/"))
        if found is None:
            raise PathNotFoundError(2, "No such file or directory", path)
        return found

    def readlink(self, path: str, /) -> str:
        """Return the target of a link."""
        return self.lstat(path).target

    @cached_property
    def _first_names(self) -> dict[str, str]:
        """The first name of each file that has several, by the others."""
        firsts: dict[tuple[int, int], str] = {}
        files = ((path, one) for path, one in self.names.items() if one.st_nlink > 1 and stat.S_ISREG(one.st_mode))
        named = ((path, firsts.setdefault((one.st_dev, one.st_ino), path)) for path, one in files)
        return {path: first for path, first in named if first != path}

    def first_name(self, path: str) -> str:
        """Return the name under which a file was sent before; an empty one where this is the first."""
        return self._first_names.get(path, "")

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        children: dict[str, list[str]] = {path: [] for path, sent in self.names.items() if stat.S_ISDIR(sent.st_mode)}
        for path in self.names:
            parent, _, name = path.rpartition("/")
            if name:
                children[parent].append(name)
        return children

    @cached_property
    def _order(self) -> tuple[list[tuple[str, Sent]], dict[str, int]]:
        """All names with what was sent, and where each stands; what is below a directory follows it."""
        return list(self.names.items()), {path: at for at, path in enumerate(self.names)}

    def below(self, directory: str) -> list[tuple[str, Sent]]:
        """Return all that is below a directory, parents first, names sorted."""
        items, places = self._order
        first, start = places.get(directory, -1) + 1, f"{directory}/" if directory else ""
        others = (at for at in range(first, len(items)) if not items[at][0].startswith(start))
        return items[first : next(others, len(items)) if start else None]

    def listdir(self, path: str, /) -> list[str]:
        """Return the names in a directory."""
        return self._children[path.strip("/")]

    def read_bytes(self, path: str, /) -> bytes:
        """Return the bytes of a file, as they are now."""
        try:
            # What came into its place since it was listed is not followed, nor waited for.
            opened = os.open(self.host_path(path.strip("/")), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(opened, "rb") as file:
                return file.read()
        except OSError as error:
            raise BuildError(f"cannot read {path.strip('/')!r}: {error.strerror}") from error

    def listxattr(self, path: str, /, *, follow_symlinks: bool) -> list[str]:
        """Return the names of attributes: a capability, or none. A link has none, so none is followed."""
        return [CAPABILITY] if self.lstat(path).capability and not follow_symlinks else []

    def getxattr(self, path: str, _attribute: str, /, *, follow_symlinks: bool) -> bytes:
        """Return the capability of a file. A link has none, so none is followed."""
        return b"" if follow_symlinks else self.lstat(path).capability

    def digests(self, paths: Sequence[str]) -> list[bytes]:
        """Return the SHA-256 of files, each read once a context, on all cores."""
        missing = [path for path in dict.fromkeys(paths) if path not in self.known]
        self.known.update(zip(missing, self.hashed(missing, None), strict=True))
        return [self.known[path] for path in paths]

    def hashed(self, paths: Sequence[str], heads: Sequence[bytes] | None) -> list[bytes]:
        """Return the SHA-256 of files, each with a head before its bytes, on all cores."""
        if not paths:
            return []
        try:
            joined = hash_files([self.host_path(path) for path in paths], heads)
        except OSError as error:
            raise BuildError(str(error)) from error
        return [joined[at : at + 32] for at in range(0, len(joined), 32)]


def file_digests(tree: Tree, paths: Sequence[str], heads: Sequence[bytes] | None = None) -> list[bytes]:
    """Return the SHA-256 of files of a tree, each with a head before its bytes."""
    if isinstance(tree, SentTree):
        return tree.digests(paths) if heads is None else tree.hashed(paths, heads)
    before: Iterable[bytes] = [b""] * len(paths) if heads is None else heads
    return [hashlib.sha256(head + tree.read_bytes(path)).digest() for head, path in zip(before, paths, strict=True)]


def status(tree: Names, path: str) -> Status | None:
    """Return what a tree knows of a path whose parents are directories, or None."""
    try:
        return tree.lstat(path or "/")
    except (FileNotFoundError, NotADirectoryError):
        return None


def below_file(tree: Names, place: str) -> str:
    """Return the first name on the way to a place that would lie in what is no directory; else nothing."""
    here = ""
    for part in place.split("/"):
        found = status(tree, here) if here else None
        here = f"{here}/{part}" if here else part
        if found is not None and not stat.S_ISDIR(found.st_mode):
            return here
    return ""


class LinkLoopError(Exception):
    """A path leads through more links than an engine follows."""


def resolve(tree: Names, path: str, *, follow_last: bool = True) -> str:
    """Return a path with its links followed, none of them out of the tree; what is missing stays as it is.

    Raises
    ------
    LinkLoopError
        After `LINKS_MAX` links.
    """
    pending = [part for part in reversed(path.split("/")) if part not in {"", "."}]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            del done[-1:]
            continue
        here = "/".join([*done, part])
        found = status(tree, here) if pending or follow_last else None
        if found is None or not stat.S_ISLNK(found.st_mode):
            done.append(part)
            continue
        links += 1
        if links > LINKS_MAX:
            raise LinkLoopError(path)
        target = tree.readlink(here)
        if target.startswith("/"):
            done.clear()
        pending += [step for step in reversed(target.split("/")) if step not in {"", "."}]
    return "/".join(done)


def below(tree: Tree, directory: str) -> Iterable[tuple[str, Status]]:
    """Return all that is below a directory, parents first, names sorted: path and status."""
    return tree.below(directory) if isinstance(tree, SentTree) else _below(tree, directory)


def _below(tree: Tree, directory: str) -> Iterator[tuple[str, Status]]:
    for name in tree.listdir("/" + directory):
        path = f"{directory}/{name}" if directory else name
        found = tree.lstat(path)
        yield path, found
        if stat.S_ISDIR(found.st_mode):
            yield from _below(tree, path)
