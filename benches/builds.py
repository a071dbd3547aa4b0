"""Builds: reading and planning a Dockerfile, a cached rebuild beside BuildKit's, hashing a context."""

from __future__ import annotations

import hashlib
import random
from functools import partial
from typing import TYPE_CHECKING

import layersim as ls
from benches.daemons import NoEngineError, running
from benches.row import Row, fastest, share_of_limit, speedup
from layersim.build import dialect_of
from layersim.build.context import Context
from layersim.build.dockerfile import BUILDKIT29, parse
from layersim.build.plan import plan
from layersim.profiles import find_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LIMIT = 1e-3
_FILES, _DIRECTORIES, _MEAN = 5_000, 100, 7_500
_PLATFORM = ("linux", "amd64")


def building(folder: Path, scale: float) -> Iterator[Row]:
    """Plan a long Dockerfile, rebuild what is cached, hash what is sent."""
    text = long_dockerfile()
    (ours,) = fastest(lambda: plan(parse(text, BUILDKIT29), None, {}, _PLATFORM), rounds=50)
    lines = text.count(b"\n")
    yield share_of_limit(f"parse and plan {lines} lines", "the promise", (ours, _LIMIT), "<= 1 x")
    context = folder / "context"
    count = made_context(context, int(_FILES * scale))
    yield hashing(context)
    yield from rebuilding(folder, context, count)


def rebuilding(folder: Path, context: Path, count: int) -> Iterator[Row]:
    """Build what is cached again, and after one file has changed, by BuildKit and by us.

    Both are given the directory each time, and find out for themselves that nothing or what has changed.
    """
    engine = ls.Engine("docker20")
    run = ls.runs({}, default=ls.effect(writes={"/ran": b"done"}))
    again = partial(engine.build, context, run=run)
    first = again()
    work = f"cached rebuild, 20 steps, {count:,} files"
    try:
        with running(folder / "engine") as docker:
            theirs = partial(docker, "build", "--quiet", "--network=none", str(context))
            theirs()
            seconds = fastest(again, theirs, rounds=9)
            rebuilt = again()
            changed = _Edited(context / "part01" / "module00001.js")
            after = fastest(partial(changed, again), partial(changed, theirs))
    except NoEngineError as error:
        (ours,) = fastest(again)
        yield Row(work, f"no engine here: {error}"[:60], ours * 1e3, 0, "ms", 0, "")
        return
    assert rebuilt.id == first.id
    assert all(step.reason.kind in {"base", "metadata", "cached"} for step in rebuilt.steps)
    peer = "BuildKit of dockerd 20.10"
    yield speedup(work, peer, (seconds[0], seconds[1]), ">= 20 x")
    yield speedup(f"the same, one of {count:,} files changed", peer, (after[0], after[1]), "")


class _Edited:
    """Does something after a file was given other bytes."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def __call__(self, work: Callable[[], object]) -> None:
        self.count += 1
        self.path.write_bytes(bytes(self.count))
        work()


def hashing(context: Path) -> Row:
    """Hash all files of a context; the names are listed before."""
    dialect = dialect_of("buildkit", find_profile("docker20"))
    files = [path for path in sorted(context.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)

    def ours() -> str:
        return sent.checksum(["."])

    best = [float("inf")] * 2
    for _ in range(5):
        # What a context has hashed it knows; each round has a new one.
        sent = Context.of(context, dialect=dialect)
        mine, theirs = fastest(ours, lambda: [hashlib.sha256(path.read_bytes()).digest() for path in files], rounds=1)
        best = [min(best[0], mine), min(best[1], theirs)]
    return speedup(f"hash all of a context of {size >> 20} MiB", "hashlib, one core", (best[0], best[1]), ">= 1 x")


def made_context(folder: Path, count: int) -> int:
    """Write a project of small files with a Dockerfile of 20 steps; return how many files there are."""
    dice = random.Random(0)
    for number in range(count):
        path = folder / f"part{number % _DIRECTORIES:02}" / f"module{number:05}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dice.randbytes(dice.randrange(2 * _MEAN)))
    (folder / "Dockerfile").write_text(dockerfile_of_steps())
    return count


def dockerfile_of_steps() -> str:
    """Return a Dockerfile of 20 steps that the engine does without a base, half of them on the files."""
    parts = [f"COPY part{number:02} /app/part{number:02}" for number in range(9)]
    lines = [line for number, part in enumerate(parts) for line in (f"WORKDIR /srv/{number}", part)]
    return "\n".join(["FROM scratch", "ENV A=1", *lines, "COPY . /all", 'CMD ["/app"]']) + "\n"


def long_dockerfile() -> bytes:
    """Return a Dockerfile of 100 lines with stages, variables, comments and continued lines."""
    stage = [
        "FROM debian:12 AS stage{n}",
        "ARG VERSION={n}.0",
        'ENV PATH=/opt/bin:$PATH A="b c" VERSION=${{VERSION:-1}}',
        "# what is needed",
        "RUN apt-get update && \\",
        "    apt-get install -y git \\",
        "    && rm -rf /var/lib/apt/lists",
        "WORKDIR /srv/app{n}",
        "COPY --chown=1000:1000 package.json package-lock.json ./",
        "RUN npm ci --omit=dev",
        "LABEL org.name=app{n} org.version=$VERSION",
        "COPY src src",
        "RUN make VERSION=$VERSION all",
        "EXPOSE 80/tcp 443",
        "VOLUME /data",
        "USER 1000",
        "HEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1",
        "",
        'ENTRYPOINT ["/srv/app"]',
        'CMD ["--serve"]',
    ]
    return "\n".join(line.format(n=n) for n in range(5) for line in stage).encode() + b"\n"
