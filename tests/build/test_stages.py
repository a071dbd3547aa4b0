"""What stages take from each other: by name and number, too early, in circles, and by what a base triggers.

Measured on 20.10.24 and 28.5.2, with inputs like those of the integration tests of moby and of BuildKit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import BuildError, DockerfileError, LayerSimError
from tests.build.building import BUILDERS, Bench, Builder

if TYPE_CHECKING:
    from layersim.build import Build

FOUR = [(builder, profile) for builder in BUILDERS for profile in ("docker20", "overlay2")]
EACH = pytest.mark.parametrize(("builder", "profile"), FOUR)
GENERATIONS = pytest.mark.parametrize("profile", ["docker20", "overlay2"])
EARLY = "FROM base:1 AS a\nCOPY --from=b /f /x\nFROM base:1 AS b\nCOPY f /f\nFROM a\n"
CIRCLES = {
    "FROM base:1\nCOPY --from=0 /x /y\n": "stage-0",
    "FROM base:1 AS me\nCOPY --from=me /x /y\n": "me",
    "FROM base:1 AS a\nCOPY --from=b /x /y\nFROM base:1 AS b\nCOPY --from=a /x /y\nFROM base:1\nLABEL a=1\n": "a",
    "FROM base:1 AS a\nCOPY --from=b /x /y\nFROM base:1 AS b\nCOPY --from=c /x /y\n"
    "FROM base:1 AS c\nCOPY --from=b /x /y": "a",
}
TRIGGERED = "FROM base:1 AS from\nCOPY f /f\nFROM base:1 AS base\nONBUILD COPY --from=from /f /g\nFROM base\n"


def document(build: Build) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(build.raw_config)["config"]
    return config


def refusal(builder: Builder, profile: str, text: str) -> str:
    with pytest.raises(LayerSimError) as caught:
        Bench(builder, profile).build(text, {"f": "f"})
    return str(caught.value)


@GENERATIONS
@pytest.mark.parametrize("text", CIRCLES)
def test_a_circle_is_found_wherever_it_is(profile: str, text: str) -> None:
    assert refusal("buildkit", profile, text) == f"circular dependency detected on stage: {CIRCLES[text]}"


@EACH
@pytest.mark.parametrize("word", ["7", "-1"])
def test_a_number_of_no_stage_is_an_error(builder: Builder, profile: str, word: str) -> None:
    legacy = f"invalid from flag value {word}: index out of bounds"
    expected = legacy if builder == "legacy" else f"invalid stage index {word}"
    assert refusal(builder, profile, f"FROM base:1\nCOPY --from={word} /x /y\n") == expected


@GENERATIONS
def test_the_legacy_builder_knows_no_stage_before_it_is_done(profile: str) -> None:
    own = "invalid from flag value 0: refers to current build stage"
    assert refusal("legacy", profile, "FROM base:1\nCOPY --from=0 /x /y\n") == own
    assert "No such image: me" in refusal("legacy", profile, "FROM base:1 AS me\nCOPY --from=me /x /y\n")


def test_a_later_stage_is_refused_by_29_and_is_its_image_to_20() -> None:
    early = 'cannot copy from stage "b", it needs to be defined before current stage "a"'
    assert refusal("buildkit", "overlay2", EARLY) == early
    assert '"/f" not found' in refusal("buildkit", "docker20", EARLY)
    build = Bench("buildkit").build(EARLY.replace("/f /x", "/bin/sh /x"), {"f": "f"})
    assert ls.View(build.layers).read_bytes("/x") == b"shell"
    assert [step.stage for step in build.steps if step.label] == ["a", "a"]


@EACH
def test_variables_are_not_replaced_in_from(builder: Builder, profile: str) -> None:
    said = refusal(builder, profile, "FROM base:1\nENV b=base:1\nCOPY --from=$b /bin/sh /y\n")
    expected = {
        "legacy": "invalid from flag value $b: invalid reference format",
        "buildkit docker20": 'failed to parse stage name "$b": invalid reference format',
        "buildkit overlay2": "variable expansion is not supported for --from",
    }
    assert said.startswith(expected.get(f"{builder} {profile}") or expected[builder])


@EACH
def test_an_empty_from_is_none(builder: Builder, profile: str) -> None:
    build = Bench(builder, profile).build("FROM base:1\nCOPY --from= f /g\n", {"f": "f"})
    assert ls.View(build.layers).read_bytes("/g") == b"f"


@pytest.mark.parametrize(("builder", "profile"), [pair for pair in FOUR if pair != ("buildkit", "docker20")])
def test_what_a_base_triggers_may_copy_from_a_stage(builder: Builder, profile: str) -> None:
    bench = Bench(builder, profile)
    assert ls.View(bench.build(TRIGGERED, {"f": "f"}).layers).read_bytes("/g") == b"f"
    bench.build("FROM base:1\nONBUILD COPY --from=from /f /g\n", tag="trigger:1")
    build = bench.build("FROM base:1 AS from\nCOPY f /f\nFROM trigger:1\n", {"f": "f"})
    assert ls.View(build.layers).read_bytes("/g") == b"f"


def test_20_forgets_where_what_is_triggered_copies_from() -> None:
    assert '"/f" not found' in refusal("buildkit", "docker20", TRIGGERED)


@EACH
def test_triggers_of_triggers(builder: Builder, profile: str) -> None:
    bench = Bench(builder, profile)
    for name, trigger in (("chain:1", "ONBUILD LABEL a=1"), ("from:1", "FROM base:1")):
        bench.engine.add_image([ls.Layer.from_changes([ls.mkdir("/d")])], name, config={"OnBuild": [trigger]})
    kept = document(bench.build("FROM chain:1\nLABEL b=1\n")).get("OnBuild")
    assert (kept or []) == ([] if (builder, profile) == ("buildkit", "docker20") else ["LABEL a=1"])
    with pytest.raises(BuildError, match="Stage is not a command type"):
        bench.build("FROM from:1\n")


def test_target_stage_is_what_was_asked_for() -> None:
    bench = Bench("buildkit", "overlay2")
    told = "ARG TARGETSTAGE\nLABEL a=$TARGETSTAGE\n"
    text = f"FROM base:1 AS Two\n{told}FROM base:1\n{told}"
    for target, given, expected in (("TWO", {}, "TWO"), (None, {}, "default"), (None, {"TARGETSTAGE": "x"}, "x")):
        build = bench.engine.build({"Dockerfile": text}, target=target, build_args=given)
        assert document(build)["Labels"] == {"a": expected}


def test_a_default_is_not_read_in_vain_by_29_alone() -> None:
    text = "ARG a=${no:?needed}\nFROM base:1\nARG b=${no:?needed}\nARG a\nLABEL v=$a$b\n"
    given = {"a": "1", "b": "2"}
    assert document(Bench("buildkit", "overlay2").build(text, build_args=given))["Labels"] == {"v": "12"}
    for builder, profile in FOUR[:-1]:
        with pytest.raises(DockerfileError, match="needed"):
            Bench(builder, profile).build(text, build_args=given)


@pytest.mark.parametrize("builder", ["buildkit", "legacy"])
def test_each_step_is_told_of_when_it_is_done(builder: Builder) -> None:
    engine, told = ls.Engine(clock=lambda: 0), list[ls.Step]()
    text = "FROM scratch AS a\nCOPY f /f\nFROM scratch\nCOPY --from=a /f /g\nCOPY gone /h\n"
    with pytest.raises(BuildError):
        engine.build({"Dockerfile": text, "f": "1"}, builder=builder, progress=told.append)
    assert [step.instruction for step in told] == text.splitlines()[:4]
    built = engine.build({"Dockerfile": text, "f": "1", "gone": ""}, builder=builder, progress=told.append)
    assert tuple(told[4:]) == built.steps


@pytest.mark.parametrize("builder", ["buildkit", "legacy"])
def test_what_the_kernel_refuses_names_the_line(builder: Builder) -> None:
    engine = ls.Engine(clock=lambda: 0)
    text = f"FROM scratch\nCOPY f /{'x' * 300}\n"
    with pytest.raises(BuildError, match=r"^COPY failed: file name too long: x{90,100}$") as caught:
        engine.build({"Dockerfile": text, "f": "1"}, builder=builder)
    assert (caught.value.file, caught.value.line) == ("Dockerfile", 2)


@pytest.mark.parametrize("builder", ["buildkit", "legacy"])
def test_the_tags_of_this_build_are_told(builder: Builder) -> None:
    engine = ls.Engine(clock=lambda: 0)
    context = {"Dockerfile": "FROM scratch\nCOPY f /f\n", "f": "1"}
    engine.build(context, tag="a:1", builder=builder)
    made = engine.build(context, tag="b:2", builder=builder)
    assert made.tags == ("a:1", "b:2")
    told = "naming to docker.io/library/b:2 done" if builder == "buildkit" else "Successfully tagged b:2"
    assert told in str(made)
    assert "a:1" not in str(made)
