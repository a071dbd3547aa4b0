"""Builds after an engine was saved and opened: what was cached still is, and reasons still say what changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import StateError
from tests.build.building import BUILDERS, RUN, Bench, states
from tests.test_state_check import forge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.build.building import Builder

Json = dict[str, Any]
DOCKERFILE = """\
FROM base:1 AS one
ARG X=1
ENV A=1
WORKDIR /srv
COPY d /d
RUN make
FROM base:1
COPY --from=one /d /from
COPY --link other /linked
RUN make all
"""
FILES = {"d/f": "content", "d/g\udcff": "odd", "other": "x"}


@pytest.fixture(params=["host.lsim", "store/"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{tmp_path}/{request.param}"


def reopened(bench: Bench, path: str) -> Bench:
    """Save an engine and go on with what is opened."""
    bench.engine.save_state(path)
    bench.engine.close()
    assert ls.Engine.check_state(path) == []
    bench.engine = ls.Engine.open(path, clock=bench.engine.now)
    return bench


def document_of(path: str) -> Json:
    with open(f"{path}/state.json", "rb") as file:
        decoded: Json = json.loads(file.read().partition(b"\n")[2])
    return decoded


def bench_for(builder: Builder, profile: str = "overlay2") -> tuple[Bench, str]:
    """Return an engine, and the Dockerfile as its builder knows it."""
    bench = Bench(builder, profile)
    knows_link = builder == "buildkit" and not bench.engine.profile.docker_version.startswith("20.")
    return bench, DOCKERFILE if knows_link else DOCKERFILE.replace("--link ", "")


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("profile", ["docker20", "overlay2", "containerd"])
def test_a_rebuild_is_cached_and_the_same_image(builder: Builder, profile: str, path: str) -> None:
    bench, dockerfile = bench_for(builder, profile)
    first = bench.build(dockerfile, FILES)
    before = [(row.description, row.size, row.type) for row in bench.engine.build_cache]
    reopened(bench, path)
    assert [(row.description, row.size, row.type) for row in bench.engine.build_cache] == before
    second = bench.build(dockerfile, FILES)
    assert (second.id, second.layer_sizes) == (first.id, first.layer_sizes)
    assert set("".join(states(second).values())) == {"C"}
    # Bases, contexts and Dockerfiles have the records that they had, and are used once more.
    assert len(bench.engine.build_cache) == len(before)
    assert all(row.usage_count == 2 for row in bench.engine.build_cache if row.type == "source.local")


@pytest.mark.parametrize("builder", BUILDERS)
def test_reasons_are_those_of_an_engine_that_was_never_saved(builder: Builder, path: str) -> None:
    (kept, dockerfile), (saved, _) = bench_for(builder), bench_for(builder)
    for bench in (kept, saved):
        bench.build(dockerfile, FILES)
        bench.build(dockerfile.replace("A=1", "A=2"), FILES)
    reopened(saved, path)
    told = [
        (
            [str(step.reason) for step in bench.build(dockerfile, FILES | {"d/f": "changed", "d/new": "n"}).steps],
            [str(step.reason) for step in bench.build(dockerfile.replace("make all", "make some"), FILES).steps],
            [str(step.reason) for step in bench.build(dockerfile.replace("ENV A=1", "ENV A=3"), FILES).steps],
        )
        for bench in (kept, saved)
    ]
    assert told[0] == told[1]
    assert any("file d/f changed from " in reason for reason in told[1][0])
    assert any("make some" in reason or "changed" in reason for reason in told[1][1])


def test_pruning_takes_the_steps_and_is_remembered(path: str) -> None:
    bench = Bench("buildkit", "overlay2")
    bench.build(DOCKERFILE, FILES)
    reopened(bench, path)
    pruned = bench.engine.prune("build cache", unused_images=True)
    assert len(bench.engine.build_cache) == 0
    assert pruned.build_cache
    reopened(bench, path)
    reasons = [step.reason for step in bench.build(DOCKERFILE, FILES).steps]
    kinds = [reason.kind for reason in reasons if reason.kind not in {"base", "metadata"}]
    assert kinds == ["dropped"] * len(kinds)
    again = bench.build(DOCKERFILE, FILES)
    assert set("".join(states(again).values())) == {"C"}


def test_a_step_whose_newest_record_went_stays_gone(path: str) -> None:
    """An older record of the same step does not bring it back."""
    bench = Bench("buildkit", "overlay2")
    dockerfile = "FROM base:1\nRUN make\n"
    bench.build(dockerfile)
    bench.build(dockerfile, no_cache=True)
    newest = [row.id for row in bench.engine.build_cache if " exec " in row.description][-1]
    steps = bench.engine._step_cache
    steps.drop(newest)
    (key,) = steps.dropped
    assert [done.key for done in steps.records.values()] == [key]
    reopened(bench, path)
    assert bench.engine._step_cache.find(key) is None
    assert states(bench.build(dockerfile)) == {"RUN": "x"}


def test_what_is_written_once_is_there_once(tmp_path: Path) -> None:
    bench = Bench("buildkit", "overlay2")
    files = {f"d/{number}": f"{number}" for number in range(200)}
    for edit in range(10):
        bench.build("FROM base:1\nCOPY d /d\n", files | {"d/7": f"edit {edit}"})
    bench.engine.save_state(f"{tmp_path}/store/")
    builds = document_of(f"{tmp_path}/store")["builds"]
    assert len(builds["inputs"]["key"]) == 10
    # The bytes and the mode of each file, and one more of the bytes that change for each edit.
    assert len(builds["pairs"]["name"]) == 2 * 200 + 9
    assert len(set(builds["texts"])) == len(builds["texts"])


def test_an_engine_that_never_built_is_saved_as_before(tmp_path: Path) -> None:
    bench = Bench("buildkit", "overlay2")
    bench.engine.save_state(f"{tmp_path}/store/")
    assert "builds" not in document_of(f"{tmp_path}/store")


def test_a_state_without_the_section_opens_and_knows_no_steps(tmp_path: Path) -> None:
    bench = Bench("buildkit", "overlay2")
    bench.build(DOCKERFILE, FILES)
    bench.engine.save_state(f"{tmp_path}/store/")
    records = len(bench.engine.build_cache)
    forge(tmp_path / "store/state.json", lambda document: document.pop("builds"))
    assert ls.Engine.check_state(f"{tmp_path}/store") == []
    with ls.Engine.open(f"{tmp_path}/store", clock=bench.engine.now) as opened:
        assert len(opened.build_cache) == records
        built = opened.build({"Dockerfile": DOCKERFILE, **FILES}, run=RUN)
        assert {step.reason.kind for step in built.steps} == {"base", "metadata", "first"}


def _of(document: Json, section: str, column: str) -> list[Any]:
    found: list[Any] = document["builds"][section][column]
    return found


DAMAGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "a column cut short": (lambda d: _of(d, "steps", "key").pop(), "builds.steps: columns of different lengths"),
    "inputs cut short": (lambda d: _of(d, "inputs", "stage").pop(), "builds.inputs: columns of different lengths"),
    "a record of nowhere": (
        lambda d: _of(d, "steps", "record").__setitem__(0, 99),
        "builds.steps[0]: its record 99 holds no layer",
    ),
    "a record without a layer": (
        lambda d: d["build_cache"][_of(d, "steps", "record")[0]].pop("top"),
        "builds.steps[0]: its record",
    ),
    "a record twice": (
        lambda d: _of(d, "steps", "record").__setitem__(0, _of(d, "steps", "record")[1]),
        "builds.steps: 2 with the record",
    ),
    "a date beyond all": (lambda d: _of(d, "steps", "created_ns").__setitem__(0, 10**30), "the years 1 to 9999"),
    "a date that is a text": (lambda d: _of(d, "steps", "created_ns").__setitem__(0, "now"), "Expected `int`"),
    "a source twice": (
        lambda d: _of(d, "sources", "name").__setitem__(0, _of(d, "sources", "name")[1]),
        "builds.sources: 2 with the name",
    ),
    "a source of nowhere": (lambda d: _of(d, "sources", "record").__setitem__(0, 99), "builds of nothing"),
    "a text of nowhere": (lambda d: d["builds"]["texts"].pop(), "builds of nothing"),
    "a mapping of nowhere": (lambda d: d["builds"]["mappings"].pop(), "builds of nothing"),
    "a name twice": (
        lambda d: max(d["builds"]["mappings"], key=len).append(max(d["builds"]["mappings"], key=len)[0]),
        "a name twice",
    ),
    "inputs twice": (
        lambda d: [column.append(column[0]) for column in d["builds"]["inputs"].values()],
        "the inputs of a step twice",
    ),
    "a negative position": (lambda d: _of(d, "inputs", "files").__setitem__(0, -1), ">= 0"),
    "an ordinal": (lambda d: _of(d, "inputs", "ordinal").__setitem__(0, 0), ">= 1"),
    "a column": (lambda d: d["builds"].update(secrets=[]), "secrets"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_section_is_refused_and_told(damage: str, tmp_path: Path) -> None:
    bench = Bench("buildkit", "overlay2")
    bench.build(DOCKERFILE, FILES)
    bench.engine.save_state(f"{tmp_path}/store/")
    edit, words = DAMAGES[damage]
    forge(tmp_path / "store/state.json", edit)
    with pytest.raises(StateError):
        ls.Engine.open(f"{tmp_path}/store")
    found = [str(breach) for breach in ls.Engine.check_state(f"{tmp_path}/store")]
    assert any(words in breach for breach in found), found
