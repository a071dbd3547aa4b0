"""A short random session at both engines: images, tags, created containers; alike in what is said and summed up."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import ImageNotFoundError
from tests.engine.compare import assert_same_images, assert_same_usage, new_engine, printed, shown
from tests.engine.saving import saved_with_parents
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.container import Container
    from tests.engine.daemon import Daemon

NAMES = ("a:1", "a:2", "b:1", "x/c:2", "host.example:5000/d:1")
STEPS = 25


def play(session: Session) -> None:
    """Do one thing after the other, and compare the engines after each."""
    for _ in range(STEPS):
        session.step()


class Session:
    """One user at two engines. What the real one makes with its own clock is saved and loaded into ours.

    Images are taken over one at a time, because engines since 25 keep a layer for ever once two that hold it were
    saved at once.
    """

    def __init__(self, daemon: Daemon, seed: int) -> None:
        self.daemon, self.engine, self.rng = daemon, new_engine(daemon), random.Random(seed)
        self.containers: list[Container] = []
        self.said: list[str] = []

    def step(self) -> None:
        """Do one random thing that is possible, and compare what both say of it."""
        self.rng.choice(self.acts())()
        self.compare()

    def acts(self) -> list[Callable[[], None]]:
        """Return what is possible now."""
        acts: list[Callable[[], None]] = [self.make_image, self.prune]
        if self.images:
            acts += [self.tag, self.create, self.remove_image, self.remove_image]
        if self.containers:
            acts += [self.commit, self.remove_container]
        return acts

    def compare(self) -> None:
        assert_same_images(self.daemon, self.engine)
        assert_same_usage(self.daemon, self.engine)
        assert shown(self.engine.df()) == printed(self.daemon, "system", "df"), self.said

    @property
    def images(self) -> list[str]:
        return sorted(row.id for row in self.engine.images(all=True))

    @property
    def tags(self) -> list[str]:
        return sorted(tag for row in self.engine.images() for tag in row.tags)

    def reference(self) -> str:
        """Return a tag, an id or the beginning of one."""
        image = self.rng.choice(self.images)
        return self.rng.choice([*self.tags, image, image.removeprefix("sha256:")[:12]])

    def take_over(self, *references: str) -> None:
        self.engine.load(saved_with_parents(self.daemon, references))

    def make_image(self) -> None:
        name = self.rng.choice(NAMES)
        entries = [Entry("f", content=bytes(self.rng.randrange(5) * 1000)), directory("d"), symlink("l", "f")]
        self.note("import", name)
        self.daemon.docker("import", "-", name, stdin=layer_tar(entries[: self.rng.randrange(1, 4)]))
        self.take_over(name)

    def tag(self) -> None:
        reference, name = self.reference(), self.rng.choice(NAMES)
        self.note("tag", reference, name)
        self.daemon.docker("tag", reference, name)
        self.engine.tag(reference, name)

    def create(self) -> None:
        reference, name = self.reference(), f"container-{len(self.said)}"
        self.note("create", name, reference)
        self.daemon.docker("create", "--name", name, reference, "x")
        self.containers.append(self.engine.create(reference, name=name, command=["x"]))

    def commit(self) -> None:
        container = self.rng.choice(self.containers)
        name = self.rng.choice((None, *NAMES))
        self.note("commit", container.name, str(name))
        done = self.daemon.run("commit", container.name, *([name] if name else []))
        if done.returncode:  # its image was removed by force
            assert b"failed to get digest" in done.stderr
            with pytest.raises(ImageNotFoundError, match="failed to get digest"):
                container.commit(tag=name)
            return
        made = done.stdout.decode().strip()
        self.take_over(str(self.daemon.inspect(made)["Parent"]), name or made)

    def remove_container(self) -> None:
        container = self.containers.pop(self.rng.randrange(len(self.containers)))
        self.note("rm", container.name)
        self.daemon.docker("rm", container.name)
        container.remove()

    def remove_image(self) -> None:
        reference, force = self.reference(), self.rng.random() < 0.4
        self.note("rmi", reference, "--force" if force else "")
        done = self.daemon.run("rmi", *(["--force"] if force else []), reference)
        try:
            ours = str(self.engine.remove_image(reference, force=force))
        except ls.LayerSimError as error:
            ours = str(error)
        theirs = (done.stdout + done.stderr).decode().removeprefix("Error response from daemon: ")
        assert sorted(self.without_ids(ours)) == sorted(self.without_ids(theirs)), self.said

    def prune(self) -> None:
        unused = self.rng.random() < 0.3
        self.note("image prune", "--all" if unused else "")
        theirs = self.daemon.docker("image", "prune", "--force", *(["--all"] if unused else []))
        ours = str(self.engine.prune("images", unused_images=unused))
        assert sorted(ours.split("\n")) == sorted(theirs.rstrip("\n").split("\n")), self.said

    def without_ids(self, text: str) -> list[str]:
        """Return the lines without ids of containers: each engine has its own, and names any of several."""
        return re.sub(r"container [0-9a-f]{12}", "container", text).strip().splitlines()

    def note(self, *words: str) -> None:
        self.said.append(" ".join(words))
