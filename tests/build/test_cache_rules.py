"""Which steps stay cached after which change: the table of spec/build.md section 7."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from layersim.build.legacy.probing import compared
from tests.build.building import BUILDERS, Bench, states
from tests.build.test_stages import EACH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim.image.document import Json
    from tests.build.building import Builder

DOCKERFILE = """\
FROM base:1
LABEL version=1
ENV A=1
ARG X=default
COPY d /d
RUN make
"""


@dataclass(frozen=True)
class Project:
    """What is built: a Dockerfile, its context, its arguments."""

    dockerfile: str = DOCKERFILE
    files: Mapping[str, bytes | str] = field(default_factory=lambda: {"d/f": "content", "other": "x"})
    build_args: Mapping[str, str] = field(default_factory=dict)

    def with_text(self, old: str, new: str) -> Project:
        assert old in self.dockerfile
        return replace(self, dockerfile=self.dockerfile.replace(old, new))

    def with_files(self, **files: str) -> Project:
        return replace(self, files={name.replace("__", "/"): text for name, text in files.items()})


CHANGES: dict[str, tuple[Callable[[Project], Project], str, str]] = {
    "nothing": (lambda project: project, "CC", "CC"),
    "a comment": (lambda project: project.with_text("RUN", "# why\nRUN"), "CC", "CC"),
    "an unrelated file": (lambda project: project.with_files(d__f="content", other="y"), "CC", "CC"),
    "the file's content": (lambda project: project.with_files(d__f="different"), "xx", "xx"),
    "the file's name": (lambda project: project.with_files(d__g="content"), "xx", "xx"),
    "the destination": (lambda project: project.with_text("COPY d /d", "COPY d /e"), "xx", "xx"),
    "the owner": (lambda project: project.with_text("COPY d", "COPY --chown=1:1 d"), "xx", "xx"),
    "a label before": (lambda project: project.with_text("version=1", "version=2"), "xx", "CC"),
    "the variable before": (lambda project: project.with_text("A=1", "A=2"), "xx", "Cx"),
    "the default of the argument": (lambda project: project.with_text("X=default", "X=other"), "xx", "Cx"),
    "the argument given": (lambda project: replace(project, build_args={"X": "given"}), "Cx", "Cx"),
    "an argument nobody declares": (lambda project: replace(project, build_args={"Y": "given"}), "CC", "CC"),
    "a proxy": (lambda project: replace(project, build_args={"HTTP_PROXY": "http://p"}), "CC", "CC"),
    "a user and a directory without effect": (
        lambda project: project.with_text("COPY", "USER root\nWORKDIR /\nCOPY"),
        "xx",
        "Cx",
    ),
    "ports and commands before": (
        lambda project: project.with_text("LABEL version=1", "EXPOSE 80\nCMD x\nENTRYPOINT y"),
        "xx",
        "CC",
    ),
    "a variable more before": (lambda project: project.with_text("A=1", "A=1 B=1"), "xx", "Cx"),
    "an empty variable given": (lambda project: replace(project, build_args={"X": ""}), "Cx", "Cx"),
    "blanks in the command": (lambda project: project.with_text("RUN make", "RUN  make  it"), "Cx", "Cx"),
}


@EACH
@pytest.mark.parametrize("change", CHANGES)
def test_the_steps_that_stay_cached(builder: Builder, profile: str, change: str) -> None:
    bench, before = Bench(builder, profile), Project()
    changed, legacy, buildkit = CHANGES[change]
    bench.build(before.dockerfile, before.files, build_args=before.build_args)
    after = changed(before)
    told = states(bench.build(after.dockerfile, after.files, build_args=after.build_args))
    assert told["COPY"] + told["RUN"] == (legacy if builder == "legacy" else buildkit)


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_older_content_is_still_known(builder: Builder) -> None:
    bench, one, other = Bench(builder), Project(), Project().with_files(d__f="different")
    first = bench.build(one.dockerfile, one.files)
    bench.build(other.dockerfile, other.files)
    again = bench.build(one.dockerfile, one.files)
    assert (set(states(again).values()), again.id) == ({"C"}, first.id)


@pytest.mark.parametrize("builder", BUILDERS)
def test_without_the_cache_all_is_done_again_and_is_the_newest(builder: Builder) -> None:
    bench, project = Bench(builder), Project()
    bench.build(project.dockerfile, project.files)
    anew = bench.build(project.dockerfile, project.files, no_cache=True)
    assert set(states(anew).values()) == {"x"}
    assert bench.build(project.dockerfile, project.files).id == anew.id


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_argument_declared_later_does_not_touch_a_command_before(builder: Builder) -> None:
    bench = Bench(builder)
    bench.build("FROM base:1\nRUN make\nARG X=1\nCOPY f /f\n", {"f": "x"})
    assert states(bench.build("FROM base:1\nRUN make\nARG X=2\nCOPY f /f\n", {"f": "x"}))["RUN"] == "C"


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_stage_that_comes_to_the_same_leaves_the_next_one_cached(builder: Builder) -> None:
    bench, text = Bench(builder), "FROM base:1 AS b\nCOPY a /a\nCOPY f /f\nFROM base:1\nCOPY --from=b /f /g\nRUN make\n"
    bench.build(text, {"a": "1", "f": "x"})
    build = bench.build(text, {"a": "2", "f": "x"})
    last = [step for step in build.steps if step.stage != "b" and step.reason.kind not in {"base", "metadata"}]
    assert [step.is_cached for step in last] == [True, True]


@EACH
def test_a_command_that_no_file_of_its_changed_is_never_done_again(builder: Builder, profile: str) -> None:
    bench = Bench(builder, profile)
    bench.build("FROM base:1\nRUN date\n")
    assert states(bench.build("FROM base:1\nRUN date\n")) == {"RUN": "C"}


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_a_hit_of_the_legacy_builder_may_have_lost_the_command(profile: str) -> None:
    """A build upon the same image cleared what it inherited; the step is the same to the builder."""
    bench = Bench("legacy", profile)
    bench.build("FROM base:1\nCMD x\n", tag="below:1")
    bench.build("FROM below:1\nENTRYPOINT e\n")
    built = bench.build("FROM base:1\nCMD x\nENTRYPOINT e\n")
    assert [step.is_cached for step in built.steps[1:]] == [True, True]
    assert json.loads(built.raw_config)["config"]["Cmd"] is None


@pytest.mark.parametrize("field", ["WorkingDir", "Shell", "StopSignal", "Healthcheck", "OnBuild"])
def test_fields_that_only_newer_engines_compare(field: str) -> None:
    one: dict[str, Json] = {"Cmd": ["x"], field: ["a"]}
    other: dict[str, Json] = {"Cmd": ["x"], field: ["b"]}
    found = [compared(one, is_old=is_old) == compared(other, is_old=is_old) for is_old in (True, False)]
    assert found == [True, False]


def test_the_cache_of_buildkit_goes_with_a_prune() -> None:
    bench, project = Bench("buildkit"), Project()
    build = bench.build(project.dockerfile, project.files, tag="app:1")
    bench.engine.remove_image(build.id, force=True)
    bench.engine.prune("build cache", unused_images=True)
    again = bench.build(project.dockerfile, project.files)
    assert [str(step.reason) for step in again.steps if step.was_run] == [
        "the cache does not have it any more",
        "the cache does not have it any more",
    ]
