"""Random operation sequences, the same on the kernel's overlay and on ours: outcomes, merged tree, upper directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.agreement import Pair
from tests.kernel.random_operations import Sequence, lower_layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

ROUNDS, OPERATIONS_A_ROUND = 5, 60


def _drive(pair: Pair, operations: list[Operation]) -> None:
    """Carry out the operations in rounds, comparing what is left after each."""
    for start in range(0, len(operations), OPERATIONS_A_ROUND):
        pair.agree(operations[start : start + OPERATIONS_A_ROUND])
        pair.same_end()


@pytest.mark.parametrize("seed", range(40))
def test_paths(seed: int, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    source = Sequence(seed)
    _drive(Pair.over(overlay_mount(lower_layers())), [source.operation() for _ in range(ROUNDS * OPERATIONS_A_ROUND)])


@pytest.mark.parametrize("seed", range(100, 115))
def test_handles_survive_rename_unlink_and_copy_up(
    seed: int, overlay_mount: Callable[[list[bytes]], KernelOverlay]
) -> None:
    source = Sequence(seed)
    operations = [
        source.handle_operation() if source.rng.random() < 0.5 else source.operation()
        for _ in range(ROUNDS * OPERATIONS_A_ROUND)
    ]
    _drive(Pair.over(overlay_mount(lower_layers())), operations)
