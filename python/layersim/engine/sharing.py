"""What an engine tells of who holds what: sizes that add up, beside those that Docker prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.engine.state import State
from layersim.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.store import StoredLayer


class SharingReport(State):
    """The answers that no command of Docker gives."""

    def sharing(self) -> Sharing:
        """Return who holds which layer, and what it takes: bytes that add up.

        Returns
        -------
        Sharing
            As it is now; what happens later changes nothing in it.
        """
        with self._lock:
            return Sharing(self._images, self._layers, self._ledger.sizes, self._pins(), self._style())

    def _pins(self) -> Iterator[StoredLayer]:
        """Yield the tops that something else than an image and its own containers holds."""
        for image in self._containers.images():
            if image.top is not None and self._images.lookup(image.id) is None:
                yield image.top
        for record in self._build_cache:
            if record.top is not None:
                yield record.top
