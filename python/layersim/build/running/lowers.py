"""Layers on the host's disk, as the kernel wants them below an overlay: each by itself, once, with its marks."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from layersim._core import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from layersim._core import Entry, Layer, Overlay

_KEPT_MODE = 0o700


class Lowers:
    """Directories of layers, by short names that are given once.

    Parameters
    ----------
    folder : Path
        Where they are made.
    opaque : str
        The attribute that makes a directory opaque to the kernel.
    """

    def __init__(self, folder: Path, opaque: str) -> None:
        self._folder = folder
        self._opaque = opaque
        self._names: dict[str, str] = {}
        self._lock = Lock()

    def names(self, layers: Sequence[Layer]) -> list[str]:
        """Return the directories of layers, in the given order; what is new is extracted.

        Parameters
        ----------
        layers : sequence of Layer
            Base first.

        Returns
        -------
        list of str
            Each once: the kernel takes no directory twice. The lower one of two layers that are equal shows nothing.
        """
        with self._lock:
            names = [self._name(layer) for layer in layers]
        return list(dict.fromkeys(reversed(names)))[::-1]

    def _name(self, layer: Layer) -> str:
        known = self._names.get(layer.diff_id)
        if known is not None:
            return known
        name = f"l{len(self._names)}"
        self._extract(layer, self._folder / name)
        self._names[layer.diff_id] = name
        return name

    def extract_written(self, fs: Overlay, folder: Path) -> None:
        """Extract what was written to an overlay, with attributes that no layer keeps."""
        layer = fs.to_layer(dialect="canonical")
        self._extract(layer, folder)
        for entry in layer:
            if entry.kind != "whiteout":
                _set_attributes(fs, entry.path, _place(folder, entry))

    def _extract(self, layer: Layer, folder: Path) -> None:
        """Extract a layer with whiteouts and opaque directories, of which a merged view tells nothing."""
        View([layer]).extract(folder)
        for entry in layer:
            if entry.is_opaque:
                os.setxattr(_place(folder, entry), self._opaque, b"y")
            elif entry.kind == "whiteout":
                _make_whiteout(_place(folder, entry))


def _place(folder: Path, entry: Entry) -> bytes:
    return os.fsencode(folder) + b"/" + os.fsencode(entry.path.strip("/"))


def _set_attributes(fs: Overlay, path: str, place: bytes) -> None:
    for name in fs.listxattr(f"/{path}", follow_symlinks=False):
        value = fs.getxattr(f"/{path}", name, follow_symlinks=False)
        os.setxattr(place, name, value, follow_symlinks=False)


def _make_whiteout(path: bytes) -> None:
    parent = os.path.dirname(path)
    before = os.lstat(parent)
    os.mknod(path, stat.S_IFCHR, 0)
    os.utime(parent, ns=(before.st_atime_ns, before.st_mtime_ns))


def remove_folder(folder: Path) -> None:
    """Remove a directory with all that is in it, whatever modes a layer or the kernel gave to it, and however deep."""
    moved = count()
    with suppress(FileNotFoundError):
        waiting = [os.fsencode(folder)]
        while waiting:
            place = waiting[-1]
            os.chmod(place, _KEPT_MODE)
            inner = _emptied(place, os.fsencode(folder), moved)
            if inner:
                waiting += inner
            else:
                os.rmdir(waiting.pop())


def _emptied(place: bytes, top: bytes, moved: Iterator[int]) -> list[bytes]:
    """Remove the files of a directory and lift its directories to the top, so that no path grows; return where to."""
    lifted = []
    for found in list(os.scandir(place)):
        if not found.is_dir(follow_symlinks=False):
            os.unlink(found.path)
        elif place == top:
            lifted.append(found.path)
        else:
            os.chmod(found.path, _KEPT_MODE)
            lifted.append(top + b"/.removed%d" % next(moved))
            os.rename(found.path, lifted[-1])
    return lifted
