"""What a builder reads before it does anything, and which stages it looks at.

Measured on 20.10.24, 26.1.5 and 28.5.2. The legacy builder goes from stage to stage up to the target, and does what it
reads at once. BuildKit reads all that the target needs, every image and every instruction, and runs the first command
when nothing is wrong.
"""

from __future__ import annotations

import re

import pytest

import layersim as ls
from layersim.errors import LayerSimError, RunError
from tests.build.building import RUN, Bench, Builder
from tests.build.test_stages import EACH, GENERATIONS

FAILS = "the command failed"
DOUBLE = "FROM base:1 AS a\nCOPY f /one\nFROM base:1 AS A\nCOPY f /two\n"


def fail(*_: object) -> None:
    raise RunError(FAILS, (), 1)


def said(builder: Builder, profile: str, text: str, target: str | None = None) -> str:
    """Return how a build fails whose commands fail; an empty text if it does not."""
    try:
        files = {"Dockerfile": text, "f": "x"}
        Bench(builder, profile).engine.build(files, builder=builder, target=target, run=fail)
    except LayerSimError as error:
        return str(error)
    return ""


READ_FIRST = {
    "EXPOSE x": ("Invalid containerPort: x", "invalid containerPort: x"),
    "STOPSIGNAL nope": ("Invalid signal: nope", "invalid signal: nope"),
    "VOLUME $NO": ("VOLUME specified can not be an empty string",) * 2,
    "LABEL a=${X:?no}": ('failed to process "${X:?no}": X: no',) * 2,
    "COPY http://x/y /z": ("source can't be a URL for COPY",) * 2,
    "COPY --from=nosuch:1 /x /y": ("No such image: nosuch:1",) * 2,
    "RUN --mount=from=nosuch:1,target=/x true": ("No such image: nosuch:1",) * 2,
    "RUN []": ("failed to marshal LLB definition: arguments are required",) * 2,
    "RUN --mount=target=/ true": ('invalid mount target "/"',) * 2,
    "COPY --chmod=zz f /z": (FAILS, "invalid syntax"),
    "RUN --network=host true": ("", "network.host is not allowed"),
    "ADD --checksum=foo f /z": ("", "checksum requires HTTP(S) or Git sources"),
    "RUN --mount=type=secret true": (
        "dockerfile parse error line 3: invalid secret mount. one of source, target required",
        "invalid secret mount. one of source, target required",
    ),
}
"""Lines after a command that fails, and what BuildKit of 20.10 and newer ones say."""


@pytest.mark.parametrize("line", READ_FIRST)
def test_buildkit_reads_everything_before_it_runs_anything(line: str) -> None:
    for profile, expected in zip(("docker20", "overlay2"), READ_FIRST[line], strict=True):
        assert said("buildkit", profile, f"FROM base:1\nRUN false\n{line}\n").startswith(expected)


@pytest.mark.parametrize(
    "line", ["EXPOSE x", "VOLUME $NO", "COPY http://x/y /z", "COPY --from=nosuch:1 /x /y", "RUN []"]
)
@GENERATIONS
def test_the_legacy_builder_does_what_it_reads(profile: str, line: str) -> None:
    assert said("legacy", profile, f"FROM base:1\nRUN false\n{line}\n") == FAILS


@GENERATIONS
def test_nothing_is_run_or_kept_of_a_build_that_buildkit_refuses(profile: str) -> None:
    ran = list[str]()

    def run(step: ls.RunStep, _fs: ls.Overlay, _env: dict[str, str]) -> None:
        ran.append(step.text)

    bench = Bench("buildkit", profile)
    with pytest.raises(LayerSimError) as caught:
        bench.engine.build({"Dockerfile": "FROM base:1\nRUN a\nRUN b\nEXPOSE x\n"}, run=run)
    assert (ran, len(bench.engine.build_cache)) == ([], 0)
    assert getattr(caught.value, "line", None) == 4


@GENERATIONS
def test_what_is_no_step_is_found_when_all_is_read(profile: str) -> None:
    assert "nvalid containerPort" in said("buildkit", profile, "FROM base:1\nRUN []\nEXPOSE x\n")


@GENERATIONS
def test_images_come_before_instructions(profile: str) -> None:
    text = "FROM base:1 AS a\nEXPOSE x\nFROM nosuch:1\nCOPY --from=a / /\n"
    assert said("buildkit", profile, text).startswith("No such image: nosuch:1")


@pytest.mark.parametrize(
    "line", ["RUN false", "EXPOSE x", "LABEL a=${X:?no}", "STOPSIGNAL no", "COPY nope /", "ONBUILD FOO"]
)
@EACH
def test_a_stage_that_nothing_needs(builder: Builder, profile: str, line: str) -> None:
    """The legacy builder does its instructions; a trigger is only looked at where it is triggered."""
    told = said(builder, profile, f"FROM base:1 AS a\n{line}\nFROM base:1\nCOPY f /f\n")
    assert bool(told) == (builder == "legacy" and not line.startswith("ONBUILD"))


