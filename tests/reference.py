"""The union of layers in the plainest Python: nested dicts, one rule a line (overlay.md section 1).

A layer's *sketch* maps names to `File`, `Link`, `Gone` or `Folder`; a merged tree is the same without `Gone`.
"""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import layersim as ls
from tests.tars import BORN, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class File:
    """A regular file."""

    data: bytes
    mode: int = 0o644

    @property
    def mtime(self) -> int:
        """A time that tells contents apart, as a clock would."""
        return 1 + zlib.crc32(self.data) % 1_000_000_000


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Gone:
    """A whiteout."""


@dataclass(frozen=True)
class Folder:
    """A directory; an opaque one hides what is below it."""

    children: dict[str, Thing] = field(default_factory=dict)
    mode: int = 0o755
    is_opaque: bool = False

    def __hash__(self) -> int:
        """Never needed, never the same."""
        raise TypeError("a folder is compared, not hashed")


Thing: TypeAlias = File | Link | Gone | Folder


def merged(lower: Folder, upper: Folder) -> Folder:
    """Return what shows where one folder lies on another."""
    children = {} if upper.is_opaque else dict(lower.children)
    for name, thing in upper.children.items():
        below = children.get(name)
        if isinstance(thing, Gone):
            children.pop(name, None)
        elif isinstance(thing, Folder):
            children[name] = merged(below if isinstance(below, Folder) else Folder(), thing)
        else:
            children[name] = thing
    return Folder(children, upper.mode)


def union(sketches: list[Folder]) -> Folder:
    """Return what a stack shows, base first; a root is never opaque."""
    tree = Folder()
    for sketch in sketches:
        tree = merged(tree, Folder(sketch.children))
    return tree


def paths(folder: Folder, top: str = "") -> Iterator[tuple[str, Thing]]:
    """Yield everything below a folder, parents first."""
    for name, thing in sorted(folder.children.items()):
        yield f"{top}/{name}", thing
        if isinstance(thing, Folder):
            yield from paths(thing, f"{top}/{name}")


def entries(sketch: Folder) -> list[Entry]:
    """Return the members of a layer's tar."""
    found = []
    for path, thing in paths(sketch):
        name, parent = path[1:], path[1:].rpartition("/")[0]
        if isinstance(thing, File):
            found.append(Entry(name, content=thing.data, mode=thing.mode, mtime=thing.mtime))
        elif isinstance(thing, Link):
            found.append(Entry(name, tarfile.SYMTYPE, target=thing.target, mode=0o777))
        elif isinstance(thing, Folder):
            found.append(Entry(name, tarfile.DIRTYPE, mode=thing.mode))
            if thing.is_opaque:
                found.append(Entry(f"{name}/.wh..wh..opq"))
        else:
            found.append(Entry(f"{parent}/.wh.{name.rpartition('/')[2]}".lstrip("/")))
    return found


def edits(sketch: Folder) -> list[ls.Edit]:
    """Return the same layer in the language of changes."""
    found = []
    for path, thing in paths(sketch):
        if isinstance(thing, File):
            found.append(ls.write(path, thing.data, mode=thing.mode, mtime_ns=thing.mtime * 10**9))
        elif isinstance(thing, Link):
            found.append(ls.symlink(path, thing.target, mtime_ns=BORN * 10**9))
        elif isinstance(thing, Folder):
            found.append(ls.mkdir(path, mode=thing.mode))
            if thing.is_opaque:
                found.append(ls.opaque(path))
        else:
            found.append(ls.remove(path))
    return found
