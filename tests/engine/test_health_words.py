"""How each version prints a health check into the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import pytest

from layersim.build.dockerfile import BUILDKIT20, BUILDKIT29, LEGACY20, LEGACY29, CreatedBy, Healthcheck, parse
from tests.engine.rootfs import busybox_tar

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.build.dockerfile import Dialect
    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow]
CHECK = "HEALTHCHECK --interval=5s --retries=3 CMD true\n"
Words = Literal["quoted", "quoted_start", "plain_start", "named", "named_pointer"]


def words_of(major: int, *, is_legacy: bool) -> Words:
    """Return the form of a version, as measured on 20.10, 26.1 and 28.5; that of 29 is spec/build.md's."""
    if major <= 20:
        return "quoted"
    if major >= 29:
        return "named_pointer" if is_legacy else "named"
    return "plain_start" if is_legacy and major >= 28 else "quoted_start"


def check(daemon: Daemon, dialect: Dialect, folder: Path) -> None:
    daemon.docker("import", "-", "bb:1", stdin=busybox_tar())
    (folder / "Dockerfile").write_text(f"FROM bb:1\n{CHECK}")
    is_legacy = dialect.builder == "legacy"
    daemon.docker("build", "--tag=made:1", str(folder), DOCKER_BUILDKIT=str(int(not is_legacy)))
    told = daemon.api("/v1.41/images/made:1/history")[0]["CreatedBy"]
    instruction = parse(f"FROM bb:1\n{CHECK}", dialect).stages[0].instructions[0]
    assert isinstance(instruction, Healthcheck)
    own = msgspec.structs.replace(dialect, health_text=words_of(daemon.major(), is_legacy=is_legacy))
    assert CreatedBy(own).healthcheck(instruction) == told


@pytest.mark.parametrize("dialect", [LEGACY20, BUILDKIT20], ids=lambda dialect: dialect.name)
def test_20_prints_a_health_check(quick_daemon: Daemon, dialect: Dialect, tmp_path: Path) -> None:
    check(quick_daemon, dialect, tmp_path)


@pytest.mark.parametrize("dialect", [LEGACY29, BUILDKIT29], ids=lambda dialect: dialect.name)
def test_a_newer_engine_prints_a_health_check(graph_daemon: Daemon, dialect: Dialect, tmp_path: Path) -> None:
    check(graph_daemon, dialect, tmp_path)
