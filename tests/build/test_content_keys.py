"""What BuildKit's keys depend on, by builds; the engine tests hold real builders to the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.build.building import RUN, Bench, states
from tests.tars import BORN

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.build import Build

FILES = {"d/x": "x", "d/k.txt": "k", "e/x": "x", "e/k.txt": "k", "f": "x"}


def last(build: Build) -> str:
    """Return whether the last step was cached."""
    return list(states(build).values())[-1]


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("COPY d /o", "COPY ./d/. /o", "C"),
        ("COPY d /o", "COPY e /o", "x"),
        ("COPY f /o", "COPY [f] /o", "x"),
        ("COPY --chmod=644 f /o", "COPY --chmod=0644 f /o", "C"),
        ("COPY f /o", "COPY --link f /o", "C"),
        ("RUN ls", "WORKDIR /\nRUN ls", "C"),
        ("WORKDIR /w\nRUN ls", "WORKDIR /w/\nRUN ls", "x"),
        ("WORKDIR /w\nRUN ls", "WORKDIR w\nRUN ls", "C"),
        ("ENV A=1 B=2\nRUN ls", "ENV B=2 A=1\nRUN ls", "x"),
        ("ENV A=1 B=2\nRUN ls", "ENV A=3\nENV A=1\nENV B=2\nRUN ls", "C"),
        ("ENV A=1 B=2\nRUN ls", "ENV A=1 B=2\nENV A=1\nRUN ls", "x"),
        ("ENV A=1 B=2\nRUN ls", "ARG A=1\nENV B=2\nRUN ls", "C"),
        ("RUN <<E\n#!/bin/sh\nls\nE", "RUN <<E\n#!/bin/sh\nls\nE", "C"),
        ("RUN <<E\n#!/bin/sh\nls\nE", "RUN <<E\n#!/bin/sh\nls -l\nE", "x"),
        ("RUN <<E\nls\nE", "RUN <<E\nls -l\nE", "x"),
        ("COPY <<E /o\nls\nE", "COPY <<E /o\nls\nE", "C"),
        ("COPY <<E /o\nls\nE", "COPY <<E /o\nls -l\nE", "x"),
        ("COPY <<E /o\nls\nE", "COPY <<F /o\nls\nF", "x"),
        ("WORKDIR /w", "WORKDIR //w/", "C"),
    ],
)
def test_the_same_in_other_words(before: str, after: str, state: str) -> None:
    bench = Bench("buildkit", "overlay2")
    bench.build(f"FROM base:1\n{before}\n", FILES)
    assert last(bench.build(f"FROM base:1\n{after}\n", FILES)) == state


def test_a_stage_hands_its_arguments_on_before_its_variables() -> None:
    bench = Bench("buildkit", "overlay2")
    bench.build("FROM base:1 AS b\nENV B=2\nARG A=1\nFROM b\nRUN ls\n")
    assert last(bench.build("FROM base:1 AS b\nARG A=1\nENV B=2\nFROM b\nRUN ls\n")) == "C"
    assert last(bench.build("FROM base:1 AS b\nARG A=1\nENV B=2\nRUN ls\n")) == "x"


def test_another_order_of_variables_is_told() -> None:
    bench = Bench("buildkit", "overlay2")
    bench.build("FROM base:1\nENV A=1 B=2\nRUN ls\n")
    step = bench.build("FROM base:1\nENV B=2 A=1\nRUN ls\n").steps[-1]
    assert str(step.reason) == "option order of variables changed from 'PATH A B' to 'PATH B A'"
    other = bench.build("FROM base:1\nENV A=2 B=2\nRUN ls\n").steps[-1]
    assert str(other.reason) == "environment A changed from '1' to '2'"


def test_a_linked_copy_is_another_step_to_a_store_of_snapshots() -> None:
    bench = Bench("buildkit", "containerd")
    bench.build("FROM base:1\nCOPY f /o\n", FILES)
    assert last(bench.build("FROM base:1\nCOPY --link f /o\n", FILES)) == "x"
    assert last(bench.build("FROM base:1\nCOPY --link f /o\n", FILES)) == "C"


EXCLUDED = {"d/k.txt": ("C", "x"), "d/x": ("x", "x")}


@pytest.mark.parametrize("changed", EXCLUDED)
@pytest.mark.parametrize("flag", ["--exclude=*.txt", "--exclude=k.*"])
def test_what_is_excluded_does_not_count(flag: str, changed: str) -> None:
    bench = Bench("buildkit", "overlay2")
    for number, line in enumerate((f"COPY {flag} d /o", "COPY d /o")):
        bench.build(f"FROM base:1\n{line}\n", FILES)
        again = bench.build(f"FROM base:1\n{line}\n", {**FILES, changed: "new"})
        assert last(again) == EXCLUDED[changed][number]


def test_with_parents_counts_what_is_copied_and_the_way_to_it() -> None:
    bench, text = Bench("buildkit", "overlay2"), "FROM base:1\nCOPY --parents d/x /o/\n"
    bench.build(text, FILES)
    assert last(bench.build(text, {**FILES, "d/k.txt": "new"})) == "C"
    assert last(bench.build(text, {**FILES, "d/x": "new"})) == "x"


def test_owners_of_a_stage_count_since_23() -> None:
    text = "FROM base:1 AS b\nCOPY --chown={} f /f\nFROM base:1\nCOPY --from=b /f /g\n"
    for profile, state in (("docker20", "C"), ("overlay2", "x")):
        bench = Bench("buildkit", profile)
        bench.build(text.format("1:2"), FILES)
        assert last(bench.build(text.format("3:4"), FILES)) == state


class TestDirectoriesOfTheHost:
    """A directory counts with the mode that it had when it was sent first."""

    TEXT = b"FROM scratch\nCOPY d /d\n"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "d/sub").mkdir(parents=True)
        (tmp_path / "d/sub/f").write_text("f")
        os.utime(tmp_path / "d/sub/f", (BORN, BORN))
        return tmp_path

    def states(self, engine: ls.Engine, folder: Path, text: bytes = TEXT) -> str:
        return last(engine.build(folder, dockerfile=text, run=RUN))

    def test_a_new_mode_is_not_seen(self, folder: Path) -> None:
        engine = ls.Engine()
        assert self.states(engine, folder) == "x"
        (folder / "d/sub").chmod(0o700)
        (folder / "d").chmod(0o700)
        assert self.states(engine, folder) == "C"
        assert self.states(ls.Engine(), folder) == "x"

    def test_it_is_when_a_build_did_not_ask_for_the_directory(self, folder: Path) -> None:
        engine = ls.Engine()
        self.states(engine, folder)
        (folder / "g").write_text("g")
        self.states(engine, folder, b"FROM scratch\nCOPY g /g\n")
        (folder / "d").chmod(0o700)
        assert self.states(engine, folder) == "x"

    def test_what_is_on_the_way_is_sent_too(self, folder: Path) -> None:
        engine = ls.Engine()
        self.states(engine, folder)
        self.states(engine, folder, b"FROM scratch\nCOPY d/sub /d\n")
        (folder / "d").chmod(0o700)
        assert self.states(engine, folder) == "C"

    def test_a_pruned_context_is_sent_anew(self, folder: Path) -> None:
        engine = ls.Engine()
        image = engine.build(folder, dockerfile=self.TEXT, tag="app:1")
        engine.prune("build cache")
        assert image.tags == ("app:1",)
        (folder / "d").chmod(0o700)
        assert self.states(engine, folder) == "x"
