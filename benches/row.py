"""A row of the table, and how one is measured: ours and the peer by turns, the fastest round of each."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Row:
    """One piece of work beside its peer.

    Attributes
    ----------
    ours, theirs : float
        In `unit`.
    value : float
        What the promise is about, usually a ratio of the two.
    promise : str
        A bound such as ``>= 30x``; empty where none was made.
    """

    work: str
    peer: str
    ours: float
    theirs: float
    unit: str
    value: float
    promise: str

    @property
    def is_met(self) -> bool | None:
        """Whether the promise is kept; None without a promise."""
        if not self.promise:
            return None
        relation, bound = self.promise.split()[:2]
        limit = float(bound.rstrip("x").replace(",", ""))
        return self.value >= limit if relation == ">=" else self.value <= limit


def fastest(*works: Callable[[], object], rounds: int = 5) -> list[float]:
    """Do each piece of work in turn, again and again; return the fewest seconds that each one took."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            start = time.perf_counter()
            result = work()
            best[at] = min(best[at], time.perf_counter() - start)
            del result
    return best


def speedup(work: str, peer: str, seconds: tuple[float, float], promise: str) -> Row:
    """Return a row whose value says how many times faster ours is."""
    ours, theirs = seconds
    return Row(work, peer, ours * 1e3, theirs * 1e3, "ms", theirs / ours, promise)


def share_of_limit(work: str, peer: str, seconds: tuple[float, float], promise: str) -> Row:
    """Return a row whose value says how many times the limit's time ours takes."""
    ours, limit = seconds
    return Row(work, peer, ours * 1e3, limit * 1e3, "ms", ours / limit, promise)
