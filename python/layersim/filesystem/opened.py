"""An open file of a union as Python's own binary files are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from layersim._core import File


class OpenedFile(io.BufferedReader):
    """A file that is open for reading, seekable, with the attributes that fsspec's own files have.

    Parameters
    ----------
    handle : File
        Open; it is closed with this one.
    path : str
        Where it was found.
    size : int
        Its bytes.
    """

    def __init__(self, handle: File, path: str, size: int) -> None:
        super().__init__(_Raw(handle))
        self.path = path
        self.size = size


class _Raw(io.RawIOBase):
    """The reading methods of a handle, under the names of `io`."""

    def __init__(self, handle: File) -> None:
        self._handle = handle

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        room = memoryview(buffer).cast("B")
        found = self._handle.read(len(room))
        room[: len(found)] = found
        return len(found)

    def readall(self) -> bytes:
        return self._handle.read()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._handle.seek(offset, whence)

    def tell(self) -> int:
        return self._handle.tell()

    def close(self) -> None:
        super().close()
        self._handle.close()
