"""ADD of a URL by the real builders, from a web server on this machine, and by ours, which is given what is there."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.both_builds import BUILDERS, OLDEST, Bench, Builder
from tests.engine.dockerfiles import Case, write_context
from tests.engine.served import Web
from tests.tars import Entry, directory, layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
EACH_BUILDER = pytest.mark.parametrize("builder", BUILDERS)
MADE = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
PACKED = gzip.compress(layer_tar([directory("td"), Entry("td/a", content=b"aa")]), mtime=0)
PAGES = {
    "/f": ls.Download(b"hello\n"),
    "/d/g.txt": ls.Download(b"gg\n", MADE),
    "/t.tgz": ls.Download(PACKED, MADE),
    "/": ls.Download(b"root"),
    "/dir/": ls.Download(b"dd", filename="named.bin"),
    "/named": ls.Download(b"nn", filename="other.bin"),
    "/q?x=1": ls.Download(b"q1"),
    "/sp%20ace": ls.Download(b"sp"),
    "/a%2Fb": ls.Download(b"enc"),
}
SUM = hashlib.sha256(b"hello\n").hexdigest()
LINES = (
    "ADD {u}/f /x",
    "ADD {u}/f /new/",
    "ADD {u}/f /new/x",
    "ADD {u}/d/g.txt /todir",
    "ADD {u}/d/g.txt /old/blob",
    "ADD {u}/t.tgz /t/",
    "ADD {u}/ /x",
    "ADD {u} /x",
    "ADD {u}/ /old",
    "ADD {u}/dir/ /x/",
    "ADD {u}/named /x/",
    "ADD {u}/q?x=1 /x/",
    "ADD {u}/sp%20ace /x/",
    "ADD {u}/a%2Fb /x/",
    "ADD {u}/f#part /x/",
    "ADD --chown=3:4 {u}/f /new/x",
    "ADD --chown=web {u}/f /x",
    "ADD {u}/f {u}/d/g.txt f1 dir /m/",
    "ARG V=f\nADD {u}/$V /x",
    "WORKDIR /w\nADD {u}/f x\nADD {u}/f .",
    "COPY {u}/f /x",
    "ADD ftp://127.0.0.1/f /x",
)
LEGACY = ("ADD {u}/ /x/", "ADD {u} /x/", "ADD --chmod=755 {u}/f /x", "ADD {u}/f f1 /m", "ADD git@h:a/b.git /x")
BUILDKIT = ("ADD {u}/ /x/", "ADD {u} /x/", "ADD --chmod=755 {u}/f /x", "ADD {u}/f f1 /m")
NEWER = (
    "ADD --checksum=sha256:" + SUM + " {u}/f /x",
    "ADD --checksum=sha256:" + "0" * 64 + " {u}/f /x",
    "ADD --checksum=sha256:0 {u}/f /x",
    "ADD --checksum=md5:00 {u}/f /x",
    "ADD --checksum=" + SUM + " {u}/f /x",
    "ADD --checksum=sha256:" + SUM + " {u}/f f1 /m/",
    "ADD --link {u}/f /x",
    "ADD --keep-git-dir=true {u}/f /x",
    "COPY git@h:a/b.git /x",
)
SINCE_28 = (
    "ADD --checksum=sha256:" + SUM + " f1 /m/",
    "ADD --unpack {u}/t.tgz /t/",
    "ADD --unpack=false {u}/t.tgz /t/",
    "ADD --exclude=f {u}/f /x/",
)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as served:
        served.pages.update(PAGES)
        yield served


@pytest.fixture
def context(tmp_path: Path) -> Path:
    write_context(tmp_path)
    return tmp_path


def check(bench: Bench, web: Web) -> None:
    """Build all lines that the engine understands on both sides."""
    bench.downloads = web.downloads
    found: list[str] = []
    for line in lines_for(bench):
        case = Case(f"FROM bb:1\n{line.format(u=web.url)}\n", {}, {})
        found += bench.differences(line, case)
    assert not found, "\n".join(found)


def check_cached(bench: Bench, web: Web) -> None:
    """Change what is found, and compare after each change whether the step was cached."""
    changes = {
        "first": ("/k", ls.Download(b"one")),
        "again": ("/k", ls.Download(b"one")),
        "a time": ("/k", ls.Download(b"one", MADE)),
        "another time": ("/k", ls.Download(b"one", MADE.replace(day=22))),
        "another content": ("/k", ls.Download(b"two")),
        "the old content": ("/k", ls.Download(b"one")),
        "another name": ("/k2", ls.Download(b"one")),
        "another place": ("/z/k", ls.Download(b"one")),
    }
    for name, (path, page) in changes.items():
        web.pages[path] = page
        bench.downloads = web.downloads
        (bench.context / "Dockerfile").write_text(f"FROM bb:1\nADD {web.url}{path} /k\nCOPY f1 /f1\n")
        ours, theirs = bench.cached({})
        assert theirs, name
        assert ours == theirs, name


def lines_for(bench: Bench) -> tuple[str, ...]:
    if bench.builder == "legacy":
        return (*LINES, *LEGACY)
    newer = NEWER if bench.daemon.major() > OLDEST else ()
    return (*LINES, *BUILDKIT, *newer, *(SINCE_28 if newer and not bench.is_between else ()))


@EACH_BUILDER
def test_20_adds_what_is_found_at_urls(
    quick_daemon: Daemon, context: Path, box: ls.Sandbox, web: Web, builder: Builder
) -> None:
    check(Bench(quick_daemon, builder, context, box), web)


@EACH_BUILDER
def test_29_adds_what_is_found_at_urls(
    graph_daemon: Daemon, context: Path, box: ls.Sandbox, web: Web, builder: Builder
) -> None:
    check(Bench(graph_daemon, builder, context, box), web)


@EACH_BUILDER
def test_20_takes_a_download_from_its_cache(
    quick_daemon: Daemon, context: Path, box: ls.Sandbox, web: Web, builder: Builder
) -> None:
    check_cached(Bench(quick_daemon, builder, context, box), web)


@EACH_BUILDER
def test_29_takes_a_download_from_its_cache(
    graph_daemon: Daemon, context: Path, box: ls.Sandbox, web: Web, builder: Builder
) -> None:
    check_cached(Bench(graph_daemon, builder, context, box), web)
