"""Which value a variable has where: the rows of section 4 of spec/build.md, by whole builds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from tests.build.building import Bench, Builder
from tests.build.test_stages import EACH

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.build import Build

ROWS: list[tuple[str, dict[str, str], tuple[str, str]]] = [
    ("ARG X=arg\nENV X=env", {}, ("env", "env")),
    ("ARG X=arg\nENV X=env", {"X": "given"}, ("env", "env")),
    ("ENV X=env\nARG X=arg", {}, ("env", "arg")),
    ("ENV X=env\nARG X=arg", {"X": "given"}, ("env", "given")),
    ("ENV X=env\nARG X", {}, ("env", "env")),
    ("ENV X=env\nARG X", {"X": "given"}, ("env", "given")),
    ("ARG X=arg", {}, ("arg", "arg")),
    ("ARG X=arg", {"X": "given"}, ("given", "given")),
    ("ARG X=arg", {"X": ""}, ("", "")),
    ("ARG X", {}, ("", "")),
    ("", {"X": "given"}, ("", "")),
    ("ARG X=1\nARG X=2", {}, ("2", "2")),
    ("ARG X=1\nARG X", {}, ("", "1")),
    ("ENV X=1\nENV X=2", {}, ("2", "2")),
]
"""Lines, what is given, and what ``$X`` is afterwards: with the legacy builder, with BuildKit."""


def config(build: Build) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(build.raw_config)["config"]
    return found


def label(builder: Builder, profile: str, text: str, given: dict[str, str]) -> str:
    """Return the label that the last line of a text sets."""
    return str(config(Bench(builder, profile).build(text, build_args=given))["Labels"]["v"])


def seen_by_a_command(builder: Builder, profile: str, text: str, given: dict[str, str]) -> dict[str, str]:
    seen = dict[str, str]()

    def run(_step: ls.RunStep, _fs: ls.Overlay, env: dict[str, str]) -> None:
        seen.update(env)

    files = {"Dockerfile": f"{text}\nRUN x\n"}
    Bench(builder, profile).engine.build(files, builder=builder, build_args=given, run=run)
    return seen


@EACH
@pytest.mark.parametrize(("lines", "given", "values"), ROWS)
def test_the_last_one_counts(
    builder: Builder, profile: str, lines: str, given: dict[str, str], values: tuple[str, str]
) -> None:
    text, value = f"FROM base:1\n{lines}\n", values[builder == "buildkit"]
    assert label(builder, profile, f"{text}LABEL v=$X\n", given) == value
    assert seen_by_a_command(builder, profile, text, given).get("X", "") == value


STAGES = [
    ("FROM base:1 AS a\nARG X=1\nFROM a\n", ("", "1")),
    ("FROM base:1 AS a\nARG X=1\nFROM base:1\n", ("", "")),
    ("FROM base:1 AS a\nENV X=1\nFROM a\n", ("1", "1")),
    ("FROM base:1 AS a\nENV X=1\nFROM base:1\n", ("", "")),
    ("ARG X=1\nFROM base:1\n", ("", "")),
    ("ARG X=1\nFROM base:1\nARG X\n", ("1", "1")),
    ("ARG X=1\nFROM base:1\nARG X=2\n", ("2", "2")),
    ("ARG X=1\nFROM base:1 AS a\nARG X\nFROM base:1\n", ("", "")),
]


@EACH
@pytest.mark.parametrize(("text", "values"), STAGES)
def test_arguments_of_stages(builder: Builder, profile: str, text: str, values: tuple[str, str]) -> None:
    assert label(builder, profile, f"{text}LABEL v=$X\n", {}) == values[builder == "buildkit"]


@EACH
def test_an_argument_before_the_first_stage_is_seen_in_from(builder: Builder, profile: str) -> None:
    text = "ARG B=nope\nFROM ${B}\nLABEL v=$B.\n"
    assert label(builder, profile, text, {"B": "base:1"}) == "."


@EACH
def test_proxies(builder: Builder, profile: str) -> None:
    given = {"HTTP_PROXY": "p"}
    assert label(builder, profile, "FROM base:1\nLABEL v=$HTTP_PROXY\n", given) == ("p" if builder == "legacy" else "")
    seen = seen_by_a_command(builder, profile, "FROM base:1", given)
    assert seen["HTTP_PROXY"] == "p"
    assert ("http_proxy" in seen) == (builder == "buildkit")


@EACH
@pytest.mark.parametrize("name", ["TARGETARCH", "BUILDPLATFORM", "TARGETOS"])
def test_what_is_known_of_the_platform(builder: Builder, profile: str, name: str) -> None:
    assert label(builder, profile, f"FROM base:1\nLABEL v=${name}\n", {}) == ""
    found = label(builder, profile, f"FROM base:1\nARG {name}\nLABEL v=${name}\n", {})
    assert bool(found) == (builder == "buildkit")


@EACH
def test_arguments_are_never_in_the_config(builder: Builder, profile: str) -> None:
    made = Bench(builder, profile).build("FROM base:1\nARG X=1\nENV Y=$X\nRUN x\n", build_args={"X": "2"})
    assert [text.partition("=")[::2] for text in config(made)["Env"]][1:] == [("Y", "2")]


@EACH
def test_values_of_one_line_see_what_was_before_it(builder: Builder, profile: str) -> None:
    made = Bench(builder, profile).build("FROM base:1\nENV a=1 b=$a\nENV c=3 a=2\nLABEL l=$a m=$l\n")
    assert config(made)["Env"][1:] == ["a=2", "b=", "c=3"]
    assert config(made)["Labels"] == {"l": "2", "m": ""}


EXPANDED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "ENV E=$D": lambda one: one["Env"][-1] == "E=d",
    "LABEL $D=$D": lambda one: one["Labels"] == {"d": "d"},
    "EXPOSE $P ${P}/udp": lambda one: sorted(one["ExposedPorts"]) == ["80/tcp", "80/udp"],
    "VOLUME /$D": lambda one: list(one["Volumes"]) == ["/d"],
    "USER $D": lambda one: one["User"] == "d",
    "WORKDIR /$D": lambda one: one["WorkingDir"] == "/d",
    "STOPSIGNAL $S": lambda one: one["StopSignal"] == "9",
    "CMD $D": lambda one: one["Cmd"][-1] == "$D",
    'CMD ["$D"]': lambda one: one["Cmd"] == ["$D"],
    "ENTRYPOINT $D": lambda one: one["Entrypoint"][-1] == "$D",
    'SHELL ["$D"]': lambda one: one["Shell"] == ["$D"],
    "HEALTHCHECK CMD $D": lambda one: one["Healthcheck"]["Test"] == ["CMD-SHELL", "$D"],
    "ONBUILD LABEL a=$D": lambda one: one["OnBuild"] == ["LABEL a=$D"],
}
"""Lines, and what they make of ``$D``."""


@EACH
@pytest.mark.parametrize("line", EXPANDED)
def test_where_variables_are_replaced(builder: Builder, profile: str, line: str) -> None:
    made = Bench(builder, profile).build(f"FROM base:1\nENV D=d P=80 S=9\n{line}\n")
    assert EXPANDED[line](config(made))


@EACH
def test_variables_of_a_copy(builder: Builder, profile: str) -> None:
    lines = "ENV F=f D=/d O=1:2\nCOPY --chown=$O $F ${D}/$F\nADD $F $D/'$F'\n"
    made = Bench(builder, profile).build(f"FROM base:1\n{lines}", {"f": "x"})
    found = ls.View(made.layers)
    assert (found.listdir("/d"), found.stat("/d/f").st_uid, found.stat("/d/f").st_gid) == (["$F", "f"], 1, 2)


@EACH
def test_a_command_is_told_as_it_was_written(builder: Builder, profile: str) -> None:
    made = Bench(builder, profile).build('FROM base:1\nENV A=1\nRUN echo $A "${A}"\n')
    assert 'echo $A "${A}"' in str((made.config.history or ())[-1].created_by)


@EACH
def test_a_trigger_sees_the_variables_of_the_child(builder: Builder, profile: str) -> None:
    text = "FROM base:1 AS a\nENV A=1\nONBUILD LABEL v=$A-$B\nENV B=2\nFROM a\n"
    assert label(builder, profile, text, {}) == "1-2"
