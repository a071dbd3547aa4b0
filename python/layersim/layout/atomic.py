"""Writing a file so that a reader, or a crash, sees the old one or the new one and nothing between."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_READABLE = 0o666


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a file that takes the place of `target` when the block ends well, and vanishes when it does not.

    Until then it has no name where the file system can do that, so that a killed process leaves nothing behind. A link
    is followed; a device or a pipe takes the bytes as they come, since nothing can take its place.
    """
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    target = target.resolve()
    handle, name = _beside(target)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            os.fsync(file.fileno())
            if name is None:
                name = _link(file.fileno(), target)
        Path(name).replace(target)
    except BaseException:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def _beside(target: Path) -> tuple[int, str | None]:
    """Open a new file, and say what it is called if it had to have a name."""
    with suppress(OSError, AttributeError):
        return os.open(target.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, _READABLE), None
    return tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")


def _link(handle: int, target: Path) -> str:
    """Give a file without a name one that nothing else has."""
    while True:
        name = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(8).hex()}.part")
        with suppress(FileExistsError):
            # Only with a directory does Python ask for the link to be followed (linkat); an absolute path ignores it.
            os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=handle, follow_symlinks=True)
            return str(name)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
