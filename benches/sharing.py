"""What sets of images would free, on a large fleet."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from benches.made import fleet
from benches.row import Row, fastest, share_of_limit, speedup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import layersim as ls

_SETS, _LARGEST, _BY_HAND = 1000, 1000, 50


def freeing(_: Path, scale: float) -> Iterator[Row]:
    """Ask many random sets of images what would go with them."""
    images, layers = int(10_000 * scale), int(100_000 * scale)
    engine = fleet(images, layers)
    asked, summed = fastest(engine.sharing, engine.df)
    yield share_of_limit(f"sharing() of {images:,} images", "df of the same", (asked, summed), "")
    sharing, draw = engine.sharing(), random.Random(4)
    sets = [draw.sample(range(images), draw.randint(1, min(images, _LARGEST))) for _ in range(_SETS)]
    packed = np.concatenate(sets), np.cumsum([0, *map(len, sets)])
    users, sizes, chains = _held(engine, sharing)
    ours, theirs = fastest(
        lambda: sharing.marginal_many(packed), lambda: _by_hand(sets[:_BY_HAND], users, sizes, chains), rounds=3
    )
    by_hand = _by_hand(sets[:_BY_HAND], users, sizes, chains)
    assert sharing.marginal_many(packed)[:_BY_HAND].tolist() == by_hand
    work = f"marginal of {_SETS:,} sets, {len(packed[0]):,} images"
    yield Row(work, "the promise", ours * 1e3, 50, "ms", ours * 1e3, "<= 50 ms")
    yield speedup(work, f"a loop over sets (from {_BY_HAND})", (ours, theirs / _BY_HAND * _SETS), "")


def _held(engine: ls.Engine, sharing: ls.Sharing) -> tuple[dict[str, set[int]], dict[str, int], list[tuple[str, ...]]]:
    chains = [engine.get_image(row.id).chain_ids for row in sharing.images]
    users: dict[str, set[int]] = {}
    for place, chain in enumerate(chains):
        for chain_id in chain:
            users.setdefault(chain_id, set()).add(place)
    return users, {row.chain_id: row.size for row in sharing.layers}, chains


def _by_hand(
    sets: list[list[int]], users: dict[str, set[int]], sizes: dict[str, int], chains: list[tuple[str, ...]]
) -> list[int]:
    freed = []
    for chosen in map(set, sets):
        held = {chain_id for place in chosen for chain_id in chains[place]}
        freed.append(sum(sizes[chain_id] for chain_id in held if users[chain_id] <= chosen))
    return freed
