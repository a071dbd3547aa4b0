"""Who has a directory store open: a lock that the kernel takes back when its holder dies, and a line that names it.

A child made by `os.fork` gives its copies of all locks back at once: its parent goes on holding them, alone.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import threading
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from layersim.errors import StateError, StoreLockedError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

NAME = "layersim.lock"
# A pipe in its place is opened without waiting for somebody at its other end.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
# No process is forked between the opening of a lock and its being known.
_FORKS = threading.RLock()
_OPEN: weakref.WeakSet[StoreLock] = weakref.WeakSet()


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
    StateError
        What has the name of the lock is no file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open()
        try:
            self._take()
            while not self.covers(folder):
                # A first save that failed has removed the file since it was opened.
                self.release()
                self._open()
                self._take()
            _sign(self._handle)
        except BaseException:
            self.release()
            raise

    def _open(self) -> None:
        with _FORKS:
            self._handle = os.open(self.folder / NAME, _FLAGS, 0o644)
            self._close = weakref.finalize(self, os.close, self._handle)
            _OPEN.add(self)

    def _take(self) -> None:
        if not stat.S_ISREG(os.fstat(self._handle).st_mode):
            raise StateError(f"{str(self.folder / NAME)!r} is no regular file")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _locked(self.folder, self._handle) from None

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


def _forget() -> None:
    """Close what a child has of its parent's locks; a lock that any process has open is held."""
    for lock in list(_OPEN):
        lock.release()
    _FORKS.release()


os.register_at_fork(before=_FORKS.acquire, after_in_parent=_FORKS.release, after_in_child=_forget)
