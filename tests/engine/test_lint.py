"""What a real BuildKit with rules remarks about Dockerfiles, and what ours does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.build.lint_cases import CASES, REFUSED
from tests.build.lint_value_cases import CASES as VALUE_CASES
from tests.build.test_lint_values import OLD
from tests.engine.archives import docker_archive
from tests.engine.dockerfiles import images_tar
from tests.engine.rootfs import busybox_tar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
RULES_SINCE = 28
TOLD = re.compile(r"^ - (\w+: .* \(line \d+\))$", re.MULTILINE)


def theirs(daemon: Daemon, folder: Path, text: str, *more: str) -> str:
    (folder / "Dockerfile").write_text(text)
    words = ["build", "--no-cache", "--network=none", *more, str(folder)]
    printed = daemon.run(*words, BUILDKIT_PROGRESS="plain").stderr.decode()
    return re.sub("\x1b\\[[0-9;]*m", "", printed)


def test_the_remarks_of_a_newer_engine(graph_daemon: Daemon, tmp_path: Path) -> None:
    graph_daemon.docker("load", stdin=images_tar())
    (tmp_path / "f").write_text("f")
    engine = ls.Engine(profile="overlay2")
    engine.add_image([ls.Layer.from_tar(busybox_tar())], tag="bb:1")
    run = ls.runs({}, default=ls.effect())
    for text in CASES:
        ours = {str(one) for one in engine.build(tmp_path, dockerfile=text.encode(), run=run).warnings}
        found = set(TOLD.findall(theirs(graph_daemon, tmp_path, text)))
        assert found == (ours if graph_daemon.major() >= RULES_SINCE else set()), text


def test_remarks_that_hang_on_values(graph_daemon: Daemon, tmp_path: Path) -> None:
    graph_daemon.docker("load", stdin=images_tar())
    graph_daemon.docker("load", stdin=docker_archive([OLD]))
    (tmp_path / "f").write_text("f")
    for case in VALUE_CASES:
        (tmp_path / ".dockerignore").write_text(case.ignore)
        arguments = [f"--build-arg={name}={value}" for name, value in case.build_args.items()]
        printed = theirs(graph_daemon, tmp_path, case.text, *arguments)
        told = case.told if graph_daemon.major() >= RULES_SINCE else ()
        assert sorted(TOLD.findall(printed)) == sorted(told), case.text


def test_what_check_refuses(graph_daemon: Daemon, tmp_path: Path) -> None:
    graph_daemon.docker("load", stdin=images_tar())
    (tmp_path / "f").write_text("f")
    for text, says in REFUSED.items():
        is_refused = says in theirs(graph_daemon, tmp_path, text)
        assert is_refused == (graph_daemon.major() >= RULES_SINCE), text
