"""A failing case made small: parts go as long as it still fails (delta debugging, Zeller and Hildebrandt 2002)."""

from __future__ import annotations

from subprocess import CalledProcessError
from typing import TYPE_CHECKING, TypeVar

from tests.kernel.fuzz.case import Case, DivergenceError, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.kernel.fuzz.worker import Worker
    from tests.tars import Entry

Part = TypeVar("Part")


def minimal(parts: Sequence[Part], fails: Callable[[list[Part]], bool]) -> list[Part]:
    """Return a part of a failing sequence that fails still, and not without any one of its own parts."""
    kept, chunk = list(parts), max(1, len(parts) // 2)
    while True:
        start, shrank = 0, False
        while start < len(kept):
            shorter = kept[:start] + kept[start + chunk :]
            if fails(shorter):
                kept, shrank = shorter, True
            else:
                start += chunk
        if chunk == 1 and not shrank:
            return kept
        chunk = chunk if shrank and chunk == 1 else max(1, chunk // 2)


def shrink(case: Case, worker: Worker) -> Case:
    """Take operations, then layers, then members of layers out of a failing case."""

    def fails(smaller: Case) -> bool:
        return divergence(smaller, worker) is not None

    operations = minimal(case.operations, lambda kept: fails(Case(case.layers, kept)))
    layers = minimal(case.layers, lambda kept: fails(Case(kept, operations)))
    numbered = [(number, entry) for number, layer in enumerate(layers) for entry in layer]
    count = len(layers)

    def stacked(kept: Sequence[tuple[int, Entry]]) -> list[list[Entry]]:
        return [[entry for at, entry in kept if at == number] for number in range(count)]

    members = minimal(numbered, lambda kept: fails(Case(stacked(kept), operations)))
    smaller = stacked(members)
    return Case(smaller, minimal(operations, lambda kept: fails(Case(smaller, kept))))


def divergence(case: Case, worker: Worker) -> DivergenceError | None:
    """Run a case; one that cannot be built, such as a link to what was taken out, does not count as failing."""
    try:
        run(case, worker)
    except DivergenceError as found:
        return found
    except (KeyError, ValueError, OSError, CalledProcessError):
        return None
    return None
