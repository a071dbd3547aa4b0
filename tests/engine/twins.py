"""Two engines that are told the same: images, containers, builds, prunes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from layersim.image import instant
from tests.engine.daemon import API
from tests.engine.twin_images import ImageTwins
from tests.tars import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import layersim as ls
    from layersim.engine import Pruned
    from tests.engine.random_works import Work


class Twins(ImageTwins):
    """A real engine and ours, and all the commands that both of them get."""

    def create(self, reference: str, name: str, command: Sequence[str] | None) -> None:
        """`docker create`."""
        wanted = {"Image": reference, "AttachStdout": True, "AttachStderr": True, "HostConfig": {"NetworkMode": "none"}}
        wanted |= {"Cmd": list(command)} if command is not None else {}
        made = json.loads(self.daemon.call("POST", "/containers/create", wanted, name=name))
        with self.clock.at(self.inspect("containers", name)["Created"]):
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
            with self.clock.at(self.inspect("containers", name)["State"][when]):
                ours()

        self.agree(lambda: self.daemon.call("POST", f"/containers/{name}/{act}", **query), at_that_moment)

    def run_to_its_end(self, name: str, works: Sequence[Work]) -> None:
        """Start a container that does some work and exits."""
        self.start(name)
        for work in works:
            work.ours(self.containers[name].fs)
        ended = json.loads(self.daemon.call("POST", f"/containers/{name}/wait"))
        state = self.inspect("containers", name)["State"]
        with self.clock.at(state["FinishedAt"]):
            self.containers[name].stop(exit_code=ended["StatusCode"])
        self.assert_same_changes(name)

    def execute(self, name: str, works: Sequence[Work]) -> None:
        """`docker exec` of some work."""
        wanted = {"Cmd": ["sh", "-ec", script(works)], "AttachStdout": True, "AttachStderr": True}
        made = json.loads(self.daemon.call("POST", f"/containers/{name}/exec", wanted))["Id"]
        said = self.daemon.call("POST", f"/exec/{made}/start", {"Detach": False})
        while (state := self.daemon.api(f"/{API}/exec/{made}/json"))["Running"]:
            time.sleep(0.01)
        assert state["ExitCode"] == 0, said
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
        if self.agree(
            lambda: self.daemon.call("DELETE", path, force=str(int(force))), lambda: container.remove(force=force)
        ):
            del self.containers[name]

    def commit(self, name: str, tag: str | None, *, message: str | None, exact: bool) -> None:
        """`docker commit`; `exact` if the times of all that was written are alike too.

        After the comparison ours goes and theirs takes its place: only so do the ids of all that follows agree.
        """
        repository, _, version = (tag or "").rpartition(":")
        query = {"repo": repository, "tag": version} if tag else {}
        query |= {"comment": message} if message else {}
        made: dict[str, Any] = {}

        def commit_theirs() -> None:
            answer = self.daemon.call("POST", "/commit", container=name, pause="1", **query)
            made.update(self.inspect("images", json.loads(answer)["Id"]))

        def commit_ours() -> None:
            with self.clock.at(made["Created"]) if made else self.clock.at(instant.UNKNOWN):
                image = self.containers[name].commit(message=message)
            self._compare_commit(image, made, exact=exact)
            self.engine.remove_image(image.id)

        if self.agree(commit_theirs, commit_ours):
            self.take_over({made["Id"]: made["Parent"]}, "commit")
            if tag:
                self.engine.tag(made["Id"], tag)

    def _compare_commit(self, image: ls.Image, made: dict[str, Any], *, exact: bool) -> None:
        """Compare two commits: config byte for byte, but for what each engine chose or measured itself."""
        theirs = made["RootFS"]["Layers"]
        assert (image.size, image.parent, len(image.diff_ids)) == (made["Size"], made["Parent"], len(theirs))
        if exact:
            assert list(image.diff_ids) == theirs
        swaps = {ours: container for container, ours in self.ids.items()}
        swaps |= {ours[:12]: container[:12] for ours, container in swaps.items()}
        swaps |= dict(zip(image.diff_ids, theirs, strict=True))
        raw = image.raw_config.decode()
        for ours, other in swaps.items():
            raw = raw.replace(ours, other)
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


def script(works: Sequence[Work]) -> str:
    """Return works as one shell script."""
    return "\n".join(work.shell for work in works)
