"""Random Dockerfiles with their contexts, which both builders of the real engine accept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.tars import BORN

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.engine.random_works import WorkDraft

FILES = ("f0", "f1", "d/f2", "d/e/f3")
EMPTY_STEPS = (
    "LABEL a=1",
    'LABEL b="two words" c=3',
    "ENV K=v",
    'CMD ["sleep", "1000"]',
    "CMD run it",
    "EXPOSE 80/tcp",
    "VOLUME /k0",
    "VOLUME /new",
)


@dataclass(frozen=True)
class Base:
    """An image to build upon; one with a shell has a draft of the work that `RUN` may do there."""

    tag: str
    draft: WorkDraft | None = None


@dataclass(frozen=True)
class Recipe:
    """A Dockerfile, and sizes of the files beside it."""

    dockerfile: str
    sizes: Mapping[str, int]

    def write(self, folder: Path) -> None:
        """Write the context: files, a symbolic link and a hard link, all of one age."""
        for name, size in self.sizes.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(bytes(size))
        (folder / "d/sym").symlink_to("f2" * 20)
        (folder / "d/hard").hardlink_to(folder / "d/f2")
        (folder / "Dockerfile").write_text(self.dockerfile)
        for path in (*folder.rglob("*"), folder):
            os.utime(path, (BORN, BORN), follow_symlinks=False)


class RecipeDraft:
    """Draws the steps of one Dockerfile."""

    def __init__(self, rng: random.Random, bases: Sequence[Base]) -> None:
        self.rng, self.bases = rng, bases
        self.steps: list[str] = []

    def recipe(self) -> Recipe:
        """Return a Dockerfile of one stage or two."""
        has_two = self.rng.random() < 0.25
        if has_two:
            # BuildKit cannot copy out of every odd tree; out of plain ones it can.
            self._stage([base for base in self.bases if base.draft is not None], " AS first")
        self._stage(self.bases)
        if has_two:
            self.steps.append("COPY --from=first /k0/ /from/")
        sizes = {name: self.rng.choice((0, 10, 4097, 30_000)) for name in FILES}
        return Recipe("\n".join(self.steps) + "\n", sizes)

    def _stage(self, bases: Sequence[Base], name: str = "") -> None:
        base = self.rng.choice([*bases, Base("scratch")])
        # The first step copies: an image without layers cannot be saved.
        self.steps += [f"FROM {base.tag}{name}", f"COPY {self.rng.choice(FILES)} /k0/"]
        for number in range(1, self.rng.randrange(1, 4)):
            kinds = [self._copy, self._copy, self._empty, self._workdir]
            if base.draft is not None:
                self.steps += self._run(base.draft) if self.rng.random() < 0.5 else []
            self.steps.append(self.rng.choice(kinds)(number))

    def _copy(self, number: int) -> str:
        return self.rng.choice(
            (f"COPY {self.rng.choice(FILES)} /k{number}/g", f"COPY d /k{number}", f"COPY f0 f1 /k{number}/x/")
        )

    def _empty(self, _number: int) -> str:
        return self.rng.choice(EMPTY_STEPS)

    def _workdir(self, number: int) -> str:
        return f"WORKDIR /wd{number}/x"

    def _run(self, draft: WorkDraft) -> list[str]:
        return [f"RUN {' && '.join(work.shell for work in draft.works(self.rng.randrange(1, 4)))}"]
