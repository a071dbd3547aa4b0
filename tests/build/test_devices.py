"""``RUN --device``; the engine tests hold real ones to the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, LayerSimError

if TYPE_CHECKING:
    from typing import Literal

UNGIVEN = "device feature is only supported in Dockerfile frontend 1.14.0-labs or later"
UNBUILT = "the --device option requires BuildKit."
GIVEN = (
    "vendor.com/gpu=all",
    "$X",
    "required",
    "foo,required",
    "name=a,REQUIRED=0",
    "a/b=c,required,required=1",
    ",required",
    "name=,name=b",
    "class=x",
)
WRONG = {
    "": "failed to parse csv devices: EOF",
    "a,b": "invalid field 'b' must be a key=value pair",
    "name=a/b=c,foo": "invalid field 'foo' must be a key=value pair",
    "a,required=maybe": "invalid value for required: maybe",
    "required=x": "invalid value for required: x",
    "a,required,Foo=1": "unexpected key 'foo' in 'Foo=1'",
    "a,requird=1": "unexpected key 'requird' in 'requird=1' (did you mean required?)",
    "a/b=c,Name=d": "device name already set to a/b=c",
    "NAME=b,name=c": "device name already set to b",
}
"""Values, and what is said of them while the Dockerfile is read."""


def refused(value: str, profile: str, builder: Literal["buildkit", "legacy"]) -> str:
    engine = ls.Engine(profile=profile)
    engine.add_image([ls.Layer.from_changes([ls.mkdir("/etc")])], tag="bb:1")
    with pytest.raises(LayerSimError) as caught:
        engine.build({"Dockerfile": f"FROM bb:1\nRUN --device={value} true\n"}, builder=builder, run=ls.runs({}))
    return str(caught.value)


@pytest.mark.parametrize("value", [*GIVEN, *WRONG])
def test_an_older_builder_knows_no_such_flag(value: str) -> None:
    for builder in ("buildkit", "legacy"):
        assert refused(value, "docker20", builder) == "dockerfile parse error line 2: Unknown flag: device"


@pytest.mark.parametrize("value", GIVEN)
def test_no_newer_one_gives_a_device(value: str) -> None:
    assert refused(value, "overlay2", "buildkit") == UNGIVEN
    assert refused(value, "overlay2", "legacy").startswith(UNBUILT)


@pytest.mark.parametrize("value", WRONG)
def test_what_is_wrong(value: str) -> None:
    for builder in ("buildkit", "legacy"):
        assert refused(value, "overlay2", builder) == f"dockerfile parse error on line 2: {WRONG[value]}"


def test_the_place_is_told_and_a_trigger_may_have_one() -> None:
    engine = ls.Engine(profile="overlay2")
    with pytest.raises(BuildError) as caught:
        engine.build({"Dockerfile": "FROM scratch\nLABEL a=b\nRUN --device=a x\n"}, run=ls.runs({}))
    assert caught.value.line == 3
    engine.build({"Dockerfile": "FROM scratch AS a\nRUN --device=a x\nFROM scratch\nONBUILD RUN --device=a,b x\n"})
