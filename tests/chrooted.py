"""What fsspec's own file system of the disk sees of a directory that is its whole world; as a program, it tells so."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from fsspec.implementations.local import LocalFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsspec import AbstractFileSystem

FIELDS = ("name", "size", "type", "islink", "mode", "uid", "gid", "mtime", "nlink", "destination")
_DIRECTORY, _KIND = 0o040000, 0o170000


class Chroots:
    """A process, root's, that shuts a child of its own into each directory it is given."""

    def __enter__(self) -> Self:
        """Start it."""
        command = [sys.executable, "-m", "tests.chrooted"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def answers(self, directory: Path) -> dict[str, Any]:
        """Return what `LocalFileSystem` answers where this directory is the root."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(os.fsencode(directory) + b"\n")
        self._process.stdin.flush()
        told: dict[str, Any] = pickle.load(self._process.stdout)
        return told

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate()


def answers_of(fs: AbstractFileSystem) -> dict[str, Any]:
    """Ask a file system all that can be asked of its whole tree."""
    listed = fs.find("/", withdirs=True, detail=True)
    paths = sorted(path for path in listed if path != "/")
    return {
        "paths": paths,
        "files": sorted(fs.find("/")),
        "walk": sorted((path, sorted(dirs), sorted(files)) for path, dirs, files in fs.walk("/")),
        "glob": [sorted(fs.glob(pattern)) for pattern in ("/**/a*", "/*/?", "/[ab]/**")],
        "listed": {path: _fields(listed[path]) for path in paths},
        **{path: _answers(fs, path) for path in paths},
    }


def _answers(fs: AbstractFileSystem, path: str) -> list[object]:
    """Return what each method says of a path, be it an error."""
    methods: list[Callable[[str], object]] = [
        fs.exists,
        fs.lexists,
        fs.isfile,
        fs.isdir,
        fs.islink,
        fs.modified,
        lambda path: _fields(fs.info(path)),
        lambda path: sorted(map(str, fs.ls(path, detail=False))),
        lambda path: [fs.cat_file(path), fs.cat_file(path, 0, -1), fs.cat_file(path, -3), fs.head(path, 2)],
        lambda path: fs.read_block(path, 1, 5),
    ]
    return [_attempt(method, path) for method in methods]


def _attempt(method: Callable[[str], object], path: str) -> object:
    try:
        return method(path)
    except OSError as error:
        return f"errno {error.errno}"


def _fields(info: dict[str, Any]) -> dict[str, Any]:
    """Leave out what differs between two disks: inodes, the time of creation, sizes of directories and their links."""
    told = {field: info.get(field) for field in FIELDS}
    is_directory = info["mode"] & _KIND == _DIRECTORY or info["type"] == "directory"
    return told | ({"size": 0, "nlink": 0} if is_directory else {})


def _tell(directory: bytes) -> None:
    os.chroot(directory)
    os.chdir("/")
    sys.stdout.buffer.write(pickle.dumps(answers_of(LocalFileSystem())))
    sys.stdout.buffer.flush()


def main() -> None:
    """Read a directory a line; tell of each, from inside it."""
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            _tell(line.rstrip(b"\n"))
            return
        if os.waitpid(child, 0)[1]:
            sys.exit("the child failed")


if __name__ == "__main__":
    main()
