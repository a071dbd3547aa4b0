"""The private engines, one of a kind for a whole test session: the machine's own, a second, newer ones; and our box."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.daemon import Daemon
from tests.engine.newer import SUITES, newer_software
from tests.engine.rootfs import busybox_tar
from tests.engine.software import own_software
from tests.oracles import require_ext4

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.engine.software import Software

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder, so that `-m engine` selects it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the engine's log beside a failure."""
    report = yield
    fixtures = getattr(item, "funcargs", {}).values() if report.when == "call" and report.failed else ()
    for daemon in {value.log: value for value in fixtures if isinstance(value, Daemon)}.values():
        report.sections.append((f"dockerd log ({daemon.log})", daemon.log.read_text(errors="replace")[-2000:]))
    return report


def _running(
    request: pytest.FixtureRequest,
    name: str,
    software: Software,
    *,
    keeps_snapshots: bool = False,
    in_memory: bool = False,
) -> Iterator[Daemon]:
    """Run an engine; keep its folder's log when the session failed."""
    folder = Path(tempfile.mkdtemp(prefix=f"layersim-{name}-"))
    daemon = Daemon(folder, software, keeps_snapshots=keeps_snapshots, in_memory=in_memory)
    try:
        if keeps_snapshots:
            require_ext4(folder)
        yield daemon.start()
    finally:
        daemon.stop()
        if request.session.testsfailed:
            shutil.rmtree(daemon.graph, ignore_errors=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def running_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "engine", own_software())


@pytest.fixture(scope="session")
def running_other_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "other", own_software())


@pytest.fixture(scope="session", params=SUITES)
def running_graph_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "graph", newer_software(request.param))


@pytest.fixture(scope="session", params=SUITES)
def running_snapshot_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "snapshot", newer_software(request.param), keeps_snapshots=True)


@pytest.fixture(scope="session")
def running_quick_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "quick", own_software(), in_memory=True)


@pytest.fixture
def daemon(running_daemon: Daemon) -> Daemon:
    """An engine without images, containers and volumes."""
    running_daemon.empty()
    return running_daemon


@pytest.fixture
def quick_daemon(running_quick_daemon: Daemon) -> Daemon:
    """An empty engine that keeps everything in memory, for what takes thousands of steps."""
    running_quick_daemon.empty()
    return running_quick_daemon


@pytest.fixture
def other_daemon(running_other_daemon: Daemon) -> Daemon:
    """A second engine, empty too: where what layersim saved must load."""
    running_other_daemon.empty()
    return running_other_daemon


@pytest.fixture
def graph_daemon(running_graph_daemon: Daemon) -> Daemon:
    """A newer engine with the overlay2 graphdriver, empty."""
    running_graph_daemon.empty()
    return running_graph_daemon


@pytest.fixture
def snapshot_daemon(running_snapshot_daemon: Daemon) -> Daemon:
    """A newer engine with the containerd image store, empty."""
    running_snapshot_daemon.empty()
    return running_snapshot_daemon


@pytest.fixture
def busybox(daemon: Daemon) -> str:
    """The name of a BusyBox image in the engine."""
    daemon.docker("import", "-", "busybox:1", stdin=busybox_tar())
    return "busybox:1"


@pytest.fixture
def box() -> Iterator[ls.Sandbox]:
    """What executes RUN commands on our side."""
    with ls.sandbox(timeout=60) as made:
        yield made
