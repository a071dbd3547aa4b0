"""Dockerfiles and ignore files of a directory: 20.10 is not sent again what looks the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from layersim.errors import BuildError

IGNORE_FILE = ".dockerignore"

Reader: TypeAlias = Callable[[str], bytes | None]
"""Gives the bytes of a name, or None where there is none."""

_Looks: TypeAlias = tuple[int, int, int]


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
        self._kinds: dict[bool, dict[str, tuple[_Looks, bytes]]] = {}

    def reader(self, root: str) -> Reader:
        """Return what reads for one build: what it does not ask for is gone on the other side.

        The Dockerfile, with an ignore file of its own beside it, is asked for apart from the common ignore file.
        """
        read, before = reader_of(root), dict(self._kinds)
        fresh: dict[bool, dict[str, tuple[_Looks, bytes]]] = {}

        def read_if_new(name: str) -> bytes | None:
            kind, path = name == IGNORE_FILE, Path(root, name)
            self._kinds[kind] = sent = fresh.setdefault(kind, {})
            looks = _looks(path)
            known = before.get(kind, {}).get(path.name)
            data = known[1] if known is not None and known[0] == looks else read(name)
            if data is not None and looks is not None:
                sent[path.name] = looks, data
            return data

        return read_if_new


def _looks(path: Path) -> _Looks | None:
    try:
        found = path.stat()
    except OSError:
        return None  # reading it tells why
    return found.st_mode, found.st_size, found.st_mtime_ns
