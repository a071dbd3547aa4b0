"""Evidence that a write stayed where it was made: layers hashed again, other containers looked at again."""

from __future__ import annotations

import hashlib
import io
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed import ReadableBuffer

    from layersim._core import Layer, Overlay, Stat


class _Digest(io.RawIOBase):
    def __init__(self) -> None:
        super().__init__()
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        self.sha256.update(data)
        return memoryview(data).nbytes


def layer_digests(layers: Iterable[Layer]) -> dict[str, str]:
    """Hash the bytes of layers with ``hashlib``, whatever digest they claim.

    Returns
    -------
    dict
        The digest found, ``sha256:<hex>``, by the layer's `diff_id`.
    """
    return {layer.diff_id: _digest(layer) for layer in layers}


def _digest(layer: Layer) -> str:
    sink = _Digest()
    with io.BufferedWriter(sink) as target:
        layer.write_tar(target)
        target.flush()
        return f"sha256:{sink.sha256.hexdigest()}"


def view_digest(fs: Overlay) -> str:
    """Hash what a container sees: every path with its status and the layer its bytes come from.

    Returns
    -------
    str
        ``sha256:<hex>``. Bytes of read-only layers are left to `layer_digests`; bytes in the writable
        layer are hashed.
    """
    digest = hashlib.sha256()
    for path in _paths(fs):
        status = fs.lstat(path)
        digest.update(repr((path, _fields(status))).encode())
        if stat.S_ISREG(status.st_mode) and not 0 <= status.layer < len(fs.lower.layers):
            digest.update(fs.read_bytes(path))
    return f"sha256:{digest.hexdigest()}"


def _paths(fs: Overlay) -> Iterator[str]:
    for directory, subdirectories, names in fs.walk("/"):
        for name in sorted([*subdirectories, *names]):
            yield f"{directory.rstrip('/')}/{name}"


def _fields(status: Stat) -> tuple[int, ...]:
    return (
        status.st_mode,
        status.st_uid,
        status.st_gid,
        status.st_size,
        status.st_rdev,
        status.st_mtime_ns,
        status.layer,
    )
