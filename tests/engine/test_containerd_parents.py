"""The containerd store and images made from images: what goes and what stays, in every order of removal."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.archives import ImageSpec, docker_archive
from tests.engine.compare import loaded, utc_now
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

# Each image, and the one that it is committed from.
PARENTS = {"b:1": "a:1", "c:1": "a:1", "d:1": "b:1"}
NAMES = ("a:1", *PARENTS)


@pytest.fixture
def daemon(snapshot_daemon: Daemon) -> Daemon:
    return snapshot_daemon


class Family:
    """The same images in both engines; the ids of commits differ, so they are called by the name they were given."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        layer = layer_tar([Entry("f", content=b"x" * 5000)])
        archive = docker_archive([ImageSpec((layer,), ("a:1",), utc_now())])
        daemon.docker("load", stdin=archive)
        self.daemon, self.engine = daemon, loaded(daemon, archive, folder)
        self.theirs, self.ours = {"a:1": str(daemon.inspect("a:1")["Id"])}, {"a:1": self.engine.get_image("a:1").id}
        for child, parent in PARENTS.items():
            daemon.docker("create", "--name", "maker", parent, "x")
            self.theirs[child] = daemon.docker("commit", "--message", child, "maker", child).strip()
            daemon.docker("rm", "maker")
            maker = self.engine.create(parent, command=["x"])
            self.ours[child] = maker.commit(tag=child, message=child).id
            maker.remove()

    def remove(self, name: str, *, by_id: bool, force: bool) -> None:
        """Remove an image from both, and compare what they say and what is left."""
        ref = self.theirs[name] if by_id else name
        done = self.daemon.run("rmi", *(["--force"] if force else []), ref)
        said = (done.stdout + done.stderr).decode().removeprefix("Error response from daemon: ").strip()
        try:
            ours = str(self.engine.remove_image(self.ours[name] if by_id else name, force=force))
        except ls.LayerSimError as error:
            ours = str(error)
        assert named(ours, self.ours) == named(said, self.theirs)
        assert self.left(self.ours) == self.left_there()

    def left(self, ids: dict[str, str]) -> dict[str, tuple[str, ...]]:
        names = {image_id: name for name, image_id in ids.items()}
        return {names[row.id]: row.tags for row in self.engine.images(all=True)}

    def left_there(self) -> dict[str, tuple[str, ...]]:
        names = {image_id: name for name, image_id in self.theirs.items()}
        return {names[row["Id"]]: tuple(row["RepoTags"] or ()) for row in self.daemon.api("/images/json?all=1")}


def named(text: str, ids: dict[str, str]) -> str:
    """Call images by their first names."""
    for name, image_id in ids.items():
        text = text.replace(image_id, f"<{name}>")
    return text


@pytest.mark.slow
@pytest.mark.parametrize("order", list(permutations(NAMES)), ids="".join)
def test_names_go_in_any_order(order: tuple[str, ...], daemon: Daemon, tmp_path: Path) -> None:
    family = Family(daemon, tmp_path)
    for name in order:
        family.remove(name, by_id=False, force=False)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_an_id_goes(name: str, daemon: Daemon, tmp_path: Path, *, force: bool) -> None:
    family = Family(daemon, tmp_path)
    family.remove(name, by_id=True, force=force)
    for other in NAMES:
        if other != name:
            family.remove(other, by_id=False, force=force)
