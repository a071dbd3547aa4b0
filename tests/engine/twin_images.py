"""Images of two engines that are told the same; what the real one does at a moment of its own, ours does then."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.image import instant
from layersim.profiles import CLI_20, DOCKER20
from tests.engine.archives import docker_archive
from tests.engine.daemon import API, RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.engine.archives import ImageSpec
    from tests.engine.daemon import Daemon, Json


A_FILE_OF_ITS_OWN = re.compile(r"open /\S+/imagedb/\S+: no such file or directory")
# The containers that use a volume are told in any order.
USERS = re.compile(r"(?<=volume is in use - \[)[^]]+")


class Clock:
    """The time of day, or the moment that it is set to."""

    def __init__(self) -> None:
        self._moment: int | None = None

    def __call__(self) -> int:
        return time.time_ns() if self._moment is None else self._moment

    @contextmanager
    def at(self, text: str) -> Iterator[None]:
        """Stand still at a time that the engine wrote."""
        self._moment = instant.parse(text)
        try:
            yield
        finally:
            self._moment = None


class ImageTwins:
    """A real engine and ours, and the commands that both of them get.

    Attributes
    ----------
    known : list of str
        Ids of all images that were ever there, in the order in which they came.
    containers : dict of str to Container
        Our containers by name; the real ones have the same names.
    ids : dict of str to str
        Container ids of the real engine to ours.
    volume_names : dict of str to str
        Names of volumes of the real engine to ours, which differ where no user gave them.
    """

    def __init__(self, daemon: Daemon) -> None:
        self.daemon, self.clock = daemon, Clock()
        self.engine = ls.Engine(profile=replace(DOCKER20, forms=CLI_20), clock=self.clock)
        self.known: list[str] = []
        self.containers: dict[str, ls.Container] = {}
        self.ids: dict[str, str] = {}
        self.volume_names: dict[str, str] = {}

    def translated(self, text: str) -> str:
        """Return a text of the real engine with our ids of the containers and our names of the volumes."""
        for theirs, ours in (*self.ids.items(), *self.volume_names.items()):
            text = text.replace(theirs, ours).replace(theirs[:12], ours[:12])
        return text

    def agree(self, theirs: Callable[[], object], ours: Callable[[], object]) -> bool:
        """Give a command to both; both do it, or both refuse with one message."""
        refusal = _refusal(theirs)
        if refusal is None:
            ours()
            return True
        with pytest.raises((ls.LayerSimError, ValueError)) as caught:
            ours()
        told = A_FILE_OF_ITS_OWN.sub("the image was removed", self.translated(refusal))
        assert _in_order(str(caught.value)) == _in_order(told)
        return False

    def inspect(self, kind: str, reference: str) -> dict[str, Json]:
        """Return what the real engine knows of one of its ``images`` or ``containers``."""
        found: dict[str, Json] = self.daemon.api(f"/{API}/{kind}/{reference}/json")
        return found

    # Images in.

    def load(self, images: Sequence[ImageSpec]) -> None:
        """`docker load` of an archive."""
        archive = docker_archive(images)
        answer = self.daemon.call("POST", "/images/load", archive, quiet="1")
        messages = "".join(json.loads(line)["stream"] for line in answer.splitlines())
        assert f"{self.engine.load(archive)}\n" == messages
        self.known += [image.image_id for image in images if image.image_id not in self.known]

    def import_tar(self, tar: bytes, tag: str) -> None:
        """`docker import`, which gives an image of the very same id."""
        repository, _, version = tag.rpartition(":")
        answer = self.daemon.call("POST", "/images/create", tar, fromSrc="-", repo=repository, tag=version)
        image_id = json.loads(answer.splitlines()[-1])["status"]
        with self.clock.at(self.inspect("images", image_id)["Created"]):
            assert self.engine.import_tar(tar, tag=tag).id == image_id
        self.known.append(image_id)

    def build(self, folder: str, tag: str, *, buildkit: bool) -> None:
        """`docker build` by the real engine; ours takes over what it made, the steps between included."""
        before = self._image_parents()
        words = ("build", "--quiet", "--network=none", "--tag", tag, folder)
        done = self.daemon.run(*words, DOCKER_BUILDKIT=str(int(buildkit)))
        assert done.returncode == 0, done.stderr.decode()
        # Its cache would hold layers, and ours has none.
        self.daemon.call("POST", "/build/prune", all="1")
        after = self._image_parents()
        self.take_over({image: after[image] for image in after.keys() - before}, "build" if buildkit else "load")
        self.engine.tag(done.stdout.decode().strip(), tag)

    def _image_parents(self) -> dict[str, str]:
        return {image["Id"]: image["ParentId"] for image in self.daemon.api(f"/{API}/images/json?all=1")}

    def take_over(self, parents: dict[str, str], way: str) -> None:
        """Save images of the real engine together with their parents, and load them into ours."""
        if parents:
            names = sorted(parents.keys() | set(parents.values()) - {""})
            self.engine.load(self.daemon.call("GET", "/images/get", names=names), way=way)
        while parents:  # in the order in which they were made, which their ids do not tell
            first = {image for image, parent in parents.items() if parent not in parents}
            self.known += sorted(first - set(self.known), key=self._made)
            parents = {image: parent for image, parent in parents.items() if image not in first}

    def _made(self, image: str) -> int:
        return instant.parse(self.inspect("images", image)["Created"])

    # Images by name.

    def tag(self, reference: str, name: str) -> None:
        """`docker tag`."""
        repository, _, version = name.rpartition(":")
        path = f"/images/{reference}/tag"
        self.agree(
            lambda: self.daemon.call("POST", path, repo=repository, tag=version),
            lambda: self.engine.tag(reference, name),
        )

    def remove_image(self, reference: str, *, force: bool) -> None:
        """`docker rmi`, in the words of the command line."""
        done = self.daemon.run("rmi", *(["--force"] if force else []), reference)
        try:
            ours = str(self.engine.remove_image(reference, force=force))
        except ls.LayerSimError as error:
            ours = str(error)
        theirs = self.translated((done.stdout + done.stderr).decode().rstrip())
        assert self._unnamed(ours) == self._unnamed(theirs.removeprefix("Error response from daemon: "))

    def _unnamed(self, text: str) -> str:
        """Return a refusal without the container that it names: any of those that use the image."""
        for container in self.containers.values():
            text = text.replace(f"container {container.id[:12]}", "a container")
        return text.removeprefix("Error: ")


def _in_order(refusal: str) -> str:
    """Return a message with the containers that it lists sorted."""
    return USERS.sub(lambda found: ", ".join(sorted(found[0].split(", "))), refusal)


def _refusal(act: Callable[[], object]) -> str | None:
    try:
        act()
    except RefusalError as error:
        return str(error)
    return None
