"""Remarks that hang on values; the engine tests hold the same cases to a real one."""

from __future__ import annotations

import pytest

import layersim as ls
from layersim.errors import BuildError, DockerfileError
from tests.build.lint_value_cases import CASES, Case
from tests.engine.archives import ImageSpec, docker_archive
from tests.tars import Entry, layer_tar

OLD = ImageSpec((layer_tar([Entry("b", content=b"b")]),), ("old:1",), architecture="386")


def built(case: Case) -> ls.Build:
    engine = ls.Engine(profile="overlay2")
    engine.add_image([ls.Layer.from_changes([ls.write("/bin/sh", b"", mode=0o755)])], tag="bb:1")
    engine.load(docker_archive([OLD]))
    context = {"Dockerfile": case.text, "f": "f"} | ({".dockerignore": case.ignore} if case.ignore else {})
    return engine.build(context, build_args=case.build_args, run=ls.runs({}, default=ls.effect()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_remarks(case: Case) -> None:
    told = [str(one) for one in built(case).warnings]
    assert sorted(told) == sorted(case.told)
    assert [one.line for one in built(case).warnings] == sorted(one.line for one in built(case).warnings)


def test_what_the_build_argument_refuses() -> None:
    place = "failed to parse build-arg:BUILDKIT_DOCKERFILE_CHECK"
    with pytest.raises(BuildError, match=f'{place}: invalid check option "foo"'):
        built(Case("FROM bb:1\n", build_args={"BUILDKIT_DOCKERFILE_CHECK": "foo=1"}))
    with pytest.raises(BuildError, match=f'{place}: failed to parse check option "error=no"'):
        built(Case("FROM bb:1\n", build_args={"BUILDKIT_DOCKERFILE_CHECK": "error=no"}))


def test_a_form_that_is_wrong_comes_before_remarks_that_are_errors() -> None:
    with pytest.raises(DockerfileError, match="c: no"):
        built(Case("# check=error=true\nFROM bb:1\nENV A=$x\nENV B=${c?no}\n"))


def test_an_undefined_variable_ends_a_build() -> None:
    with pytest.raises(BuildError, match="lint violation found for rules: UndefinedArgInFrom, UndefinedVar"):
        built(Case("# check=error=true\nFROM bb:1$x\nENV A=$x\n"))


def test_the_image_of_another_machine() -> None:
    engine = ls.Engine(profile="containerd")
    engine.load(docker_archive([ImageSpec(OLD.layers, ("arm:1",), architecture="aarch64")]))
    engine.load(docker_archive([ImageSpec(OLD.layers, ("same:1",), architecture="x86_64")]))
    for name, found in {"arm:1": "linux/arm64", "same:1": "linux/amd64"}.items():
        (told,) = engine.build({"Dockerfile": f"FROM {name}\nCOPY f /\n", "f": "f"}).warnings
        assert told.rule == "InvalidBaseImagePlatform"
        told_both = f'pulled with platform "{found}", expected "linux/amd64" for current build'
        assert told.message == f"Base image {name} was {told_both}"
