"""Builds by a real engine and by ours that take steps from images that are named, told step by step."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, NamedTuple

import layersim as ls
from tests.engine.both_builds import cached_by_buildkit
from tests.engine.daemon import API
from tests.engine.dockerfiles import images_tar
from tests.engine.generations import profile_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.engine.both_builds import Builder
    from tests.engine.daemon import Daemon

RUN = ls.runs({}, default=ls.effect(writes={"/x": 1}))
SHORT = 12


class Told(NamedTuple):
    """What a build tells: whether each step was cached, in its order, and the images of those that were."""

    cached: list[bool]
    images: list[str]


class Pair:
    """A real engine and ours, with the same base images and the same context.

    Parameters
    ----------
    daemon : Daemon
        Empty.
    context : Path
        A directory; the Dockerfile comes and goes.
    """

    def __init__(self, daemon: Daemon, context: Path) -> None:
        self.daemon, self.context = daemon, context
        for name in ("f1", "f2"):
            (context / name).write_text(name)
        self._fill()

    def _fill(self, archive: bytes = b"") -> None:
        """Put base images and an archive into an empty engine, and into one of ours."""
        self.engine = ls.Engine(profile=profile_of(self.daemon))
        for tar in filter(None, (images_tar(), archive)):
            self.daemon.docker("load", stdin=tar)
            self.engine.load(io.BytesIO(tar))

    def begin(self) -> None:
        """Have nothing but the base images on both sides."""
        self.daemon.empty()
        self._fill()

    def move(self, *tags: str) -> None:
        """Save images of the real engine, and load them into an empty one and one of ours."""
        archive = self.daemon.run("save", *tags).stdout
        self.daemon.empty()
        self._fill(archive)

    def build(
        self, dockerfile: str, *names: str, tag: str = "n:1", builder: Builder = "legacy", **build_args: str
    ) -> tuple[Told, Told]:
        """Build on both sides, taking steps from some images; return what ours tells, and the real one."""
        (self.context / "Dockerfile").write_text(dockerfile)
        (self.context / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
        words = [f"--cache-from={name}" for name in names]
        words += [f"--build-arg={name}={value}" for name, value in build_args.items()]
        is_kit = builder == "buildkit"
        arguments = ["build", "--network=none", f"--tag={tag}", *words, str(self.context)]
        done = self.daemon.run(*arguments, DOCKER_BUILDKIT=str(int(is_kit)), BUILDKIT_PROGRESS="plain")
        assert done.returncode == 0, done.stderr.decode()
        theirs = _read_buildkit(done.stderr.decode()) if is_kit else _read_legacy(done.stdout.decode())
        built = self.engine.build(
            self.context, tag=tag, builder=builder, run=RUN, cache_from=names, build_args=build_args
        )
        return (_read_buildkit(str(built)) if is_kit else _told(built.steps)), theirs

    def build_moved(self, dockerfile: str, names: Sequence[str], build_args: dict[str, str]) -> tuple[Told, Told]:
        """Build with BuildKit in empty engines that have img:1 alone, each side the one that it made itself.

        The keys of two implementations never meet, so that neither could read what the other wrote.
        """
        archive = io.BytesIO()
        self.engine.save("img:1", archive)
        self.move("img:1")
        self.engine = ls.Engine(profile=profile_of(self.daemon))
        for tar in (images_tar(), archive.getvalue()):
            self.engine.load(io.BytesIO(tar))
        return self.build(dockerfile, *names, builder="buildkit", **build_args)

    def parents(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return for both sides the parent of each image by its id; empty where there is none."""
        rows = self.engine.images(all=True)
        ours = {row.id: self.engine.get_image(row.id).parent or "" for row in rows}
        listed = self.daemon.api(f"/{API}/images/json?all=1")
        return ours, {image["Id"]: image["ParentId"] for image in listed}


def _told(steps: Sequence[ls.Step]) -> Told:
    steps = [step for step in steps if step.reason.kind != "base"]
    taken = [str(step.image_id).removeprefix("sha256:")[:SHORT] for step in steps if step.is_cached]
    return Told([step.is_cached for step in steps], taken)


def _read_legacy(printed: str) -> Told:
    parts = [part.partition("\n") for part in f"\n{printed}".split("\nStep ")[1:]]
    steps = [rest for head, _, rest in parts if " : FROM" not in head]
    cached = [" ---> Using cache" in rest for rest in steps]
    ids = [re.findall(r" ---> ([0-9a-f]{12})", rest)[-1] for rest in steps]
    return Told(cached, [one for one, is_cached in zip(ids, cached, strict=True) if is_cached])


def _read_buildkit(printed: str) -> Told:
    """Read what BuildKit prints, sorted, for it builds in an order of its own."""
    return Told([is_cached for _, is_cached in sorted(cached_by_buildkit(printed).items())], [])
