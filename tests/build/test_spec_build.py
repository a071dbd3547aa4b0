"""Rows of spec/build.md that no other test holds: edits of a directory, and stages that are wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, LayerSimError
from tests.build.building import RUN, Bench, states
from tests.build.test_stages import EACH
from tests.tars import BORN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.build.building import Builder

TEXT = b"FROM scratch\nCOPY d /d\nRUN make\n"


def _rewrite(path: Path) -> None:
    path.write_text("g")
    os.utime(path, (BORN, BORN))


EDITS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "time of a file": (lambda folder: os.utime(folder / "d/f", (1, 1)), "CC", "CC"),
    "time of the directory": (lambda folder: os.utime(folder / "d", (1, 1)), "CC", "CC"),
    "time of a directory below": (lambda folder: os.utime(folder / "d/sub", (1, 1)), "CC", "CC"),
    "mode of a file": (lambda folder: (folder / "d/f").chmod(0o600), "xx", "xx"),
    "mode of the directory": (lambda folder: (folder / "d").chmod(0o700), "xx", "CC"),
    "mode of a directory below": (lambda folder: (folder / "d/sub").chmod(0o700), "xx", "CC"),
    "content of the same size and age": (lambda folder: _rewrite(folder / "d/f"), "xx", "CC"),
    "a file beside": (lambda folder: (folder / "other").write_text("new"), "CC", "CC"),
    "a new file": (lambda folder: (folder / "d/new").write_text(""), "xx", "xx"),
    "a new directory": (lambda folder: (folder / "d/new").mkdir(), "xx", "xx"),
    "a link to the same": (lambda folder: (folder / "d/l").symlink_to("f"), "xx", "xx"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d/sub").mkdir(parents=True)
    (tmp_path / "d/f").write_text("f")
    for name in ("d/f", "d/sub", "d"):
        os.utime(tmp_path / name, (BORN, BORN))
    return tmp_path


@EACH
@pytest.mark.parametrize("edit", EDITS)
def test_the_steps_that_stay_cached(builder: Builder, profile: str, edit: str, folder: Path) -> None:
    engine, (change, legacy, buildkit) = ls.Engine(profile), EDITS[edit]
    engine.build(folder, dockerfile=TEXT, builder=builder, run=RUN)
    change(folder)
    told = states(engine.build(folder, dockerfile=TEXT, builder=builder, run=RUN))
    assert told["COPY"] + told["RUN"] == (legacy if builder == "legacy" else buildkit)


@pytest.mark.parametrize(
    ("builder", "text", "says"),
    [
        ("legacy", "FROM base:1 AS a\nFROM base:1 AS a\nLABEL a=b\n", "a stage name already used"),
        ("buildkit", "FROM base:1 AS a\nFROM base:1 AS a\nLABEL a=b\n", ""),
        ("legacy", "FROM scratch\n", "No image was generated. Is your Dockerfile empty?"),
        ("buildkit", "FROM scratch\n", ""),
        ("buildkit", "FROM base:1 AS me\nCOPY --from=me /bin /b\n", "circular dependency detected on stage: me"),
    ],
)
def test_stages(builder: Builder, text: str, says: str) -> None:
    try:
        Bench(builder).build(text)
        told = ""
    except LayerSimError as error:
        told = str(error)
    assert says in told
    assert bool(says) == bool(told)


def test_a_target_that_is_none() -> None:
    for profile, builder, says in (
        ("docker20", "legacy", "failed to reach build target zz in Dockerfile"),
        ("overlay2", "buildkit", 'target stage "zz" could not be found'),
    ):
        bench = Bench("legacy" if builder == "legacy" else "buildkit", profile)
        with pytest.raises(BuildError, match=says):
            bench.engine.build({"Dockerfile": "FROM base:1\n"}, target="zz", builder=bench.builder)
