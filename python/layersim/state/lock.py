"""Who has a directory store open: a lock that the kernel takes back when its holder dies, and a line that names it."""

from __future__ import annotations

import fcntl
import os
import socket
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from layersim.errors import StoreLockedError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

NAME = "layersim.lock"


class _Holder(msgspec.Struct, frozen=True):
    """Who holds a lock."""

    pid: int
    host: str
    since: str


class StoreLock:
    """The right to read and change a store, from now until `release`.

    Parameters
    ----------
    folder : Path
        The store; it exists.

    Raises
    ------
    StoreLockedError
        Another engine has it, in this process or another.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._handle = handle
        self._close = weakref.finalize(self, os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _locked(folder, handle) from None
        except BaseException:
            self.release()
            raise
        _sign(handle)

    def covers(self, folder: Path) -> bool:
        """Whether it is the lock of this folder, whatever the folder is called by now."""
        try:
            found = (folder / NAME).stat()
        except OSError:
            return False
        return self._close.alive and os.path.samestat(os.fstat(self._handle), found)

    def release(self) -> None:
        """Let others in; once more is no harm."""
        self._close()

    def __enter__(self) -> Self:
        """Hold it for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release it."""
        self.release()


def _sign(handle: int) -> None:
    """Say who holds the lock."""
    holder = _Holder(os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"))
    os.ftruncate(handle, 0)
    os.pwrite(handle, msgspec.json.encode(holder) + b"\n", 0)


def _locked(folder: Path, handle: int) -> StoreLockedError:
    """Return the error that names the holder, as far as it has said who it is."""
    try:
        holder = msgspec.json.decode(os.pread(handle, 4096, 0), type=_Holder)
    except msgspec.MsgspecError:
        return StoreLockedError(f"{str(folder)!r} is open in another engine, which has not said where")
    who = f"process {holder.pid} on {holder.host} since {holder.since}"
    return StoreLockedError(f"{str(folder)!r} is open in {who}", holder.pid, holder.host, holder.since)
