"""A thousand edits against ten Dockerfiles, replayed."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import layersim as ls
from benches.row import share_of_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benches.row import Row

_LIMIT = 5.0
_RUNS = ls.runs(
    {
        "apt-get install": ls.effect(files={"/usr/lib/tools": (200, "80MB")}, seconds=20),
        "npm ci": ls.effect(files={"node_modules": (500, "40MB")}, uses=["package.json"], seconds=30),
        "npm run build": ls.effect(writes={"dist/main.js": "1MB"}, uses=["src", "package.json"], seconds=10),
    }
)
_STEPS = (
    "RUN apt-get install git",
    "COPY package.json ./",
    "COPY src src",
    "COPY . .",
    "RUN npm ci",
    "RUN npm run build",
)


def replaying(_folder: Path, scale: float) -> Iterator[Row]:
    """Replay edits of a project of 2,000 files."""
    dice = random.Random(0)
    files = {"package.json": 900} | {f"src/{at % 40}/{at}.js": 2_000 + at for at in range(2_000)}
    paths = list(files)
    edits = [dice.sample(paths, dice.randrange(1, 6)) for _ in range(int(1_000 * scale))]
    variants = {f"variant {at}": _dockerfile(dice) for at in range(10)}
    limit = _LIMIT * scale
    ours = _seconds(lambda: ls.replay(variants, edits, context=files, run=_RUNS, bases={"node": "180MB"}))
    yield share_of_limit(
        f"replay {len(edits):,} edits x 10 Dockerfiles", f"{limit:g} s of one core", (ours, limit), "<= 1 x"
    )


def _seconds(work: Callable[[], object]) -> float:
    """Return the seconds of one core that a piece of work takes, the fewest of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def _dockerfile(dice: random.Random) -> str:
    """Return a Dockerfile of ten steps, whose sources come before what is made of them."""
    lines = [f"ENV E{at}={at}" for at in range(4)]
    middle = dice.sample(_STEPS[:4], 4)
    return "\n".join(["FROM node", "WORKDIR /app", *lines, *middle, *_STEPS[4:]]) + "\n"
