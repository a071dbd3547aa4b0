"""Read-only layers by chain id, each kept once, and how often each is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import chain_ids
from layersim.errors import ChainTooDeepError
from layersim.store.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from layersim._core import Layer


class StoredLayer:
    """One place of a stack: a layer on a parent, under its chain id.

    Attributes
    ----------
    layer : Layer
        Known by digest and size alone until one with content comes in.
    size : int
        D(L) in bytes, recorded when this chain id first came in (accounting.md section 1).
    references : int
        How many images, containers and layers hold it.
    number : int
        Its place in the ledger.
    depth : int
        1 for a base layer.
    """

    __slots__ = ("chain_id", "depth", "layer", "number", "parent", "references", "size")

    def __init__(self, chain_id: str, layer: Layer, parent: StoredLayer | None, size: int, number: int) -> None:
        self.chain_id = chain_id
        self.layer = layer
        self.parent = parent
        self.size = size
        self.number = number
        self.references = 0
        self.depth: int = 1 if parent is None else parent.depth + 1

    def chain(self) -> list[StoredLayer]:
        """Return the stack that ends here, base first."""
        stack, place = [self], self.parent
        while place is not None:
            stack.append(place)
            place = place.parent
        return stack[::-1]


class LayerStore:
    """The layers of one engine.

    Parameters
    ----------
    deepest : int
        The largest depth of a stack.
    ledger : Ledger, optional
        Where sizes are written down; one of its own by default.
    """

    def __init__(self, deepest: int, ledger: Ledger | None = None) -> None:
        self._layers: dict[str, StoredLayer] = {}
        self._deepest = deepest
        self._ledger = ledger or Ledger()

    def __len__(self) -> int:
        """Return how many layers are kept."""
        return len(self._layers)

    def __iter__(self) -> Iterator[StoredLayer]:
        """Iterate over all layers, oldest first."""
        return iter(self._layers.values())

    def __contains__(self, chain_id: object) -> bool:
        """Whether a layer is kept under this chain id."""
        return chain_id in self._layers

    @property
    def sizes(self) -> NDArray[np.uint64]:
        """Sizes in bytes by number, as the ledger has them."""
        return self._ledger.sizes

    def hold(self, layers: Sequence[Layer], size_of: Callable[[Layer], int]) -> StoredLayer | None:
        """Keep a stack and hold its top; what is kept already stays as it is, its recorded size included.

        Only a layer that was known by digest and size alone gives way to one with content.

        Parameters
        ----------
        layers : sequence of Layer
            Base first; an empty one holds nothing and gives None.
        size_of : callable
            D(L) by the way in.

        Returns
        -------
        StoredLayer or None
            The top.

        Raises
        ------
        ChainTooDeepError
            The stack is deeper than the engine allows.
        ValueError
            There would be more bytes in all than 63 bits hold; nothing of the stack is kept then.
        """
        if len(layers) > self._deepest:
            raise ChainTooDeepError("max depth exceeded", self._deepest)
        top: StoredLayer | None = None
        try:
            for chain_id, layer in zip(chain_ids([layer.diff_id for layer in layers]), layers, strict=True):
                top = self._layers.get(chain_id) or self._add(chain_id, layer, top, size_of(layer))
                if top.layer.is_synthetic:
                    top.layer = layer
        except ValueError:
            self.release(_held(top))
            raise
        return _held(top)

    def find(self, chain_id: str) -> StoredLayer | None:
        """Return the layer that is kept under a chain id, or None."""
        return self._layers.get(chain_id)

    def restore(self, rows: Iterable[tuple[str, Layer, int, int]]) -> list[StoredLayer]:
        """Take in what was saved of another store; this one must be empty.

        Parameters
        ----------
        rows : iterable of (str, Layer, int, int)
            Chain id, layer, position of the parent among the rows before (-1: none), recorded size.
        """
        places: list[StoredLayer] = []
        for chain_id, layer, parent, size in rows:
            places.append(self._add(chain_id, layer, places[parent] if parent >= 0 else None, size))
        return places

    def release(self, top: StoredLayer | None) -> list[StoredLayer]:
        """Let go of a top; return the layers that nobody holds any more and that are gone now, top first."""
        freed = []
        while top is not None:
            top.references -= 1
            if top.references:
                break
            del self._layers[top.chain_id]
            self._ledger.strike(top.number)
            freed.append(top)
            top = top.parent
        return freed

    def _add(self, chain_id: str, layer: Layer, parent: StoredLayer | None, size: int) -> StoredLayer:
        stored = StoredLayer(chain_id, layer, parent, size, self._ledger.enter(size))
        self._layers[chain_id] = stored
        if parent is not None:
            parent.references += 1
        return stored


def _held(top: StoredLayer | None) -> StoredLayer | None:
    """Return a top that is held once more."""
    if top is not None:
        top.references += 1
    return top