@EACH
def test_a_trigger_that_is_wrong(builder: Builder, profile: str) -> None:
    hint = " (did you mean FROM?)" if profile == "overlay2" else ""
    text = "FROM base:1 AS a\nONBUILD FOO x\nFROM a AS b\n"
    assert said(builder, profile, text) == f"unknown instruction: FOO{hint}"
    unneeded = said(builder, profile, f"{text}FROM base:1\n")
    assert unneeded == ("" if builder == "buildkit" else f"unknown instruction: FOO{hint}")


@GENERATIONS
def test_a_trigger_that_is_wrong_after_a_command_that_fails(profile: str) -> None:
    text = "FROM base:1 AS a\nRUN false\nONBUILD FOO x\nFROM a\n"
    assert said("legacy", profile, text) == FAILS
    assert said("buildkit", profile, text).startswith("unknown instruction: FOO")


STAGES = {
    "FROM base:1 AS a\n{}FROM base:1 AS A\n": "a stage name already used",
    "FROM base:1 AS a\n{}FROM ${{NO}}\n": "base name (${NO}) should not be blank",
    "FROM base:1 AS a\n{}FROM ${{NO:?x}}\n": 'failed to process "${NO:?x}": NO: x',
    "FROM base:1 AS a\n{}FROM --platform=foo base:1\n": 'failed to parse platform foo: "foo": unknown operating system '
    "or architecture: invalid argument",
}
"""A stage that is wrong after one with a line of its own."""


@GENERATIONS
@pytest.mark.parametrize("text", STAGES)
def test_the_legacy_builder_looks_at_a_stage_when_those_before_are_done(profile: str, text: str) -> None:
    assert said("legacy", profile, text.format("RUN false\n")) == FAILS
    assert said("legacy", profile, text.format("LABEL a=1\n")) == STAGES[text]
    assert not said("legacy", profile, text.format("LABEL a=1\n"), "a")


@GENERATIONS
@pytest.mark.parametrize("text", [one for one in STAGES if "AS A" not in one])
def test_buildkit_looks_at_all_stages(profile: str, text: str) -> None:
    for target in (None, "a"):
        assert said("buildkit", profile, text.format("RUN false\n"), target) == STAGES[text]


@EACH
def test_of_two_stages_of_one_name_each_builder_takes_another(builder: Builder, profile: str) -> None:
    bench = Bench(builder, profile)
    made = bench.engine.build({"Dockerfile": DOUBLE, "f": "x"}, target="a", builder=builder)
    assert ls.View(made.layers).exists("/one") == (builder == "legacy")
    assert ls.View(made.layers).exists("/two") == (builder == "buildkit")


@EACH
def test_names_of_stages(builder: Builder, profile: str) -> None:
    """All know a name in any letters where files are copied from; as a base only the legacy builder does."""
    bench = Bench(builder, profile)
    made = bench.build("FROM base:1 AS Abc\nCOPY f /f\nFROM base:1\nCOPY --from=aBC /f /g\n", {"f": "x"})
    assert ls.View(made.layers).read_bytes("/g") == b"x"
    upon = "FROM base:1 AS Abc\nCOPY f /f\nFROM {}\nLABEL a=1\n"
    assert ls.View(bench.build(upon.format("abc"), {"f": "x"}).layers).exists("/f")
    told = said(builder, profile, upon.format("ABC"))
    assert bool(told) == (builder == "buildkit")
    assert not told or re.search("reference format|must be lowercase", told)


@EACH
def test_a_stage_is_no_base_by_its_number(builder: Builder, profile: str) -> None:
    assert said(builder, profile, "FROM base:1\nCOPY f /f\nFROM 0\n").startswith("No such image: 0")


PLATFORMS = {
    "a/b/c/d": '"a/b/c/d": cannot parse platform specifier: invalid argument',
    "*": '"*": wildcards not yet supported: invalid argument',
    "foo": '"foo": unknown operating system or architecture: invalid argument',
}


@EACH
@pytest.mark.parametrize("word", PLATFORMS)
def test_words_that_are_no_platform(builder: Builder, profile: str, word: str) -> None:
    assert (
        said(builder, profile, f"FROM --platform={word} base:1\n")
        == f"failed to parse platform {word}: {PLATFORMS[word]}"
    )


@EACH
def test_a_platform_that_no_variable_gives(builder: Builder, profile: str) -> None:
    told = said(builder, profile, "FROM --platform=$NO base:1\n")
    if (builder, profile) == ("buildkit", "overlay2"):
        assert told == "empty platform value from expression $NO"
    elif profile == "docker20":
        rule = 'platform specifier component must match "^[A-Za-z0-9_-]+$": invalid argument'
        assert told == f'failed to parse platform : "" is an invalid component of "": {rule}'
    else:
        assert told.startswith('failed to parse platform : "" is an invalid OS component of "": OSAndVersion specifier')


@EACH
def test_platforms_that_are_some(builder: Builder, profile: str) -> None:
    for word in ("linux", "linux/amd64", "amd64", "linux/arm/v7"):
        bench = Bench(builder, profile)
        made = bench.engine.build({"Dockerfile": f"FROM --platform={word} base:1\nRUN x\n"}, run=RUN, builder=builder)
        assert len(made.layers) == 2
