"""An engine driven at random: sums, sharing and layers stay what they are."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import layersim as ls
from layersim.errors import ContainerStateError, ImageInUseError, ImageNotFoundError

if TYPE_CHECKING:
    from layersim.container import Container

NAMES = st.sampled_from(("a:1", "b:1", "c:2"))
PATHS = st.sampled_from(("/f", "/d/f", "/d/g"))


class EngineMachine(RuleBasedStateMachine):
    """Loads, runs, writes, commits, saves, removes and prunes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 10**18
        self.engine = ls.Engine(profile="docker20", clock=self.tick)
        self.containers: list[Container] = []
        self.layers: dict[str, tuple[ls.Layer, bytes, list[str]]] = {}

    def tick(self) -> int:
        self.now += 10**9
        return self.now

    def watch(self, image: ls.Image) -> None:
        for layer in image.layers:
            self.layers.setdefault(layer.diff_id, (layer, layer.tar_bytes(), [repr(entry) for entry in layer]))

    @rule(tag=NAMES, path=PATHS, data=st.binary(max_size=5))
    def import_image(self, tag: str, path: str, data: bytes) -> None:
        layer = ls.Layer.from_changes([ls.mkdir("/d"), ls.write(path, data)])
        self.watch(self.engine.import_tar(layer.tar_bytes(), tag=tag))

    @precondition(lambda self: len(self.engine.images()) > 0)
    @rule(at=st.integers(0, 9), running=st.booleans())
    def start(self, at: int, *, running: bool) -> None:
        rows = self.engine.images()
        image = rows[at % len(rows)].id
        self.containers.append(self.engine.run(image) if running else self.engine.create(image))

    @precondition(lambda self: self.containers)
    @rule(at=st.integers(0, 9), path=PATHS, data=st.binary(max_size=5))
    def write(self, at: int, path: str, data: bytes) -> None:
        fs = self.containers[at % len(self.containers)].fs
        if not fs.exists("/d"):
            fs.mkdir("/d")
        fs.write_bytes(path, data)

    @precondition(lambda self: self.containers)
    @rule(at=st.integers(0, 9), tag=st.none() | NAMES)
    def commit(self, at: int, tag: str | None) -> None:
        container = self.containers[at % len(self.containers)]
        known = {row.id for row in self.engine.images(all=True)}
        if container.image.id in known:
            self.watch(container.commit(tag=tag))
        else:
            with pytest.raises(ImageNotFoundError):
                container.commit(tag=tag)

    @precondition(lambda self: self.containers)
    @rule(at=st.integers(0, 9))
    def take_away(self, at: int) -> None:
        self.containers.pop(at % len(self.containers)).remove(force=True)

    @precondition(lambda self: len(self.engine.images()) > 0)
    @rule(at=st.integers(0, 9), force=st.booleans())
    def remove(self, at: int, *, force: bool) -> None:
        rows = self.engine.images()
        try:
            self.engine.remove_image(rows[at % len(rows)].id, force=force)
        except (ImageInUseError, ContainerStateError):
            return

    @rule()
    def prune(self) -> None:
        used = {container.image.id for container in self.containers}
        dangling = {row.id for row in self.engine.images() if not row.tags} - used
        there = {row.id for row in self.engine.images(all=True)}
        tagged = {row.id for row in self.engine.images() if row.tags}
        running = {container.image.id for container in self.containers if container.state == "running"}
        self.engine.prune()
        self.containers = [container for container in self.containers if container.state == "running"]
        left = {row.id for row in self.engine.images(all=True)}
        assert not dangling & left
        assert tagged | running & there <= left
        assert {row.id for row in self.engine.containers(all=True)} == {one.id for one in self.containers}

    @precondition(lambda self: any(row.tags for row in self.engine.images()))
    @rule()
    def save_and_load(self) -> None:
        tags = [tag for row in self.engine.images() for tag in row.tags]
        archive = io.BytesIO()
        self.engine.save(tags, archive)
        archive.seek(0)
        again = ls.Engine(profile="docker20", clock=self.tick)
        again.load(archive)
        assert {row.id: row.tags for row in again.images() if row.tags} == {
            row.id: row.tags for row in self.engine.images() if row.tags
        }

    @invariant()
    def layers_never_change(self) -> None:
        for diff_id, (layer, tar, listed) in self.layers.items():
            assert layer.diff_id == diff_id == ls.sha256(layer.tar_bytes())
            assert layer.tar_bytes() == tar
            assert [repr(entry) for entry in layer] == listed

    @invariant()
    def shared_once_and_unique_are_what_the_disk_holds(self) -> None:
        images = [self.engine.get_image(row.id) for row in self.engine.images(all=True)]
        held: dict[str, int] = {}
        for image in images:
            held.update(zip(image.chain_ids, image.layer_sizes, strict=True))
        df = self.engine.df(verbose=True)
        listed = [self.engine.get_image(row.id) for row in df.images]
        users = Counter(chain_id for image in listed for chain_id in image.chain_ids)
        assert df.layers_size == sum(held[chain_id] for chain_id in users)
        for row, image in zip(df.images, listed, strict=True):
            alone = sum(held[chain_id] for chain_id in image.chain_ids if users[chain_id] == 1)
            assert (row.size, row.unique_size) == (sum(image.layer_sizes), alone)
            assert row.size == row.shared_size + row.unique_size


EngineMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestEngine = EngineMachine.TestCase
