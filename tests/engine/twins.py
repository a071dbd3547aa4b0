"""Two engines that are told the same. What the real one does at a moment of its own, ours does at that moment."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.image import instant
from layersim.profiles import CLI_20, DOCKER20
from tests.engine.archives import docker_archive
from tests.engine.daemon import API, RefusalError
from tests.tars import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from layersim.engine import Pruned
    from tests.engine.archives import ImageSpec
    from tests.engine.daemon import Daemon, Json
    from tests.engine.random_works import Work


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


class Twins:
    """A real engine and ours, and the commands that both of them get.

    Attributes
    ----------
    known : list of str
        Ids of all images that were ever there, in the order in which they came.
    containers : dict of str to Container
        Our containers by name; the real ones have the same names.
    ids : dict of str to str
        Container ids of the real engine to ours.
    """

    def __init__(self, daemon: Daemon) -> None:
        self.daemon, self.clock = daemon, Clock()
        self.engine = ls.Engine(profile=replace(DOCKER20, forms=CLI_20), clock=self.clock)
        self.known: list[str] = []
        self.containers: dict[str, ls.Container] = {}
        self.ids: dict[str, str] = {}

    def translated(self, text: str) -> str:
        """Return a text of the real engine with our ids of the containers."""
        for theirs, ours in self.ids.items():
            text = text.replace(theirs, ours).replace(theirs[:12], ours[:12])
        return text

    def _agree(self, theirs: Callable[[], object], ours: Callable[[], object]) -> bool:
        """Give a command to both; both do it, or both refuse with one message."""
        refusal = _refusal(theirs)
        if refusal is None:
            ours()
            return True
        with pytest.raises((ls.LayerSimError, ValueError)) as caught:
            ours()
        assert str(caught.value) == self.translated(refusal)
        return False

    def _inspect(self, kind: str, reference: str) -> dict[str, Json]:
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
        with self.clock.at(self._inspect("images", image_id)["Created"]):
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
        return instant.parse(self._inspect("images", image)["Created"])

    # Images by name.

    def tag(self, reference: str, name: str) -> None:
        """`docker tag`."""
        repository, _, version = name.rpartition(":")
        path = f"/images/{reference}/tag"
        self._agree(
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

    # Containers.

    def create(self, reference: str, name: str, command: Sequence[str] | None) -> None:
        """`docker create`."""
        wanted = {"Image": reference, "AttachStdout": True, "AttachStderr": True, "HostConfig": {"NetworkMode": "none"}}
        wanted |= {"Cmd": list(command)} if command is not None else {}
        made = json.loads(self.daemon.call("POST", "/containers/create", wanted, name=name))
        with self.clock.at(self._inspect("containers", name)["Created"]):
            container = self.engine.create(reference, name=name, command=command)
        self.containers[name] = container
        self.ids[made["Id"]] = container.id

    def start(self, name: str) -> None:
        """`docker start`."""
        self._change(name, "start", "StartedAt", self.containers[name].start)

    def stop(self, name: str) -> None:
        """`docker stop` of something that has to be killed."""
        self._change(name, "stop", "FinishedAt", self.containers[name].stop, t="0")

    def pause(self, name: str) -> None:
        """`docker pause`."""
        self._change(name, "pause", "StartedAt", self.containers[name].pause)

    def unpause(self, name: str) -> None:
        """`docker unpause`."""
        self._change(name, "unpause", "StartedAt", self.containers[name].unpause)

    def _change(self, name: str, act: str, when: str, ours: Callable[[], object], **query: str) -> None:
        def at_that_moment() -> None:
            with self.clock.at(self._inspect("containers", name)["State"][when]):
                ours()

        self._agree(lambda: self.daemon.call("POST", f"/containers/{name}/{act}", **query), at_that_moment)

    def run_to_its_end(self, name: str, works: Sequence[Work]) -> None:
        """Start a container that does some work and exits."""
        self.start(name)
        for work in works:
            work.ours(self.containers[name].fs)
        ended = json.loads(self.daemon.call("POST", f"/containers/{name}/wait"))
        state = self._inspect("containers", name)["State"]
        with self.clock.at(state["FinishedAt"]):
            self.containers[name].stop(exit_code=ended["StatusCode"])
        self.assert_same_changes(name)

    def execute(self, name: str, works: Sequence[Work]) -> None:
        """`docker exec` of some work."""
        wanted = {"Cmd": ["sh", "-ec", script(works)], "AttachStdout": True, "AttachStderr": True}
        made = json.loads(self.daemon.call("POST", f"/containers/{name}/exec", wanted))["Id"]
        said = self.daemon.call("POST", f"/exec/{made}/start", {"Detach": False})
        assert self.daemon.api(f"/{API}/exec/{made}/json")["ExitCode"] == 0, said
        for work in works:
            work.ours(self.containers[name].fs)
        self.assert_same_changes(name)

    def put(self, name: str, tar: bytes, ours: Callable[[ls.Overlay], object]) -> None:
        """`docker cp` into a container, whatever its state."""
        self.daemon.call("PUT", f"/containers/{name}/archive", tar, path="/")
        ours(self.containers[name].fs)
        self.assert_same_changes(name)

    def assert_same_changes(self, name: str) -> None:
        """Compare what `docker diff` tells."""
        theirs = self.daemon.api(f"/{API}/containers/{name}/changes") or []
        ours = self.containers[name].changes()
        assert sorted((change.kind, change.path) for change in ours) == sorted(
            ("CAD"[change["Kind"]], change["Path"]) for change in theirs
        )

    def remove_container(self, name: str, *, force: bool) -> None:
        """`docker rm`."""
        container = self.containers[name]
        path = f"/containers/{name}"
        if self._agree(
            lambda: self.daemon.call("DELETE", path, force=str(int(force))), lambda: container.remove(force=force)
        ):
            del self.containers[name]

    def commit(self, name: str, tag: str | None, *, message: str | None, exact: bool) -> None:
        """`docker commit`; if the times of what was written are alike too, ours has the very same id.

        Then ours goes, and theirs takes its place: only so do the ids of all that follows agree.
        """
        repository, _, version = (tag or "").rpartition(":")
        query = {"repo": repository, "tag": version} if tag else {}
        query |= {"comment": message} if message else {}
        made: dict[str, Any] = {}

        def commit_theirs() -> None:
            answer = self.daemon.call("POST", "/commit", container=name, pause="1", **query)
            made.update(self._inspect("images", json.loads(answer)["Id"]))

        def commit_ours() -> None:
            with self.clock.at(made["Created"]) if made else self.clock.at(instant.UNKNOWN):
                image = self.containers[name].commit(message=message)
            self._compare_commit(image, made, exact=exact)
            self.engine.remove_image(image.id)

        if self._agree(commit_theirs, commit_ours):
            self.take_over({made["Id"]: made["Parent"]}, "commit")
            if tag:
                self.engine.tag(made["Id"], tag)

    def _compare_commit(self, image: ls.Image, made: dict[str, Any], *, exact: bool) -> None:
        assert (image.size, image.parent) == (made["Size"], made["Parent"])
        raw = image.raw_config.decode()
        for theirs, ours in self.ids.items():
            raw = raw.replace(ours, theirs).replace(ours[:12], theirs[:12])
        assert len(image.diff_ids) == len(made["RootFS"]["Layers"])
        if exact or image.diff_ids == tuple(made["RootFS"]["Layers"]):
            assert list(image.diff_ids) == made["RootFS"]["Layers"]
            assert sha256(raw.encode()) == made["Id"]

    # What nobody uses.

    def prune(self, what: str, *, unused_images: bool) -> None:
        """`docker container prune`, `image prune [-a]` or `system prune [-a]`."""
        before = set(self.containers)
        if what == "system":
            theirs = self.daemon.docker("system", "prune", "--force", *(["--all"] if unused_images else []))
            ours = self.engine.prune("system", unused_images=unused_images)
            assert sorted(str(ours).split("\n")) == sorted(self.translated(theirs).rstrip("\n").split("\n"))
        elif what == "containers":
            self._compare_pruned(
                self.engine.prune("containers"), json.loads(self.daemon.call("POST", "/containers/prune"))
            )
        else:
            asked = json.dumps({"dangling": [str(not unused_images).lower()]})
            answer = json.loads(self.daemon.call("POST", "/images/prune", filters=asked))
            self._compare_pruned(self.engine.prune("images", unused_images=unused_images), answer)
        left = {row.name for row in self.engine.containers(all=True)}
        for name in before - left:
            del self.containers[name]

    def _compare_pruned(self, ours: Pruned, theirs: dict[str, Any]) -> None:
        gone: Collection[str] = theirs.get("ContainersDeleted") or []
        assert sorted(ours.containers) == sorted(self.ids[container] for container in gone)
        records = [next(iter(record.items())) for record in theirs.get("ImagesDeleted") or []]
        assert sorted(ours.images) == sorted((kind.lower(), name) for kind, name in records)
        assert ours.freed == theirs["SpaceReclaimed"]


def _refusal(act: Callable[[], object]) -> str | None:
    try:
        act()
    except RefusalError as error:
        return str(error)
    return None


def script(works: Sequence[Work]) -> str:
    """Return works as one shell script."""
    return "\n".join(work.shell for work in works)
