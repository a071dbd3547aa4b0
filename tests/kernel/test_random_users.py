"""Random operations of several users, the same on the kernel's overlay and on ours, and what they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.agreement import Pair
from tests.kernel.user_operations import Users, opened_root, owned_layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay

ROUNDS, OPERATIONS_A_ROUND = 4, 100


@pytest.mark.parametrize("seed", range(16))
def test_users(seed: int, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    source = Users(seed)
    pair = Pair.over(overlay_mount(owned_layers(seed)))
    pair.agree(opened_root())
    for _ in range(ROUNDS):
        pair.agree([source.user_operation() for _ in range(OPERATIONS_A_ROUND)])
        pair.same_end()
