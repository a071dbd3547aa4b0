"""Random sessions at both engines: the same commands, the same answers, the same sums and tables after each."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.agreement import assert_same_state
from tests.engine.archives import ImageSpec
from tests.engine.random_builds import Base, RecipeDraft
from tests.engine.random_images import random_images
from tests.engine.random_works import WorkDraft, random_upload, random_volume_work, shell_layer
from tests.engine.twins import Twins, script
from tests.seeds import seeds
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.daemon import Daemon
    from tests.engine.twins import Prunable

VOLUMES = ("v1", "v2")
TAGS = ("a:1", "a:2", "b:1", "x/c:2", "host.example:5000/d:1")
SEEDS = seeds(range(200), gate=70)
STEPS = 6
FEW, MANY = 4, 14


class Session:
    """One user at two engines, and the log of what was done."""

    def __init__(self, daemon: Daemon, seed: int, folder: Path) -> None:
        self.rng, self.twins, self.folder = random.Random(seed), Twins(daemon), folder
        self.seed = seed
        self.written: set[str] = set()
        self.made = self.states = 0
        self.log: list[str] = []

    def play(self) -> None:
        """Do one random thing after the other, and compare the engines after each."""
        try:
            self._do(self.load)
            self._do(self.rng.choice((self.create, self.run)))
            for _ in range(STEPS):
                self._do(self._choose())
            self._do(self.clear)
        except BaseException as error:
            error.add_note("\n".join([f"seed {self.seed}:", *self.log]))
            raise

    def _do(self, act: Callable[[], None]) -> None:
        act()
        self.states += 1
        assert_same_state(self.twins, with_summary=self.states % 2 == 0)

    def _choose(self) -> Callable[[], None]:
        """Draw something that is possible now."""
        weights: dict[Callable[[], None], int] = {self.prune: 2}
        if len(self.images) < MANY:
            weights |= {self.load: 1, self.import_tar: 1, self.build: 3}
        if self.images:
            weights |= {self.tag: 2, self.remove_image: 4}
        if self.images and len(self.twins.containers) < FEW:
            weights |= {self.create: 3, self.run: 2}
        if self.twins.containers:
            weights |= {self.change: 3, self.upload: 1, self.commit: 3, self.remove_container: 2}
        if self.twins.volume_names:
            weights |= {self.remove_volume: 1}
        if self._in_state("running"):
            weights |= {self.execute: 2}
        return self.rng.choices(list(weights), list(weights.values()))[0]

    # What there is, in an order that does not depend on ids.

    @property
    def images(self) -> list[str]:
        present = {row.id for row in self.twins.engine.images(all=True)}
        return [image for image in self.twins.known if image in present]

    @property
    def tags(self) -> list[str]:
        return sorted(tag for row in self.twins.engine.images(all=True) for tag in row.tags)

    def _in_state(self, *states: str) -> list[str]:
        return [name for name, container in self.twins.containers.items() if container.state in states]

    def _reference(self) -> str:
        """Return a tag, an id or the beginning of one."""
        image = self.rng.choice(self.images)
        return self.rng.choice([*self.tags, image, image[7:], image[7:19], image[:20]])

    def _with_shell(self) -> list[str]:
        return [image for image in self.images if self._has_shell(image)]

    def _has_shell(self, reference: str) -> bool:
        view = ls.View(self.twins.engine.get_image(reference).layers)
        return "/bin/busybox" in view and "/w/d/sub" in view

    def _draft(self, reference: str) -> WorkDraft:
        return WorkDraft(self.rng, ls.Overlay(self.twins.engine.get_image(reference).layers))

    def _name(self) -> str:
        self.made += 1
        return f"c{self.made}"

    def note(self, *words: object) -> None:
        self.log.append(" ".join(map(str, words)))

    # What may be done.

    def load(self) -> None:
        count = 1 if self.images else self.rng.randrange(1, 3)
        images = random_images(self.rng.randrange(10**6), datetime.now(UTC))[:count]
        images = [replace(image, tags=self._some_tags()) for image in images]
        if self.rng.random() < 0.8 and not self._with_shell():
            config = {"Cmd": ["sleep", "1000"]} if self.rng.random() < 0.5 else {}
            images.append(ImageSpec((shell_layer(),), ("a:1",), datetime.now(UTC), config=config))
        self.note("load", *(image.tags for image in images))
        self.twins.load(images)

    def _some_tags(self) -> tuple[str, ...]:
        return tuple(self.rng.sample(TAGS, self.rng.choice((0, 1, 1, 2))))

    def import_tar(self) -> None:
        tag = self.rng.choice(TAGS)
        entries = [Entry("f", content=bytes(self.rng.randrange(5) * 1000)), directory("d"), symlink("l", "f")]
        self.note("import", tag)
        self.twins.import_tar(layer_tar(entries[: self.rng.randrange(1, 4)]), tag)

    def build(self) -> None:
        buildkit, tag = self.rng.random() < 0.5, self.rng.choice(TAGS)
        bases = [Base(name, self._draft(name) if self._has_shell(name) else None) for name in self.tags]
        recipe = RecipeDraft(self.rng, bases).recipe()
        self.note("build", "buildkit" if buildkit else "legacy", tag, f"\n{recipe.dockerfile}")
        context = self.folder / f"context{len(self.log)}"
        context.mkdir()
        recipe.write(context)
        self.twins.build(str(context), tag, buildkit=buildkit)

    def tag(self) -> None:
        reference, tag = self._reference(), self.rng.choice(TAGS)
        self.note("tag", reference, tag)
        self.twins.tag(reference, tag)

    def remove_image(self) -> None:
        reference, force = self._reference(), self.rng.random() < 0.4
        if self.rng.random() < 0.05:
            reference = self.rng.choice(("none:1", "0123456789ab"))
        self.note("rmi", "--force" if force else "", reference)
        self.twins.remove_image(reference, force=force)

    def create(self) -> None:
        """Create a container, and start it where the image has a program that runs for long."""
        reference, name = self._reference(), self._name()
        has_shell = self._has_shell(reference)
        command = ["sleep", "1000"] if has_shell else ["x", "and y"]
        paths = self.rng.choice((["/vol"], ["/k0"], ["/vol", "/k0"], [], []))
        volumes = {path: self.rng.choice(VOLUMES) for path in paths}
        self.note("create", name, reference, volumes)
        self.twins.create(reference, name, command, volumes)
        if has_shell and self.rng.random() < 0.7:
            self.note("start", name)
            self.twins.start(name)

    def run(self) -> None:
        """Run some work to its end."""
        if not (images := self._with_shell()):
            self.create()
            return
        image, name = self.rng.choice(images), self._name()
        works = self._draft(image).works(self.rng.randrange(1, 6))
        self.written.add(name)
        ending = f"exit {self.rng.choice((0, 0, 3))}"
        self.note("run", name, image, script(works), ending)
        self.twins.create(image, name, ["sh", "-ec", f"{script(works)}\n{ending}"], {})
        self.twins.run_to_its_end(name, works)

    def execute(self) -> None:
        name = self.rng.choice(self._in_state("running"))
        container = self.twins.containers[name]
        works = WorkDraft(self.rng, container.fs.fork()).works(self.rng.randrange(1, 4))
        works += [random_volume_work(self.rng, path) for path in sorted(container.volumes)]
        self.written.add(name)
        self.note("exec", name, script(works))
        self.twins.execute(name, works)

    def upload(self) -> None:
        name = self.rng.choice(list(self.twins.containers))
        self.note("cp", name)
        self.twins.put(name, *random_upload(self.rng))

    def change(self) -> None:
        """Start, stop, pause or unpause a container, whether it can be or not."""
        name = self.rng.choice(list(self.twins.containers))
        container = self.twins.containers[name]
        acts = [self.twins.pause, self.twins.unpause]
        if container.state != "paused":
            acts += [self.twins.stop]
        if container.command == ("sleep", "1000"):
            acts += [self.twins.start]
        act = self.rng.choice(acts)
        self.note(act.__name__, name)
        act(name)

    def commit(self) -> None:
        name = self.rng.choice(list(self.twins.containers))
        tag, message = self.rng.choice((None, *TAGS)), self.rng.choice((None, "by hand"))
        self.note("commit", name, tag)
        # A shell's files are of the moment, and so are the mount points of volumes.
        exact = name not in self.written and not self.twins.containers[name].volumes
        self.twins.commit(name, tag, message=message, exact=exact)

    def remove_container(self) -> None:
        name, force = self.rng.choice(list(self.twins.containers)), self.rng.random() < 0.5
        volumes = self.rng.random() < 0.3
        self.note("rm", "--force" if force else "", "--volumes" if volumes else "", name)
        self.twins.remove_container(name, force=force, volumes=volumes)

    def remove_volume(self) -> None:
        name = self.rng.choice(list(self.twins.volume_names))
        self.note("volume rm", name)
        self.twins.remove_volume(name)

    def prune(self) -> None:
        what: Prunable = self.rng.choice(("containers", "volumes", "images", "images", "system"))
        unused = what in {"images", "system"} and self.rng.random() < 0.3
        volumes = what == "system" and self.rng.random() < 0.3
        self.note(what, "prune", "--all" if unused else "", "--volumes" if volumes else "")
        self.twins.prune(what, unused_images=unused, volumes=volumes)

    def clear(self) -> None:
        self.note("system prune --all")
        self.twins.prune("system", unused_images=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_goes_alike_at_both_engines(seed: int, quick_daemon: Daemon, tmp_path: Path) -> None:
    Session(quick_daemon, seed, tmp_path).play()
