"""A union with a writable top in the plainest Python, written from overlay.md, over layers that are dicts of paths.

Nothing is fast or clever here: a name is looked for in each layer of its directory, a copy-up copies.
Left out: open flags beyond create, exclusive and truncate; access rights; times; `.`, `..` and a slash at the end.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.reference_layers import Handle, Layer, Path, Status, Thing, fail

if TYPE_CHECKING:
    from collections.abc import Iterable


class ReferenceOverlay:
    """The names of `layersim.Overlay`; layers base first, as there."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.top: Layer = {(): Thing(stat.S_IFDIR)}
        self.layers = [self.top, *reversed(list(layers))]

    # section 1: lookup

    def found(self, path: Path) -> list[tuple[int, Thing]]:
        """Return what shows at a path, topmost first, each with its layer's number; several are a merged directory."""
        if not path:
            return [(number, layer[()]) for number, layer in enumerate(self.layers)]
        found: list[tuple[int, Thing]] = []
        for number, _ in self.found(path[:-1]):
            thing = self.layers[number].get(path)
            if thing is None:
                continue
            if thing.kind != stat.S_IFDIR:
                return found or ([(number, thing)] if thing.kind else [])
            found.append((number, thing))
            if thing.is_opaque:
                break
        return found

    def names(self, path: Path) -> list[str]:
        below = {at[-1] for number, _ in self.found(path) for at in self.layers[number] if at and at[:-1] == path}
        return sorted(name for name in below if self.found((*path, name)))

    def walk(self, text: str, *, follow: bool = True) -> tuple[Path, Thing | None]:
        """Return the real path and what is there; only the last name may be missing."""
        todo, at, links = text.split("/")[::-1], Path(), 0
        while todo:
            name, is_last = todo.pop(), not any(todo)
            if not name:
                continue
            path = (*at, name)
            shown = self.found(path)
            if not shown and is_last:
                return path, None
            if not shown:
                raise fail(errno.ENOENT)
            thing = shown[0][1]
            if thing.kind == stat.S_IFLNK and (follow or not is_last):
                links += 1
                if links > 40:
                    raise fail(errno.ELOOP)
                at = () if thing.target.startswith("/") else at
                todo += thing.target.split("/")[::-1]
            elif thing.kind == stat.S_IFDIR:
                at = path
            elif not is_last:
                raise fail(errno.ENOTDIR)
            else:
                return path, thing
        return at, self.found(at)[0][1]

    def there(self, text: str, *, follow: bool = True) -> tuple[Path, Thing]:
        path, thing = self.walk(text, follow=follow)
        if thing is None:
            raise fail(errno.ENOENT)
        return path, thing

    # section 2: copy-up

    def raised(self, path: Path) -> Thing:
        """Return what is at a path, in the top: copied there with its parents if need be."""
        number, thing = self.found(path)[0]
        if number:
            self.raised(path[:-1])
            self.top[path] = replace(thing, is_opaque=False, xattrs=dict(thing.xattrs))
        return self.top[path]

    # section 3: removal and creation

    def erase(self, path: Path) -> None:
        lower = [self.layers[number].get(path) for number, _ in self.found(path[:-1]) if number]
        below = next((thing for thing in lower if thing is not None), None)
        self.raised(path[:-1])
        for at in [at for at in self.top if at[: len(path)] == path]:
            del self.top[at]
        if below is not None and below.kind:
            self.top[path] = Thing(0)

    def vacancy(self, text: str) -> Path:
        path, thing = self.walk(text, follow=False)
        if thing is not None:
            raise fail(errno.EEXIST)
        return path

    def put(self, path: Path, thing: Thing) -> Thing:
        self.raised(path[:-1])
        self.top[path] = thing
        return thing

    def mkdir(self, text: str, mode: int) -> None:
        path = self.vacancy(text)
        self.put(path, Thing(stat.S_IFDIR, mode, is_opaque=path in self.top))

    def symlink(self, target: str, text: str) -> None:
        self.put(self.vacancy(text), Thing(stat.S_IFLNK, 0o777, target=target))

    def mknod(self, text: str, mode: int, device: int = 0) -> None:
        path = self.vacancy(text)
        if stat.S_ISCHR(mode) and device == 0:
            raise fail(errno.EPERM)
        self.put(path, Thing(stat.S_IFMT(mode), stat.S_IMODE(mode)))

    def unlink(self, text: str) -> None:
        path, thing = self.there(text, follow=False)
        if thing.kind == stat.S_IFDIR:
            raise fail(errno.EISDIR)
        self.erase(path)

    def rmdir(self, text: str) -> None:
        path, thing = self.there(text, follow=False)
        if thing.kind != stat.S_IFDIR:
            raise fail(errno.ENOTDIR)
        if self.names(path):
            raise fail(errno.ENOTEMPTY)
        self.erase(path)

    # sections 2 and 4: links and renaming

    def link(self, source: str, text: str) -> None:
        path, thing = self.there(source, follow=False)
        new = self.vacancy(text)
        if thing.kind == stat.S_IFDIR:
            raise fail(errno.EPERM)
        self.put(new, self.raised(path))

    def rename(self, source: str, text: str) -> None:
        old, thing = self.there(source, follow=False)
        new, there = self.walk(text, follow=False)
        is_dir = thing.kind == stat.S_IFDIR
        self._check_kinds(old, new, is_dir=is_dir, there=there)
        if old == new or (there is thing and not is_dir):
            return
        if is_dir and any(number for number, _ in self.found(old)):
            raise fail(errno.EXDEV)
        into_merged = any(number for number, _ in self.found(new[:-1]))
        if there is not None and self.names(new) and is_dir:
            # The kernel marks the source before the file system below finds the target full.
            self.top[old].is_opaque |= into_merged and not any(number for number, _ in self.found(new))
            raise fail(errno.ENOTEMPTY)
        self.raised(old).is_opaque |= is_dir and into_merged
        moved = {new + at[len(old) :]: inner for at, inner in self.top.items() if at[: len(old)] == old}
        self.erase(old)
        self.raised(new[:-1])
        for at in [at for at in self.top if at[: len(new)] == new]:
            del self.top[at]
        self.top.update(moved)

    def _check_kinds(self, old: Path, new: Path, *, is_dir: bool, there: Thing | None) -> None:
        if new[: len(old)] == old and new != old:
            raise fail(errno.EINVAL)
        if old[: len(new)] == new and new != old:
            raise fail(errno.ENOTEMPTY)
        if there is not None and (there.kind == stat.S_IFDIR) != is_dir:
            raise fail(errno.ENOTDIR if is_dir else errno.EISDIR)

    # files

    def open(self, text: str, flags: int = 0, mode: int = 0o666) -> Handle:
        is_new = flags & os.O_CREAT and flags & os.O_EXCL
        path, thing = self.walk(text, follow=not is_new)
        if thing is None or is_new:
            if not flags & os.O_CREAT:
                raise fail(errno.ENOENT)
            if thing is not None:
                raise fail(errno.EEXIST)
            return Handle(self.put(path, Thing(stat.S_IFREG, mode)))
        writes = flags & (os.O_ACCMODE | os.O_TRUNC)
        if thing.kind == stat.S_IFDIR and (writes or flags & os.O_CREAT):
            raise fail(errno.EISDIR)
        thing = self.raised(path) if writes else thing
        thing.data = b"" if flags & os.O_TRUNC else thing.data
        return Handle(thing)

    def truncate(self, text: str, length: int) -> None:
        if length < 0:
            raise fail(errno.EINVAL)
        path, thing = self.there(text)
        if thing.kind == stat.S_IFDIR:
            raise fail(errno.EISDIR)
        thing = self.raised(path)
        thing.data = thing.data[:length].ljust(length, b"\0")

    # attributes and questions

    def chmod(self, text: str, mode: int) -> None:
        self.raised(self.there(text)[0]).mode = mode

    def chown(self, text: str, uid: int, gid: int, *, follow_symlinks: bool = True) -> None:
        thing = self.raised(self.there(text, follow=follow_symlinks)[0])
        thing.uid, thing.gid = (thing.uid if uid < 0 else uid), (thing.gid if gid < 0 else gid)

    def setxattr(self, text: str, name: str, value: bytes, _flags: int = 0, *, follow_symlinks: bool = True) -> None:
        path, thing = self.there(text, follow=follow_symlinks)
        if thing.kind not in {stat.S_IFREG, stat.S_IFDIR}:
            raise fail(errno.EPERM)
        self.raised(path).xattrs[name] = value

    def getxattr(self, text: str, name: str, *, follow_symlinks: bool = True) -> bytes:
        thing = self.there(text, follow=follow_symlinks)[1]
        if name not in thing.xattrs:
            raise fail(errno.ENODATA)
        return thing.xattrs[name]

    def listxattr(self, text: str, *, follow_symlinks: bool = True) -> list[str]:
        return list(self.there(text, follow=follow_symlinks)[1].xattrs)

    def lstat(self, text: str, *, follow: bool = False) -> Status:
        path, thing = self.there(text, follow=follow)
        number = self.found(path)[0][0]
        names = sum(thing is other for other in self.layers[number].values())
        return Status(thing.kind | thing.mode, thing.uid, thing.gid, len(thing.target) + len(thing.data), names)

    def stat(self, text: str) -> Status:
        return self.lstat(text, follow=True)

    def readlink(self, text: str) -> str:
        thing = self.there(text, follow=False)[1]
        if thing.kind != stat.S_IFLNK:
            raise fail(errno.EINVAL)
        return thing.target

    def listdir(self, text: str) -> list[str]:
        path, thing = self.there(text)
        if thing.kind != stat.S_IFDIR:
            raise fail(errno.ENOTDIR)
        return self.names(path)
