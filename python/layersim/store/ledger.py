"""One column of sizes for all that an engine holds: whatever takes room has a number in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIRST = 64
LARGEST = 2**63 - 1
"""Docker counts bytes in an int64."""


def check_total(size: int) -> None:
    """Raise a ValueError for more bytes than Docker counts."""
    if size > LARGEST:
        raise ValueError(f"expected at most 2**63 - 1 bytes in all, got {size}")


class Ledger:
    """Sizes in bytes by number; a number that is given back is given out again."""

    def __init__(self) -> None:
        self._sizes = np.zeros(_FIRST, dtype=np.uint64)
        self._free: list[int] = []
        self._used = 0
        self._total = 0

    @property
    def sizes(self) -> NDArray[np.uint64]:
        """Sizes in bytes by number; numbers that nothing has hold what the last one had that had them."""
        return self._sizes[: self._used]

    def enter(self, size: int) -> int:
        """Write a size down, and return its number.

        Raises
        ------
        ValueError
            All sizes together would be more than 63 bits hold, so that sums of them could not be told.
        """
        check_total(self._total + size)
        self._total += size
        number = self._free.pop() if self._free else self._next()
        self._sizes[number] = size
        return number

    def strike(self, number: int) -> None:
        """Give a number back."""
        self._total -= int(self._sizes[number])
        self._free.append(number)

    def _next(self) -> int:
        if self._used == len(self._sizes):
            self._sizes = np.concatenate([self._sizes, np.zeros_like(self._sizes)])
        self._used += 1
        return self._used - 1
