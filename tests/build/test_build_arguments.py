"""What `Engine.build` says of arguments that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import BuildError, DockerfileError, ImageNotFoundError, InvalidReferenceError, RunError
from tests.build.building import BUILDERS, Bench, Builder

if TYPE_CHECKING:
    from collections.abc import Mapping

FROM = {"Dockerfile": "FROM base:1"}


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize(
    ("context", "options", "error", "message"),
    [
        (FROM, {"build_args": {"A": 1}}, TypeError, "build_args: expected str by str"),
        (FROM, {"labels": {1: "a"}}, TypeError, "labels: expected str by str"),
        (FROM, {"tag": "UPPER!"}, InvalidReferenceError, "invalid reference format"),
        (FROM, {"target": "none"}, BuildError, "none"),
        ({"Dockerfile": ""}, {}, DockerfileError, "cannot be empty"),
        ({"Dockerfile": "FROM nope"}, {}, ImageNotFoundError, "nope"),
        ({}, {}, BuildError, "failed to read dockerfile"),
        ("/nowhere/at/all", {}, FileNotFoundError, "/nowhere"),
        (5, {}, TypeError, "int"),
    ],
)
def test_a_wrong_argument_is_one_typed_error(
    builder: Builder, context: Mapping[str, str], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    engine = Bench(builder).engine
    before = [row.id for row in engine.images(all=True)]
    with pytest.raises(error, match=message):
        engine.build(context, builder=builder, **options)
    assert [row.id for row in engine.images(all=True)] == before


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_runner_that_finds_no_file_names_the_step(builder: Builder) -> None:
    def run(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/etc/x")

    context = {"Dockerfile": "FROM scratch\nRUN make all\n"}
    with pytest.raises(RunError, match=r"^RUN step 2 .*, line 2 \('make all'\): .*'/etc/x'$") as caught:
        ls.Engine().build(context, run=run, builder=builder)
    assert (caught.value.exit_code, caught.value.line) == (1, 2)


@pytest.mark.parametrize("builder", BUILDERS)
def test_nothing_is_tagged_when_a_step_fails(builder: Builder) -> None:
    bench = Bench(builder)
    with pytest.raises(BuildError) as refused:
        bench.build("FROM base:1\nLABEL a=1\nCOPY nope /\n", tag="app:1")
    assert (refused.value.line, refused.value.text) == (3, "COPY nope /")
    assert [row.tags for row in bench.engine.images()] in ([("base:1",)], [(), ("base:1",)])
