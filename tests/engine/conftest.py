"""The private engine, one for the whole test session, and a second one that starts empty."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.daemon import Daemon
from tests.engine.rootfs import busybox_tar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

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
    fixtures = getattr(item, "funcargs", {})
    daemon = fixtures.get("daemon") or fixtures.get("quick_daemon")
    if report.when == "call" and report.failed and isinstance(daemon, Daemon):
        report.sections.append((f"dockerd log ({daemon.log})", daemon.log.read_text(errors="replace")[-2000:]))
    return report


def _running(request: pytest.FixtureRequest, name: str, *, in_memory: bool = False) -> Iterator[Daemon]:
    """Run an engine; keep its folder's log when the session failed."""
    folder = Path(tempfile.mkdtemp(prefix=f"layersim-{name}-"))
    daemon = Daemon(folder, in_memory=in_memory)
    try:
        yield daemon.start()
    finally:
        daemon.stop()
        if request.session.testsfailed:
            shutil.rmtree(daemon.graph, ignore_errors=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def running_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "engine")


@pytest.fixture(scope="session")
def running_other_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "other")


@pytest.fixture(scope="session")
def running_quick_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    yield from _running(request, "quick", in_memory=True)


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
def busybox(daemon: Daemon) -> str:
    """The name of a BusyBox image in the engine."""
    daemon.docker("import", "-", "busybox:1", stdin=busybox_tar())
    return "busybox:1"
