"""Objects and lists of JSON that nobody can change: what several values share stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeVar, cast

_V = TypeVar("_V")
# How the field of a struct is declared that holds a `FrozenMapping`: decoders know the abstract type alone.
Frozen: TypeAlias = Mapping[str, _V]
# The same of what Go has as a set: a mapping to empty objects.
FrozenSets: TypeAlias = Mapping[str, Mapping[str, object]]


class FrozenMapping(Mapping[str, _V]):
    """A mapping that is made once: equal to any mapping of the same items, and pickled as one.

    Parameters
    ----------
    items : mapping
        Copied, and what is in it too.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, _V]) -> None:
        self._items = {key: frozen(value) for key, value in items.items()}

    def __getitem__(self, key: str) -> _V:
        """Return the value of a key."""
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, in the order of the document."""
        return iter(self._items)

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._items)

    def __hash__(self) -> int:
        """Return a hash of the items."""
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        """Show the items as a dictionary does."""
        return repr(self._items)


def frozen(value: _V) -> _V:
    """Return JSON with its objects as `FrozenMapping` and its lists as tuples, all the way down."""
    made: object = value
    if isinstance(value, Mapping):
        made = value if isinstance(value, FrozenMapping) else FrozenMapping(value)
    elif isinstance(value, list | tuple):
        made = tuple(map(frozen, value))
    return cast("_V", made)
