"""What builds leave in an engine with the containerd image store: manifests, the blobs of bases, linked layers."""

from __future__ import annotations

import io
import json
import re
import tarfile
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.engine.both_builds import BUILDERS, Bench, Builder
from tests.engine.dockerfiles import Case, write_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EACH_BUILDER = pytest.mark.parametrize("builder", BUILDERS)
NO_LAYERS = "FROM scratch\nENV A=1\n"
UPON_A_BASE = "FROM rich:1\nCOPY f1 /f1\nLABEL a=1\nUSER 0\nRUN echo 1 >/r\n"
STAGES = "FROM bb:1 AS one\nRUN echo 1 >/r\nFROM one\nCOPY --from=bb:1 /bin/busybox /b\n"


@pytest.fixture
def bench_of(snapshot_daemon: Daemon, tmp_path: Path, box: ls.Sandbox) -> Callable[[Builder], Bench]:
    folder = tmp_path / "context"
    folder.mkdir()
    write_context(folder)
    return lambda builder: Bench(snapshot_daemon, builder, folder, box)


class Stored(NamedTuple):
    """The manifest of an image, and its blobs by digest."""

    text: str
    blobs: frozenset[str]

    @classmethod
    def of(cls, archive: bytes) -> Stored:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            read = {member.name: opened.extractfile(member) for member in opened if member.isreg()}
            found = {name: file.read() for name, file in read.items() if file is not None}
        (top,) = json.loads(found["index.json"])["manifests"]
        manifest = found[f"blobs/sha256/{top['digest'][7:]}"]
        return cls(manifest.decode(), frozenset(name[-64:] for name in found if name.startswith("blobs/sha256/")))

    def masked(self, shared: frozenset[str]) -> str:
        """Return the manifest without the digests and sizes of blobs that are not of a base."""
        size = r'("digest": ?"sha256:([0-9a-f]{64})",\s*"size": ?)(\d+)'
        return re.sub(size, lambda found: found[0] if found[2] in shared else "its own", self.text)


def both_stored(bench: Bench, text: str) -> tuple[Stored, Stored]:
    """Build on both sides, theirs without attestations; return what each keeps of the image."""
    (bench.context / "Dockerfile").write_text(text)
    is_kit = str(int(bench.builder == "buildkit"))
    arguments = ("build", "--network=none", "--tag=made:1", str(bench.context))
    bench.daemon.docker(*arguments, DOCKER_BUILDKIT=is_kit, BUILDX_NO_DEFAULT_ATTESTATIONS="1")
    bench.engine.build(bench.context, tag="made:1", builder=bench.builder, run=bench.box)
    target = io.BytesIO()
    bench.engine.save("made:1", target)
    return Stored.of(bench.daemon.call("GET", "/images/made:1/get")), Stored.of(target.getvalue())


CASES = {
    "no layers": NO_LAYERS,
    "upon a base": UPON_A_BASE,
    "stages": STAGES,
    "a directory": "FROM bb:1\nWORKDIR /a/b\nCOPY f1 .\nADD t.tgz /x/\nRUN echo >/y\n",
    "upon nothing": "FROM scratch\nCOPY f1 /f\nWORKDIR /w\n",
}


@EACH_BUILDER
@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_manifests_and_the_blobs_of_bases(bench_of: Callable[[Builder], Bench], builder: Builder, text: str) -> None:
    bench = bench_of(builder)
    bases = {name: Stored.of(bench.daemon.call("GET", f"/images/{name}/get")).blobs for name in ("bb:1", "rich:1")}
    theirs, ours = both_stored(bench, text)
    shared = frozenset[str]().union(*bases.values())
    assert ours.masked(shared) == theirs.masked(shared)
    assert ours.blobs & shared == theirs.blobs & shared


LINKED = """
FROM bb:1 AS base
RUN mkdir -m 700 /app && chown 5:6 /app && echo old >/app/f && ln -s app /lnk && mkdir /dd && echo 1 >/dd/1
FROM base
COPY --link f1 /app/f
COPY --link f1 /lnk/g
COPY --link dir /dd
COPY --link dir/sub /dd/
COPY --link f1 /app
COPY --link --chown=7:8 --chmod=755 f1 /n/m/f
WORKDIR /work
COPY --link f1 .
COPY --link --chown=9 f1 g
ADD --link t.tgz /lnk/
COPY --link f2 /dd/1/z
COPY --link --from=base /app /all/
COPY --link <<END /a/b
text
END
RUN ls /app /dd /dd/1 /lnk /n/m >/listed
"""


def test_a_linked_copy_makes_a_layer_by_itself(bench_of: Callable[[Builder], Bench]) -> None:
    bench = bench_of("buildkit")
    assert list(bench.differences("linked", Case(LINKED, {}, {}))) == []
    assert list(bench.differences("of a name", Case("FROM bb:1\nCOPY --link --chown=web f1 /f\n", {}, {}))) == []


def test_a_linked_copy_stays_when_what_lies_below_changes(bench_of: Callable[[Builder], Bench]) -> None:
    bench = bench_of("buildkit")
    steps = "COPY --link f1 /f\nCOPY f2 /g\nWORKDIR /w\nCOPY --link f2 .\nRUN echo 3 >/h\n"
    for number, run in enumerate(("RUN echo 1 >/r", "RUN echo 2 >/r", "RUN echo 1 >/r", "COPY --link f2 /y")):
        (bench.context / "Dockerfile").write_text(f"FROM bb:1\n{run}\n{steps}")
        ours, theirs = bench.cached({})
        assert ours == theirs
        assert sum(theirs.values()) == (0, 0, 6, 0)[number]
