"""A mix of operations, one after another, beside the same on a kernel's overlay that lives in memory."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import layersim as ls
from benches.made import base_layer, noise
from benches.mounted import overlay, refusal, tmpfs
from benches.row import fastest, speedup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benches.row import Row

_PAGE = noise(4096)


def mixing(folder: Path, scale: float) -> Iterator[Row]:
    """Create, write 4 KiB, read, rename, unlink, again and again."""
    layers, count = [base_layer(1_000)], int(2_000 * scale)
    try:
        with tmpfs(folder / "memory") as memory, overlay(memory / "mount", layers) as merged:
            ours, theirs = fastest(
                lambda: _on_ours(ls.Overlay(layers), count), lambda: _on_the_kernel(f"{merged}/usr", count), rounds=7
            )
            work = f"create, write, read, rename, unlink {count:,} files"
            yield speedup(work, "os, kernel overlay on tmpfs", (ours, theirs), ">= 5 x")
    except subprocess.CalledProcessError as refused:
        yield refusal(refused)


def _on_ours(fs: ls.Overlay, count: int) -> None:
    for number in range(count):
        path, other = f"/usr/new{number}", f"/usr/other{number}"
        with fs.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644) as file:
            file.write(_PAGE)
        with fs.open(path) as file:
            file.read(4096)
        fs.rename(path, other)
        fs.unlink(other)


def _on_the_kernel(top: str, count: int) -> None:
    for number in range(count):
        path, other = f"{top}/new{number}", f"{top}/other{number}"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        os.write(descriptor, _PAGE)
        os.close(descriptor)
        descriptor = os.open(path, os.O_RDONLY)
        os.read(descriptor, 4096)
        os.close(descriptor)
        os.rename(path, other)
        os.unlink(other)
