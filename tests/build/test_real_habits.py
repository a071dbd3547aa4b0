"""Habits of real Dockerfiles, as 20.10.24 and 28.5.2 were measured to take them."""

from __future__ import annotations

import json

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.building import BUILDERS, Bench, Builder

GENERATIONS = pytest.mark.parametrize("profile", ["docker20", "overlay2"])
EACH_BUILDER = pytest.mark.parametrize("builder", BUILDERS)
GONE = ls.runs({"clean": ls.effect(removes=["/gone"])}, default=ls.effect())


@GENERATIONS
@EACH_BUILDER
def test_a_directory_is_named_as_it_is_written(builder: Builder, profile: str) -> None:
    image = Bench(builder, profile).engine.build({"Dockerfile": "FROM base:1\nWORKDIR /a//b/\n"}, builder=builder)
    is_cleaned = builder == "legacy" and profile != "docker20"
    assert json.loads(image.raw_config)["config"]["WorkingDir"] == ("/a/b" if is_cleaned else "/a//b/")


@GENERATIONS
def test_a_container_has_its_directory_made_again(profile: str) -> None:
    text = "FROM base:1\nWORKDIR /gone\nRUN clean\nLABEL a=1\nENV A=b\n"
    image = Bench("legacy", profile).engine.build({"Dockerfile": text}, builder="legacy", run=GONE)
    assert [step.layer is not None for step in image.steps] == [False, True, True, True, False]


@GENERATIONS
def test_a_command_has_its_directory_made_again(profile: str) -> None:
    text = "FROM base:1\nWORKDIR /gone\nRUN clean\nRUN true\n"
    image = Bench("buildkit", profile).engine.build({"Dockerfile": text}, run=GONE)
    assert ls.View(image.layers[-1:]).listdir("/") == ["gone"]


@GENERATIONS
@EACH_BUILDER
def test_a_directory_in_a_file_is_refused(builder: Builder, profile: str) -> None:
    with pytest.raises(BuildError, match="lstat /bin/sh/x: not a directory"):
        Bench(builder, profile).engine.build({"Dockerfile": "FROM base:1\nWORKDIR /bin/sh/x/y\n"}, builder=builder)


@GENERATIONS
def test_the_legacy_builder_knows_no_platform_of_its_own(profile: str) -> None:
    with pytest.raises(BuildError, match='failed to parse platform : "" is an invalid'):
        Bench("legacy", profile).engine.build(
            {"Dockerfile": "FROM --platform=$BUILDPLATFORM base:1\n"}, builder="legacy"
        )


def test_the_first_line_of_a_script_is_printed_with_its_variables() -> None:
    text = "FROM base:1\nARG V=1\nRUN <<EOF\n   install a-$V-b \\\n   c\nEOF\n"
    image = Bench("buildkit", "overlay2").engine.build({"Dockerfile": text}, run=GONE)
    assert "RUN <<EOF (install a-1-b ...)" in str(image)


@GENERATIONS
def test_a_form_of_what_is_not_set_is_printed_as_it_is(profile: str) -> None:
    image = Bench("buildkit", profile).engine.build(
        {"Dockerfile": "FROM base:1\nENV V=v\nRUN a ${NO:-d} ${V:-d}\n"}, run=GONE
    )
    assert "RUN a ${NO:-d} v" in str(image)
