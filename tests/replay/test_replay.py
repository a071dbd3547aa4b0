"""Replays: what edits may be, what rows and sums say, and what is refused."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import layersim as ls
from layersim.errors import BuildError, DockerfileError, ImageNotFoundError
from layersim.plot import plot_replay

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.analysis.replay.edits import Changes

RUN = ls.runs({"npm ci": ls.effect(files={"node_modules": (40, "40MB")}, uses=["package.json"], seconds=30)})
NAIVE = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"
BETTER = "FROM node\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\n"
FILES = {"package.json": 500, "a.js": 1_000}
BASES = {"node": "100MB"}


def test_a_row_tells_what_one_edit_costs() -> None:
    first, second = ls.replay({"naive": NAIVE}, [["a.js"]], context=FILES, run=RUN, bases=BASES)
    assert (first.edit, first.cached, first.rebuilt, first.push_size) == (0, 0, 3, 140_001_500)
    assert (second.name, second.cached, second.ran) == ("a.js", 1, ("COPY . .", "RUN npm ci"))
    assert (second.rebuilt_size, second.push_size, second.pull_size, second.size) == (*[40_001_500] * 3, 140_001_500)


def test_the_summary_leaves_the_first_build_out() -> None:
    told = ls.replay({"n": NAIVE, "b": BETTER}, [["a.js"], [], ["package.json"]], context=FILES, run=RUN, bases=BASES)
    assert [(row.variant, row.edits, row.unchanged, row.seconds) for row in told.summary] == [
        ("n", 3, 1, 60.0),
        ("b", 3, 1, 30.0),
    ]
    assert str(told.summary).splitlines()[1].split()[:6] == ["n", "3", "1", "0", "5", "4"]


def test_rows_are_columns_for_others() -> None:
    told = ls.replay({"n": NAIVE}, [["a.js"]], context=FILES, run=RUN, bases=BASES)
    assert told.to_dict()["seconds"].tolist() == [30.0, 30.0]
    assert pl.DataFrame(told)["ran"].to_list()[1] == ["COPY . .", "RUN npm ci"]
    assert str(told).splitlines()[0].split()[:3] == ["VARIANT", "EDIT", "CHANGED"]


def test_going_back_to_an_old_content_finds_the_old_steps() -> None:
    edits = [{"a.js": b"two"}, {"a.js": b"one"}]
    told = ls.replay({"n": NAIVE}, edits, context={"package.json": b"{}", "a.js": b"one"}, run=RUN, bases=BASES)
    assert [row.rebuilt for row in told] == [3, 2, 0]
    assert [row.push_size > 0 for row in told] == [True, True, False]
    assert told[2].pull_size == 40_000_005


def test_what_is_ignored_changes_nothing() -> None:
    context = {"package.json": b"{}", "a.md": b"x", ".dockerignore": b"*.md\n"}
    edits = [{"a.md": b"y"}, {".dockerignore": b"#\n"}]
    assert [row.rebuilt for row in ls.replay({"n": NAIVE}, edits, context=context, run=RUN, bases=BASES)] == [3, 0, 2]


def test_a_build_that_fails_is_a_row_that_says_why() -> None:
    told = ls.replay({"b": BETTER}, [{"package.json": None}, {"package.json": 5}], context=FILES, run=RUN, bases=BASES)
    assert "package.json" in told[1].error
    assert (told[1].size, told[1].push_size, told[2].error, told.summary[0].failed) == (0, 0, "", 1)


def test_arguments_may_change_with_each_build() -> None:
    text = "FROM node\nARG REV\nRUN npm ci\n"
    none = ls.runs({}, default=ls.effect(seconds=3))
    given = {"REV": ["a", "b", "a"]}
    told = ls.replay({"x": text}, [[], []], context={}, run=none, bases=BASES, build_args=given)
    assert [row.rebuilt for row in told] == [1, 1, 0]
    told = ls.replay({"x": text}, [[], []], context={}, run=none, bases=BASES, build_args=given, builder="legacy")
    assert [row.rebuilt for row in told] == [2, 1, 0]


def test_a_directory_and_its_history_are_read(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    for number, (name, text) in enumerate([("package.json", "{}"), ("a.js", "one"), ("a.js", "three")]):
        (tmp_path / "app" / name).write_text(text)
        (tmp_path / "outside").write_text(str(number))
        _git(tmp_path, "init", "-q") if number == 0 else None
        _git(tmp_path, "add", ".")
        _git(tmp_path, "commit", "-q", "-m", f"change {number}")
    told = ls.replay({"b": BETTER}, tmp_path / "app", run=RUN, bases=BASES)
    assert [(row.name, row.rebuilt, row.rebuilt_size) for row in told][1:] == [("change 1", 1, 5), ("change 2", 1, 7)]
    newest = ls.replay({"b": BETTER}, tmp_path / "app", run=RUN, bases=BASES, limit=1)
    assert [row.name for row in newest] == ["", "change 2"]
    now = ls.replay({"b": BETTER}, [["a.js"]], context=tmp_path / "app", run=RUN, bases=BASES)
    assert now[1].rebuilt_size == 7


def _git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("FROM node\nRUN make\n", BuildError, "does what nobody declared: make"),
        ("FROM node\nRUN npm test\n", BuildError, "has to be declared: npm test"),
        ("FROM other\n", BuildError, "bases={'other': '180MB'}"),
        ("FROM node\nFOO\n", DockerfileError, "unknown instruction: FOO"),
        ("FROM node\nADD a.tgz /\n", BuildError, "archive"),
        ("FROM node\nRUN --mount=source=a.tgz,target=/a npm ci\n", BuildError, "only Engine.build"),
        ("FROM node\nCOPY --from=node /bin/sh /\n", BuildError, "the files of node are not known"),
    ],
)
def test_what_cannot_be_told_is_named(text: str, error: type[Exception], words: str) -> None:
    run = ls.runs({"npm test": lambda *_: None})
    with pytest.raises(error) as raised:
        ls.replay({"x": text}, [], context={"a.tgz": 5}, run=run, bases=BASES)
    assert words in str(raised.value)


def test_a_base_that_the_engine_does_not_have_is_named() -> None:
    with pytest.raises(ImageNotFoundError, match="other"):
        ls.replay({"x": "FROM other\n"}, [], context={}, run=RUN, bases=ls.Engine())


@pytest.mark.parametrize(
    ("changes", "error"), [([["nowhere"]], ValueError), (["a.js"], TypeError), ([{"a.js": -1}], ValueError)]
)
def test_an_edit_that_is_none_is_refused(changes: Changes, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"expected"):
        ls.replay({"b": BETTER}, changes, context=FILES, run=RUN, bases=BASES)


def test_a_directory_without_a_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="with a history"):
        ls.replay({"b": BETTER}, tmp_path, run=RUN, bases=BASES)
    with pytest.raises(TypeError, match="expected a context"):
        ls.replay({"b": BETTER}, [[]], run=RUN, bases=BASES)


def test_progress_is_told_of_every_build() -> None:
    told: list[tuple[int, int]] = []
    variants = dict.fromkeys("ab", "FROM node\nCOPY . .\n")
    ls.replay(
        variants, [["a.js"]] * 2, context=FILES, run=RUN, bases=BASES, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(done, 6) for done in range(1, 7)]


def test_costs_are_drawn_as_they_add_up() -> None:
    told = ls.replay({"n": NAIVE, "b": BETTER}, [["a.js"]] * 3, context=FILES, run=RUN, bases=BASES)
    axes = plot_replay(told)
    lines = {str(line.get_label()): np.asarray(line.get_ydata()).tolist() for line in axes.get_lines()}
    assert lines == {"n": [0.0, 30.0, 60.0, 90.0], "b": [0.0, 0.0, 0.0, 0.0]}
    (pushed, _) = plot_replay(told, figure="push_size").get_lines()
    assert np.asarray(pushed.get_ydata())[-1] == pytest.approx(3 * 40.0015)
    with pytest.raises(ValueError, match="'seconds'"):
        plot_replay(told, figure="hours")
