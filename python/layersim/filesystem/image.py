"""The merged view of an image as a file system of fsspec."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from fsspec.utils import stringify_path, tokenize

from layersim._core import Overlay, View
from layersim.filesystem.choice import Wish, forget_views, view_at, view_in
from layersim.filesystem.opened import OpenedFile
from layersim.filesystem.refusal import ReadOnlyFileSystem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from layersim._core import File, Stat

    class Tree(Protocol):
        """What is asked of a union; `Overlay` and whatever has its methods can be shown."""

        def lstat(self, path: str) -> Stat:
            """Tell about a path, not following a link at its end."""
            ...

        def stat(self, path: str) -> Stat:
            """Tell about a path, through links."""
            ...

        def listdir(self, path: str) -> list[str]:
            """Name what a directory holds."""
            ...

        def readlink(self, path: str) -> str:
            """Return the target of a link."""
            ...

        def open(self, path: str, flags: int = 0) -> File:
            """Open a file."""
            ...


Info: TypeAlias = "dict[str, Any]"

_PROTOCOL = "layersim://"
_COPIED = ("mode", "uid", "gid", "mtime", "ino", "nlink")
_TYPES = {stat.S_IFDIR: "directory", stat.S_IFREG: "file"}


class ImageFileSystem(ReadOnlyFileSystem):
    """The files of an image, read-only: what ``layersim://`` means to fsspec.

    Parameters
    ----------
    fo : str, optional
        The URL of an archive, as chained URLs give it: ``layersim://etc/passwd::file://image.tar``. One on this machine
        is mapped, any other is read whole.
    image : str, optional
        A tag or an id; None where the archive holds one image.
    archive : path, optional
        An archive or a saved engine on this machine, a file or a directory.
    view : View, Overlay or the like, optional
        What to show instead of an archive: a view, or a container's file system as it is at each call.
    platform : str, optional
        Which image to take of an index with several.
    target_protocol, target_options : optional
        How `fo` is opened.
    storage_options : optional
        What every file system of fsspec takes.

    Raises
    ------
    ImageNotFoundError
        The archive holds no such image.
    ValueError
        It holds several and nothing says which, or not exactly one of `fo`, `archive` and `view` is given.
    ArchiveError
        It is no archive, or a broken one.

    Notes
    -----
    Links lead within the image, wherever they point. Listings and `info` have the fields of fsspec's
    ``LocalFileSystem`` and the index of the `layer`. Whatever would write is an ``OSError`` with ``EROFS``. An archive
    stays open for those who name it again, for as long as the file is the same; `clear_instance_cache` closes it.

    Examples
    --------
    >>> import fsspec
    >>> import layersim as ls
    >>> view = ls.View([ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])])
    >>> fs = fsspec.filesystem("layersim", view=view)
    >>> fs.find("/"), fs.cat("layersim://etc/motd")
    (['/etc/motd'], b'hello')
    """

    protocol = "layersim"
    root_marker = "/"
    # What is worth keeping is the archive, for all threads, as long as the file is the same (`choice`).
    cachable = False

    def __init__(
        self,
        fo: str | None = None,
        image: str | None = None,
        *,
        archive: str | os.PathLike[str] | None = None,
        view: View | Tree | None = None,
        platform: str | None = None,
        target_protocol: str | None = None,
        target_options: Mapping[str, object] | None = None,
        **storage_options: object,
    ) -> None:
        super().__init__(**storage_options)
        wish = Wish(image, platform)
        self._shown: View | Tree
        if (view, fo) == (None, None) and archive is not None:
            self._shown = view_at(archive, wish)
        elif (view, archive) == (None, None) and fo is not None:
            self._shown = view_in(fo, wish, target_protocol, target_options)
        elif (fo, archive) == (None, None) and view is not None:
            self._shown = view
        else:
            raise ValueError("expected one of view=, archive= and a chained URL")
        # An overlay opens files without copying them.
        self._tree: Tree = Overlay(self._shown) if isinstance(self._shown, View) else self._shown

    @property
    def fsid(self) -> str:
        """What names the file system: equal for equal stacks of layers."""
        return f"layersim_{self._fs_token}"

    @property
    def _fs_token(self) -> str:
        """What fsspec compares file systems by, and dask names them by."""
        shown = self._shown
        return str(tokenize(shown.chain_id if isinstance(shown, View) else id(shown)))

    @classmethod
    def clear_instance_cache(cls) -> None:
        """Let go of the archives that were kept open."""
        super().clear_instance_cache()
        forget_views()

    @classmethod
    def _strip_protocol(cls, path: str | os.PathLike[str] | list[str]) -> str | list[str]:
        if isinstance(path, list):
            return [cls._within(inner) for inner in path]
        return cls._within(path)

    @classmethod
    def _within(cls, path: str | os.PathLike[str]) -> str:
        """Return the path from the root of the image; what ``..`` means is the image's to say."""
        text: str = stringify_path(path)
        parts = text.removeprefix(_PROTOCOL).split("/")
        return "/" + "/".join(part for part in parts if part not in {"", "."})

    def ls(self, path: str, detail: bool = True, **_: object) -> list[Info] | list[str]:
        """List a directory, or one file."""
        path = self._within(path)
        found = self.info(path)
        if found["type"] != "directory":
            rows = [found]
        else:
            rows = [self._row(f"{path.rstrip('/')}/{name}") for name in self._tree.listdir(path)]
        return rows if detail else [row["name"] for row in rows]

    def info(self, path: str, **_: object) -> Info:
        """Tell about what a path leads to, and whether it is a link."""
        path = self._within(path)
        status = self._tree.lstat(path)
        if not stat.S_ISLNK(status.st_mode):
            return _info(path, status, status)
        reached = self._tree.stat(path)
        return _info(path, reached, reached) | self._link(path)

    def _row(self, path: str) -> Info:
        """Tell about an entry of a directory: links are of type "other", so that nobody walks in circles."""
        status = self._tree.lstat(path)
        if not stat.S_ISLNK(status.st_mode):
            return _info(path, status, status)
        return _info(path, status, self._reached(path)) | self._link(path)

    def _link(self, path: str) -> Info:
        return {"islink": True, "destination": self._tree.readlink(path)}

    def _reached(self, path: str) -> Stat | None:
        try:
            return self._tree.stat(path)
        except OSError:
            return None

    def lexists(self, path: str, **_: object) -> bool:
        """Tell whether there is something under a path, be it a link that leads nowhere."""
        try:
            self._tree.lstat(self._within(path))
        except OSError:
            return False
        return True

    def islink(self, path: str) -> bool:
        """Tell whether a path names a link."""
        try:
            return stat.S_ISLNK(self._tree.lstat(self._within(path)).st_mode)
        except OSError:
            return False

    def du(
        self, path: str, total: bool = True, maxdepth: int | None = None, withdirs: bool = False, **_: object
    ) -> int | dict[str, int]:
        """Add up the sizes of what is in a tree; a link takes what it leads to, nothing if that is nowhere."""
        found: dict[str, Info] = self.find(path, maxdepth=maxdepth, withdirs=withdirs, detail=True)
        sizes = {name: row["size"] for name, row in found.items()}
        return sum(sizes.values()) if total else sizes

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: object) -> bytes:
        """Read a file, or the bytes from `start` to `end`, each from the end of the file where it is negative."""
        path = self._within(path)
        size = self._file(path)
        first, last, _step = slice(start, end).indices(size)
        with self._tree.open(path) as file:
            return file.pread(max(0, last - first), first)

    def created(self, path: str) -> datetime:
        """Tell when the inode last changed, which is all that Linux keeps of it."""
        return datetime.fromtimestamp(self._tree.stat(self._within(path)).st_ctime, tz=UTC)

    def modified(self, path: str) -> datetime:
        """Tell when the content last changed."""
        return datetime.fromtimestamp(self._tree.stat(self._within(path)).st_mtime, tz=UTC)

    def ukey(self, path: str) -> str:
        """Return the SHA-256 digest of a file's bytes; of anything else, a hash of what `info` tells."""
        found = self.info(path)
        content = self.cat_file(path) if found["type"] == "file" else repr(found).encode(errors="surrogateescape")
        return hashlib.sha256(content).hexdigest()

    def checksum(self, path: str) -> int:
        """Return `ukey` as a number."""
        return int(self.ukey(path), 16)

    def _open(self, path: str, mode: str = "rb", **_: object) -> OpenedFile:
        path = self._within(path)
        if mode != "rb":
            self._refuse(path)
        size = self._file(path)
        return OpenedFile(self._tree.open(path), path, size)

    def _file(self, path: str) -> int:
        """Return the size of a file; opening says what is wrong with anything but a directory."""
        status = self._tree.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return status.st_size


def _info(path: str, status: Stat, reached: Stat | None) -> Info:
    """Return what a status says, in fsspec's words; the size is that of what it leads to."""
    told: Info = {
        "name": path,
        "size": reached.st_size if reached is not None else 0,
        "type": _TYPES.get(stat.S_IFMT(status.st_mode), "other"),
        "created": status.st_ctime,
        "islink": False,
    }
    return told | {field: getattr(status, f"st_{field}") for field in _COPIED} | {"layer": status.layer}
