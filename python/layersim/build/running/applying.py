"""Effects applied to an overlay; synthetic bytes follow from the command, what it uses, the path and a seed."""

from __future__ import annotations

import hashlib
import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from layersim.build.running.globs import absolute, is_directory, matching, remove_tree
from layersim.errors import RunError
from layersim.units import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim._core import Overlay
    from layersim.build.running.effect import Effect
    from layersim.build.running.step import RunStep

_FILES_A_DIRECTORY = 64
_FILE_MODE = 0o644
_DIRECTORY_MODE = 0o755
_SEED_BYTES = 8
_LARGEST_WEIGHT = 2**16


@dataclass(frozen=True, slots=True)
class Application:
    """One effect on its way into the overlay of one step."""

    step: RunStep
    effect: Effect
    fs: Overlay

    def apply(self) -> None:
        """Check what the command reads, remove, make, and set owners and modes, in this order.

        Raises
        ------
        RunError
            Where something that the command uses, or whose mode or owner it sets, is not there.
        """
        source = self._source()
        for pattern in self.effect.removes:
            for path in matching(self.fs, self._at(pattern)):
                remove_tree(self.fs, path)
        for path in self.effect.mkdirs:
            self.fs.make_directories(self._at(path), _DIRECTORY_MODE)
        for path, content in self.effect.writes:
            self._write(self._at(path), content, source)
        for path, count, total in self.effect.files:
            self._write_many(self._at(path), count, total, source)
        for path, target in self.effect.symlinks:
            self._link(self._at(path), target)
        self._describe()

    def _at(self, path: str) -> str:
        return absolute(path, self.step.cwd)

    def _found(self, verb: str, pattern: str) -> list[str]:
        found = matching(self.fs, self._at(pattern))
        if not found:
            said = f"{self.step.place} {verb} {pattern!r}, which is not there: {harmless(self.step.shown)}"
            raise RunError(said, command=self.step.command, exit_code=1)
        return found

    def _source(self) -> bytes:
        """Return a digest of all that synthetic bytes follow from, but for their path."""
        summed = hashlib.sha256(f"{self.effect.seed}\0{self.step.shown}\0".encode("utf-8", "surrogateescape"))
        for pattern in self.effect.uses:
            for path in self._found("uses", pattern):
                for part in _read(self.fs, path):
                    summed.update(part)
        return summed.digest()

    def _write(self, path: str, content: bytes | int, source: bytes) -> None:
        self.fs.make_directories(posixpath.dirname(path), _DIRECTORY_MODE)
        is_new = not self.fs.exists(path)
        if isinstance(content, bytes):
            self.fs.write_bytes(path, content)
        else:
            self.fs.write_seeded(path, content, seed=_seed(source, path))
        if is_new:
            self.fs.chmod(path, _FILE_MODE)

    def _write_many(self, folder: str, count: int, total: int, source: bytes) -> None:
        self.fs.make_directories(folder, _DIRECTORY_MODE)
        digits = len(str(count - 1))
        for number, size in enumerate(_sizes(count, total, _seed(source, folder))):
            place = f"{folder.rstrip('/')}/{number // _FILES_A_DIRECTORY:0{digits}}"
            if number % _FILES_A_DIRECTORY == 0:
                self.fs.make_directories(place, _DIRECTORY_MODE)
            path = f"{place}/{number:0{digits}}"
            self.fs.write_seeded(path, size, seed=_seed(source, path))
            self.fs.chmod(path, _FILE_MODE)

    def _link(self, path: str, target: str) -> None:
        self.fs.make_directories(posixpath.dirname(path), _DIRECTORY_MODE)
        remove_tree(self.fs, path)
        self.fs.symlink(target, path)

    def _describe(self) -> None:
        for pattern, (uid, gid) in self.effect.owners:
            for path in self._found("owns", pattern):
                self.fs.chown(path, uid, gid, follow_symlinks=False)
        for pattern, mode in self.effect.modes:
            for path in self._found("sets the mode of", pattern):
                self.fs.chmod(path, mode)


def _seed(source: bytes, path: str) -> int:
    named = hashlib.sha256(source + path.encode("utf-8", "surrogateescape"))
    return int.from_bytes(named.digest()[:_SEED_BYTES], "little")


def _sizes(count: int, total: int, seed: int) -> list[int]:
    """Share `total` bytes among files, unevenly: a few are large, as among real ones; their sum is exact."""
    drawn = hashlib.shake_128(seed.to_bytes(_SEED_BYTES, "little")).digest(2 * count)
    weights = [1 + _LARGEST_WEIGHT // (1 + int(word)) for word in np.frombuffer(drawn, "<u2")]
    scale = sum(weights)
    sizes = [total * weight // scale for weight in weights]
    sizes[0] += total - sum(sizes)
    return sizes


def _read(fs: Overlay, path: str) -> Iterator[bytes]:
    """Yield what a command can read at a path: names, and content as lengths and bytes; links are not followed."""
    yield path.encode("utf-8", "surrogateescape") + b"\0"
    if is_directory(fs, path):
        for name in sorted(fs.listdir(path)):
            yield from _read(fs, f"{path.rstrip('/')}/{name}")
        return
    mode = fs.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        yield fs.readlink(path).encode("utf-8", "surrogateescape") + b"\0"
    elif stat.S_ISREG(mode):
        content = fs.read_bytes(path)
        yield str(len(content)).encode() + b"\0"
        yield content
