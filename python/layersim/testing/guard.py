"""The promise that sharing rests on, as something to hold a test to: layers stay as they are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from layersim._core import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layersim._core import Layer


@contextmanager
def unchanged(layers: Iterable[Layer]) -> Iterator[None]:
    """Hold that layers are the same after a block as before it, to the last byte.

    Parameters
    ----------
    layers : iterable of Layer
        The shared ones. Layers that are known by size alone have no bytes to compare.

    Raises
    ------
    AssertionError
        A layer differs, or is not what its digest says; it is named.

    Examples
    --------
    >>> import layersim as ls
    >>> from layersim.testing import unchanged
    >>> base = ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])
    >>> with unchanged([base]):
    ...     ls.Overlay([base]).unlink("/etc/motd")
    """
    watched = [(layer, fingerprint(layer)) for layer in layers]
    yield
    for layer, before in watched:
        if fingerprint(layer) != before or layer.diff_id != before[0]:
            raise AssertionError(f"a layer was written to: {layer.diff_id}")


def fingerprint(layer: Layer) -> tuple[str, tuple[str, ...]]:
    """Return the digest of the tar that the layer would write now, and its entries."""
    return sha256(layer.tar_bytes()), tuple(map(repr, layer))
