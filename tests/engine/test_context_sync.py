"""Directories that change between builds: BuildKit of the real engines, which sends what looks new, and ours."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import LayerSimError
from tests.engine.both_builds import cached_by_buildkit
from tests.engine.daemon import API
from tests.engine.generations import profile_of
from tests.engine.syncing import SCENES, Folder, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = pytest.mark.slow
EACH_SCENE = pytest.mark.parametrize("scene", SCENES)

Side = tuple[dict[str, bool], "Mapping[str, tuple[int, bytes | str]]"]
"""Which steps were cached, and what is in the image: modes, with bytes or targets."""


class Pair:
    """A real engine and ours, which build the same directory."""

    def __init__(self, daemon: Daemon, folder: Folder, scratch: Path) -> None:
        self.daemon, self.folder, self.scratch = daemon, folder, scratch
        self.engine = ls.Engine(profile=profile_of(daemon))
        self.count = 0

    def both(self, turn: Turn) -> tuple[Side | None, Side | None]:
        """Build on both sides; None for a build that fails."""
        if turn.prunes:
            self.daemon.docker("builder", "prune", "--all", "--force")
            self.engine.prune("build cache", unused_images=True)
        return self._ours(turn), self._theirs(turn)

    def _theirs(self, turn: Turn) -> Side | None:
        self.count += 1
        out = self.scratch / f"out{self.count}"
        words = [f"--target={turn.target}"] if turn.target else []
        words += ["--file", str(self.folder.root / turn.file), "--output", str(out)]
        context = turn.context or str(self.folder.root)
        done = self.daemon.run("build", *words, context, DOCKER_BUILDKIT="1", BUILDKIT_PROGRESS="plain")
        if done.returncode != 0:
            return None
        return _cached(done.stderr.decode()), {
            str(path.relative_to(out)): (stat.S_IMODE(path.lstat().st_mode), _content(path)) for path in out.rglob("*")
        }

    def _ours(self, turn: Turn) -> Side | None:
        try:
            made = self.engine.build(
                turn.context or str(self.folder.root), dockerfile=turn.file, target=turn.target, builder="buildkit"
            )
        except LayerSimError:
            return None
        view = ls.View(made.layers)
        names = [f"{top}/{name}".lstrip("/") for top, dirs, files in view.walk("/") for name in dirs + files]
        return _cached(str(made)), {name: _entry(view, name) for name in names}


def _cached(printed: str) -> dict[str, bool]:
    """Return which instructions were cached; what is numbered before them is left aside."""
    return {step.partition("] ")[2]: is_cached for step, is_cached in cached_by_buildkit(printed).items()}


def _content(path: Path) -> bytes | str:
    if path.is_symlink():
        return str(path.readlink())
    return path.read_bytes() if path.is_file() else b""


def _entry(view: ls.View, name: str) -> tuple[int, bytes | str]:
    found = view.lstat(name)
    if stat.S_ISLNK(found.st_mode):
        return stat.S_IMODE(found.st_mode), view.readlink(name)
    data = view.read_bytes(name) if stat.S_ISREG(found.st_mode) else b""
    return stat.S_IMODE(found.st_mode), data


def compare(daemon: Daemon, scene: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Play a scene on both sides; after each turn steps and files are the same."""
    project = Folder(folder / "project")
    monkeypatch.chdir(project.root)
    pair = Pair(daemon, project, folder)
    for turn in SCENES[scene](project):
        ours, theirs = pair.both(turn)
        assert ours == theirs, turn
        assert (theirs is None) == turn.fails


def compare_records(daemon: Daemon, folder: Path) -> None:
    """Build two directories, one of them twice; each has records of its own, which count what was sent."""
    projects = [Folder(folder / name) for name in ("one", "two")]
    for number, project in enumerate(projects):
        project.put("f", "aaa" * (number + 1))
        project.steps("COPY f /f")
    engine = ls.Engine(profile=profile_of(daemon))
    for project in (*projects, projects[0]):
        daemon.docker("build", "--quiet", str(project.root), DOCKER_BUILDKIT="1")
        engine.build(project.root)
    records = daemon.api(f"/{API}/system/df")["BuildCache"]
    theirs = [(one["Size"], one["UsageCount"]) for one in records if one["Type"] == "source.local"]
    ours = [(row.size, row.usage_count) for row in engine.build_cache if row.type == "source.local"]
    assert sorted(ours) == sorted(theirs)


def test_20_keeps_directories_apart(quick_daemon: Daemon, tmp_path: Path) -> None:
    compare_records(quick_daemon, tmp_path)


def test_29_keeps_directories_apart(graph_daemon: Daemon, tmp_path: Path) -> None:
    compare_records(graph_daemon, tmp_path)


@EACH_SCENE
def test_20_takes_the_same_for_unchanged(
    quick_daemon: Daemon, scene: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(quick_daemon, scene, tmp_path, monkeypatch)


@EACH_SCENE
def test_29_takes_the_same_for_unchanged(
    graph_daemon: Daemon, scene: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(graph_daemon, scene, tmp_path, monkeypatch)
