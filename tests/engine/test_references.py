"""What is a reference, by each generation of engines: odd texts are taken or refused as they do, in their words."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from layersim.errors import LayerSimError
from layersim.image import tagged_or_as_it_is
from tests.engine.compare import new_engine
from tests.engine.daemon import RefusalError
from tests.odd_references import CORPUS, LONG_DIGESTS, random_references
from tests.tars import layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import layersim as ls
    from tests.engine.daemon import Daemon

FOUND = "found"
# An image may be called so, but by that name an engine, or the containerd image store alone, finds it no more.
LOST = {*LONG_DIGESTS, "docker.io/docker.io/x", "docker.io/foo.com/x", "docker.io/localhost/x", "docker.io/a_b.com/x"}


class Pair:
    """Two engines with one image, ``src:1``."""

    def __init__(self, daemon: Daemon) -> None:
        daemon.docker("import", "-", "src:1", stdin=layer_tar([]))
        self.daemon = daemon
        self.engine: ls.Engine = new_engine(daemon)
        (self.image,) = self.engine.load(daemon.run("save", "src:1").stdout)

    def differences(self, texts: Iterable[str]) -> list[tuple[str, str, str]]:
        """Return the texts for which they do not find the same, or not with the same words."""
        return [found for text in texts if (found := self._compare(text, self._found(text), self.engine.create))]

    def differences_of_tags(self, texts: Iterable[str]) -> list[tuple[str, str, str]]:
        """Return the texts that only one takes for a new tag, as the command line does, or not with the same words."""
        tag = partial(self.engine.tag, "src:1")
        return [found for text in texts if (found := self._compare(text, self._tagged(text), tag))]

    def _found(self, text: str) -> str:
        """Look for an image as the engine itself does, which says more than its command line."""
        return said(partial(self.daemon.call, "POST", "/containers/create", {"Image": text, "Cmd": ["x"]}))

    def _tagged(self, text: str) -> str:
        printed = self.daemon.run("tag", "src:1", text).stderr.decode().removesuffix("\n")
        if printed.startswith("Error parsing reference: "):
            return printed.partition("is not a valid repository/tag: ")[2]
        return printed.removeprefix("Error response from daemon: ") or FOUND

    def _compare(self, text: str, theirs: str, act: Callable[[str], object]) -> tuple[str, str, str] | None:
        ours = said(partial(act, text))
        # The command line of 20.10 tells a missing image as it was asked for.
        is_missing = ours == f"No such image: {text}" and theirs == f"No such image: {tagged_or_as_it_is(text)}"
        # What was wrong with the text may follow.
        is_same = ours in {theirs, f"{theirs}: {text[:300]!r}"}
        return None if is_same or is_missing else (text, theirs, ours)


def said(act: Callable[[], object]) -> str:
    try:
        act()
    except (RefusalError, LayerSimError) as error:
        return str(error)
    return FOUND


class References:
    """What holds for every generation."""

    def test_looking_for_it(self, pair: Pair) -> None:
        assert len(CORPUS) >= 200
        assert pair.differences(CORPUS) == []

    @pytest.mark.parametrize("seed", range(4))
    def test_looking_for_pieces_of_references(self, seed: int, pair: Pair) -> None:
        assert pair.differences(random_references(seed, 100)) == []

    def test_naming_an_image_so(self, pair: Pair) -> None:
        """Then all is looked for again, as much of it means one of the new tags."""
        assert pair.differences_of_tags(CORPUS) == []
        theirs = pair.daemon.inspect(pair.image.id)["RepoTags"]
        assert sorted(pair.engine.get_image(pair.image.id).tags) == sorted(theirs)
        assert pair.differences(text for text in CORPUS if text not in LOST) == []

    @pytest.mark.parametrize("name", ["src", "src:1", "src:9", "other", "docker.io/library/src", "foo.com/y"])
    def test_a_name_with_the_digest(self, name: str, pair: Pair) -> None:
        pair.daemon.docker("tag", "src:1", "foo.com/y:1")
        pair.engine.tag("src:1", "foo.com/y:1")
        assert pair.differences([f"{name}@{pair.image.id}"]) == []

    @pytest.mark.parametrize("digits", [1, 3, 4, 12, 64])
    def test_a_part_of_the_id(self, digits: int, pair: Pair) -> None:
        part = pair.image.id[: 7 + digits]
        assert pair.differences([part, part.removeprefix("sha256:")]) == []


class TestDocker20(References):
    @pytest.fixture
    def pair(self, daemon: Daemon) -> Pair:
        return Pair(daemon)


class TestOverlay2(References):
    @pytest.fixture
    def pair(self, graph_daemon: Daemon) -> Pair:
        return Pair(graph_daemon)


class TestContainerd(References):
    @pytest.fixture
    def pair(self, snapshot_daemon: Daemon) -> Pair:
        return Pair(snapshot_daemon)

    @pytest.mark.parametrize("name", ["src", "src:2", "src:9", "foo.com/y"])
    @pytest.mark.parametrize("tags", [(), ("src:2",), ("src:2", "foo.com/y:1")])
    @pytest.mark.parametrize("options", [(), ("--force",)])
    @pytest.mark.parametrize("containers", [(), ("user",)])
    def test_removing_it(
        self, name: str, tags: tuple[str, ...], options: tuple[str, ...], containers: tuple[str, ...], pair: Pair
    ) -> None:
        """The tags of that name go, and the image with the last of them."""
        for tag in tags:
            pair.daemon.docker("tag", "src:1", tag)
            pair.engine.tag("src:1", tag)
        for container in containers:
            pair.daemon.docker("create", "--name", container, "src:1", "x")
            pair.engine.create("src:1", name=container)
        ref = f"{name}@{pair.image.id}"
        done = pair.daemon.run("rmi", *options, ref)
        theirs = (done.stdout + done.stderr).decode().removeprefix("Error response from daemon: ").strip()
        ours = removal(pair.engine, ref, force=bool(options))
        assert without_ids(ours) == without_ids(theirs)


def removal(engine: ls.Engine, ref: str, *, force: bool) -> str:
    try:
        return str(engine.remove_image(ref, force=force))
    except LayerSimError as error:
        return str(error)


def without_ids(text: str) -> str:
    return re.sub(r"container [0-9a-f]{12}", "container", text)
