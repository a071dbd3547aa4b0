"""Random work on files: a line of shell for a real container, and the same through `Container.fs`."""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.oracles import require_program
from tests.tars import BORN, Entry, directory, hardlink, layer_tar, symlink

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    import layersim as ls

PROGRAMS = ("sh", "sleep", "head", "truncate", "chmod", "mv", "mkdir", "ln", "rm")
FOLDERS = ("/", "/w", "/w/d", "/w/d/sub", "/n")
NAMES = ("big", "link", "one", "two", "d", "n", "x", "y")


@cache
def shell_layer() -> bytes:
    """Return a root with a shell, and files to work on: one layer, as small as may be."""
    program = Path(require_program("busybox", "busybox-static")).read_bytes()
    root = [directory("bin"), Entry("bin/busybox", content=program, mode=0o755)]
    root += [symlink(f"bin/{name}", "busybox") for name in PROGRAMS]
    work = [directory("w"), Entry("w/big", content=bytes(50_000)), symlink("w/link", "big"), directory("w/d")]
    below = [directory("w/d/sub"), Entry("w/d/one", content=b"one"), Entry("w/d/sub/two", content=b"two")]
    return layer_tar([*root, *work, *below])


@dataclass(frozen=True)
class Work:
    """One line of shell, and the same in ours."""

    shell: str
    ours: Callable[[ls.Overlay], object]


class WorkDraft:
    """Draws works that succeed, one upon the other.

    Parameters
    ----------
    fs : Overlay
        What the work starts from; it is done there as it is drawn.
    """

    def __init__(self, rng: random.Random, fs: ls.Overlay) -> None:
        self.rng, self.fs = rng, fs

    def works(self, count: int) -> list[Work]:
        """Return so many works."""
        return [self.step() for _ in range(count)]

    def step(self) -> Work:
        """Draw a work and do it."""
        path = self._path()
        kind = self._kind(path)
        if kind is None:
            make = self.rng.choice((self._write, self._write, self._mkdir, self._symlink, self._link))
        elif kind == stat.S_IFREG:
            make = self.rng.choice((self._append, self._truncate, self._chmod, self._rename, self._remove, self._write))
        else:
            make = self.rng.choice((self._remove, self._remove, self._chmod if kind == stat.S_IFDIR else self._remove))
        work = make(path)
        work.ours(self.fs)
        return work

    def _path(self) -> str:
        folders = [folder for folder in FOLDERS if self._kind(folder) == stat.S_IFDIR]
        return posixpath.join(self.rng.choice(folders), self.rng.choice(NAMES))

    def _kind(self, path: str) -> int | None:
        try:
            return stat.S_IFMT(self.fs.lstat(path).st_mode)
        except OSError:
            return None

    def _write(self, path: str) -> Work:
        size = self.rng.choice((0, 1, 999, 12_345))
        return Work(f"head -c {size} /dev/zero > {path}", partial(_write, path=path, data=bytes(size)))

    def _append(self, path: str) -> Work:
        return Work(f"printf abc >> {path}", lambda fs: fs.write_bytes(path, fs.read_bytes(path) + b"abc"))

    def _truncate(self, path: str) -> Work:
        size = self.rng.choice((0, 7, 60_000))
        return Work(f"truncate -s {size} {path}", lambda fs: fs.truncate(path, size))

    def _chmod(self, path: str) -> Work:
        mode = self.rng.choice((0o600, 0o644, 0o755))
        return Work(f"chmod {mode:o} {path}", lambda fs: fs.chmod(path, mode))

    def _rename(self, path: str) -> Work:
        target = f"{posixpath.dirname(path).rstrip('/')}/moved{self.rng.randrange(3)}"
        return Work(f"mv -f {path} {target}", lambda fs: fs.rename(path, target))

    def _mkdir(self, path: str) -> Work:
        return Work(f"mkdir {path}", lambda fs: fs.mkdir(path, 0o755))

    def _symlink(self, path: str) -> Work:
        target = "t" * self.rng.choice((1, 10, 100))
        return Work(f"ln -s {target} {path}", lambda fs: fs.symlink(target, path))

    def _link(self, path: str) -> Work:
        source = self._path()
        if self._kind(source) != stat.S_IFREG:
            return self._mkdir(path)
        return Work(f"ln {source} {path}", lambda fs: fs.link(source, path))

    def _remove(self, path: str) -> Work:
        return Work(f"rm -rf {path}", partial(_remove_all, path=path))


def random_volume_work(rng: random.Random, path: str) -> Work:
    """Return some work below the path of a volume, which succeeds whatever is there."""
    name, size = f"{path}/v{rng.randrange(3)}", rng.choice((0, 7, 30_000))
    if rng.random() < 0.3:
        return Work(f"rm -f {name}", lambda fs: fs.unlink(name) if fs.exists(name) else None)
    return Work(f"head -c {size} /dev/zero > {name}", partial(_write, path=name, data=bytes(size)))


def random_upload(rng: random.Random) -> tuple[bytes, Callable[[ls.Overlay], object]]:
    """Return a tar to be unpacked into a container, and what does the same in ours, times included."""
    top = f"up{rng.randrange(2)}"
    entries = [directory(top), Entry(f"{top}/f", content=bytes(rng.choice((0, 5, 20_000))))]
    entries += rng.sample([symlink(f"{top}/s", "f" * 40), hardlink(f"{top}/h", f"{top}/f"), directory(f"{top}/d")], 2)
    return layer_tar(entries), partial(_unpack, entries=entries)


def _unpack(fs: ls.Overlay, entries: list[Entry]) -> None:
    for entry in entries:
        path = f"/{entry.path}"
        is_there = posixpath.basename(path) in fs.listdir(posixpath.dirname(path))
        if is_there and entry.kind != tarfile.DIRTYPE:
            _remove_all(fs, path)
        if entry.kind == tarfile.REGTYPE:
            _write(fs, path, entry.content)
        elif entry.kind == tarfile.SYMTYPE:
            fs.symlink(entry.target, path)
        elif entry.kind == tarfile.LNKTYPE:
            fs.link(f"/{entry.target}", path)
        elif not is_there:
            fs.mkdir(path, entry.mode)
    for entry in reversed(entries):
        fs.utime(f"/{entry.path}", ns=(BORN * 10**9, BORN * 10**9), follow_symlinks=False)


def _write(fs: ls.Overlay, path: str, data: bytes) -> None:
    """Write into the file that is there, or into a new one of the mode that a shell gives."""
    with fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644) as file:
        file.write(data)


def _remove_all(fs: ls.Overlay, path: str) -> None:
    if not stat.S_ISDIR(fs.lstat(path).st_mode):
        fs.unlink(path)
        return
    for name in fs.listdir(path):
        _remove_all(fs, posixpath.join(path, name))
    fs.rmdir(path)
