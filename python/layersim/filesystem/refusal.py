"""A file system of fsspec that cannot be written: every change is the error that a read-only mount has for it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from fsspec import AbstractFileSystem

if TYPE_CHECKING:
    from typing import NoReturn


class ReadOnlyFileSystem(AbstractFileSystem):
    """What there is can be told from what there is not; nothing can be made, replaced or removed."""

    def mkdir(self, path: str, create_parents: bool = True, **_: object) -> None:
        """Refuse to make a directory."""
        del create_parents
        self._refuse_making(path)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Refuse to make directories, unless there is nothing to make."""
        if not (exist_ok and self.isdir(path)):
            self._refuse_making(path)

    def rmdir(self, path: str) -> None:
        """Refuse to remove a directory."""
        self._refuse_changing(path)

    def rm_file(self, path: str) -> None:
        """Refuse to remove a file."""
        self._refuse_changing(path)

    def rm(self, path: str | list[str], recursive: bool = False, maxdepth: int | None = None) -> None:
        """Refuse to remove anything."""
        for found in self.expand_path(path, recursive=recursive, maxdepth=maxdepth):
            self._refuse_changing(found)

    def cp_file(self, path1: str, path2: str, **_: object) -> None:
        """Refuse to copy within the file system."""
        self.info(path1)
        self._refuse(path2)

    def touch(self, path: str, truncate: bool = True, **_: object) -> None:
        """Refuse to make or empty a file, or to change its time."""
        del truncate
        self._refuse(path)

    def _refuse_making(self, path: str) -> NoReturn:
        if self.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self._refuse(path)

    def _refuse_changing(self, path: str) -> NoReturn:
        if not self.lexists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self._refuse(path)

    def _refuse(self, path: str) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
