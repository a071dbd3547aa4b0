"""One call on a writable file system, as a value that can be drawn, shown and done again."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim._core import Overlay


@dataclass(frozen=True, slots=True)
class Operation:
    """One call on an overlay.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    path : str
        What it acts on.
    other : str
        The second path of ``rename`` and ``link``, the target of ``symlink``.
    data : bytes
        What is written; its length is what ``truncate`` cuts to and the group of ``chown``.
    mode : int
        Permission bits of what is made or changed; of ``chown`` the owner, of ``utime`` the seconds since 1970.
    """

    kind: str
    path: str
    other: str = "/a"
    data: bytes = b""
    mode: int = 0o755

    def perform(self, fs: Overlay) -> int:
        """Do it.

        Parameters
        ----------
        fs : Overlay
            Or anything with its methods.

        Returns
        -------
        int
            0, or the errno with which it was refused.
        """
        try:
            _ACTS[self.kind](fs, self)
        except OSError as error:
            if error.errno is None:
                raise
            return error.errno
        return 0


def _add_to(fs: Overlay, operation: Operation) -> None:
    with fs.open(operation.path, os.O_WRONLY | os.O_APPEND) as file:
        file.write(operation.data)


_ACTS: Mapping[str, Callable[[Overlay, Operation], object]] = {
    "write": lambda fs, one: fs.write_bytes(one.path, one.data),
    "append": _add_to,
    "truncate": lambda fs, one: fs.truncate(one.path, len(one.data)),
    "mkdir": lambda fs, one: fs.mkdir(one.path, one.mode),
    "mkfifo": lambda fs, one: fs.mknod(one.path, stat.S_IFIFO | one.mode),
    "symlink": lambda fs, one: fs.symlink(one.other, one.path),
    "link": lambda fs, one: fs.link(one.path, one.other),
    "rename": lambda fs, one: fs.rename(one.path, one.other),
    "unlink": lambda fs, one: fs.unlink(one.path),
    "rmdir": lambda fs, one: fs.rmdir(one.path),
    "chmod": lambda fs, one: fs.chmod(one.path, one.mode),
    "chown": lambda fs, one: fs.chown(one.path, one.mode, len(one.data), follow_symlinks=False),
    "utime": lambda fs, one: fs.utime(one.path, (one.mode, one.mode), follow_symlinks=False),
    "setxattr": lambda fs, one: fs.setxattr(one.path, "user.note", one.data, follow_symlinks=False),
}

KINDS = tuple(_ACTS)
