"""Dockerfiles and ignore files of a directory: 20.10 is not sent again what looks the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from layersim.errors import BuildError

IGNORE_FILE = ".dockerignore"

Reader: TypeAlias = Callable[[str], bytes | None]
"""Gives the bytes of a name, or None where there is none."""

_TICK_NS = 20_000_000


class _Text(NamedTuple):
    """A file that was sent: how it looked, when it was last changed, whether it was just written, and its bytes."""

    looks: tuple[int, int, int]
    changed_ns: int
    is_fresh: bool
    data: bytes


def is_fresh(written_ns: int, seen_ns: int) -> bool:
    """Tell whether a file was written so shortly before it was seen that one more write may have the same time.

    The clocks of file systems stand still for some milliseconds; a real build takes longer than that.
    """
    return written_ns > seen_ns - _TICK_NS


def reader_of(root: str) -> Reader:
    """Return what reads files of a directory."""

    def read(name: str) -> bytes | None:
        try:
            return Path(root, name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise BuildError(f"no permission to read from {name!r}") from error

    return read


class SyncedTexts:
    """What BuildKit of 20.10 has of the Dockerfile and of the ignore file since the last build."""

    def __init__(self) -> None:
        self._kinds: dict[bool, dict[str, _Text]] = {}

    def reader(self, root: str) -> Reader:
        """Return what reads for one build: what it does not ask for is gone on the other side.

        The Dockerfile, with an ignore file of its own beside it, is asked for apart from the common ignore file.
        """
        read, before = reader_of(root), dict(self._kinds)
        now: dict[bool, dict[str, _Text]] = {}

        def read_if_new(name: str) -> bytes | None:
            kind, path = name == IGNORE_FILE, Path(root, name)
            self._kinds[kind] = sent = now.setdefault(kind, {})
            seen_ns = time.time_ns()
            try:
                found = path.stat()
            except OSError:
                return read(name)  # which tells why
            looks, changed_ns = (found.st_mode, found.st_size, found.st_mtime_ns), found.st_ctime_ns
            known = before.get(kind, {}).get(path.name)
            if known is None or known.looks != looks or (known.is_fresh and known.changed_ns == changed_ns):
                data = read(name)
            else:
                data = known.data
            if data is not None:
                sent[path.name] = _Text(looks, changed_ns, is_fresh(found.st_mtime_ns, seen_ns), data)
            return data

        return read_if_new
