"""Two engines that are told the same: images, containers, builds, prunes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from layersim.image import instant
from tests.engine.daemon import API
from tests.engine.twin_images import ImageTwins
from tests.tars import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import layersim as ls
    from layersim.engine import Pruned
    from tests.engine.random_works import Work


Prunable: TypeAlias = Literal["system", "containers", "images", "volumes"]


class Twins(ImageTwins):
    """A real engine and ours, and all the commands that both of them get."""

    def create(self, reference: str, name: str, command: Sequence[str], volumes: Mapping[str, str]) -> None:
        """`docker create`, with volumes by path."""
        binds = [f"{volume}:{path}" for path, volume in volumes.items()]
        wanted = {"Image": reference, "Cmd": list(command), "AttachStdout": True, "AttachStderr": True}
        self.daemon.call(
            "POST",
            "/containers/create",
            wanted | {"HostConfig": {"NetworkMode": "none", "Binds": binds}},
            name=name,
        )
        made = self.inspect("containers", name)
        with self.clock.at(made["Created"]):
            container = self.engine.create(reference, name=name, command=command, volumes=volumes)
        self.containers[name] = container
        self.ids[made["Id"]] = container.id
        assert {mount["Destination"] for mount in made["Mounts"]} == set(container.volumes)
        for mount in made["Mounts"]:
            self.volume_names[mount["Name"]] = container.volumes[mount["Destination"]].name

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

    def remove_container(self, name: str, *, force: bool, volumes: bool) -> None:
        """`docker rm`."""
        query = {"force": str(int(force)), "v": str(int(volumes))}
        if self.agree(
            lambda: self.daemon.call("DELETE", f"/containers/{name}", **query),
            lambda: self.engine.remove_container(name, force=force, volumes=volumes),
        ):
            del self.containers[name]

    def remove_volume(self, name: str) -> None:
        """`docker volume rm`."""
        self.agree(
            lambda: self.daemon.call("DELETE", f"/volumes/{name}"),
            lambda: self.engine.remove_volume(self.volume_names.get(name, name)),
        )

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

    def prune(self, what: Prunable, *, unused_images: bool, volumes: bool = False) -> None:
        """`docker container prune`, `volume prune`, `image prune [-a]` or `system prune [-a] [--volumes]`."""
        ours = self.engine.prune(what, unused_images=unused_images, volumes=volumes)
        if what == "system":
            options = ["--all"] * unused_images + ["--volumes"] * volumes
            theirs = self.translated(self.daemon.docker("system", "prune", "--force", *options))
            assert sorted(str(ours).split("\n")) == sorted(theirs.rstrip("\n").split("\n"))
        else:
            asked = {"filters": json.dumps({"dangling": [str(not unused_images).lower()]})} if what == "images" else {}
            self._compare_pruned(ours, json.loads(self.daemon.call("POST", f"/{what}/prune", **asked)))
        left = {row.name for row in self.engine.containers(all=True)}
        self.containers = {name: container for name, container in self.containers.items() if name in left}

    def _compare_pruned(self, ours: Pruned, theirs: dict[str, Any]) -> None:
        gone: Collection[str] = theirs.get("ContainersDeleted") or []
        assert sorted(ours.containers) == sorted(self.ids[container] for container in gone)
        assert sorted(ours.volumes) == sorted(self.volume_names[name] for name in theirs.get("VolumesDeleted") or [])
        records = [next(iter(record.items())) for record in theirs.get("ImagesDeleted") or []]
        assert sorted(ours.images) == sorted((kind.lower(), name) for kind, name in records)
        assert ours.freed == theirs["SpaceReclaimed"]


def script(works: Sequence[Work]) -> str:
    """Return works as one shell script."""
    return "\n".join(work.shell for work in works)
