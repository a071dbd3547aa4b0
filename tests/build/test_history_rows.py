"""What whole builds write into histories: every row of section 2 of spec/build.md, by each builder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.building import Bench
from tests.build.test_stages import EACH

if TYPE_CHECKING:
    from layersim.build import Build
    from tests.build.building import Builder

NOP = "/bin/sh -c #(nop) "
F1, F1_NEW = (
    "file:10cd13e0f841484ddb5ad9356368b453088984e73199a34631e4b9fcd8992956",
    "file:9626bf85f56bfd01cb7b024e448fdca9aef17ab0cfbbe28ad87751b21dfd7bac",
)
DIR = "dir:d73805e858bc9ae2024ec79aca0b3bb284c38754b87fe79ac85410c44f58bafd"
DIR_NEW = "dir:222aa67e0e66c42ff5ad092e804ea8e11d6b7960a7ba162dba63d043b364fa9d"
BOTH = "multi:15bafc87ea047318c90dec575211eb82f40f1048b7ce6a1217392ed0007be4cb"
BOTH_NEW = "multi:84bc97aef331dc80542f9f8b59fd6a2be92b9711a1d3fd7d4a9e0430a66fc5a3"
FILES = {"f1": "hello\n", "f2": "world\n", "dir/x": "in\n"}
CHECK_20 = """HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" '\\x00'}"""
CHECK_29 = "HEALTHCHECK &{Test:[CMD-SHELL true] Interval:5s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}"

ALIKE = {
    'LABEL a=1 b="two words"': "LABEL a=1 b=two words",
    "MAINTAINER Me <me@x>": "MAINTAINER Me <me@x>",
    "ARG FOO=bar": "ARG FOO=bar",
    "ARG NOVAL": "ARG NOVAL",
    'ENV K1=v1 K2="v 2"': "ENV K1=v1 K2=v 2",
    "ENV OLD old style": "ENV OLD=old style",
    "VOLUME /v1 /v2": "VOLUME [/v1 /v2]",
    'VOLUME ["/v3"]': "VOLUME [/v3]",
    "USER 5:6": "USER 5:6",
    'CMD ["a","b"]': 'CMD ["a" "b"]',
    "CMD echo c": 'CMD ["/bin/sh" "-c" "echo c"]',
    'ENTRYPOINT ["a","b"]': 'ENTRYPOINT ["a" "b"]',
    "ENTRYPOINT echo c": 'ENTRYPOINT ["/bin/sh" "-c" "echo c"]',
    "STOPSIGNAL 9": "STOPSIGNAL 9",
}
"""Lines that all builders tell of alike, but for what the legacy one puts before."""

LINES: dict[str, list[Any]] = {
    "WORKDIR sub": [f"{NOP}WORKDIR /sub", "WORKDIR /sub", f"{NOP}WORKDIR /sub", "WORKDIR /sub"],
    "RUN echo $FOO > /out": ["/bin/sh -c echo $FOO > /out", "RUN /bin/sh -c echo $FOO > /out # buildkit"] * 2,
    'RUN ["/bin/touch","/x"]': ["/bin/touch /x", "RUN /bin/touch /x # buildkit"] * 2,
    'SHELL ["/bin/sh","-ec"]': ["/bin/sh -ec #(nop)  SHELL [/bin/sh -ec]", "SHELL [/bin/sh -ec]"] * 2,
    "ONBUILD RUN x": [f"{NOP} ONBUILD RUN x", None, f"{NOP} ONBUILD RUN x", None],
    "EXPOSE 443/tcp 80": [
        f"{NOP} EXPOSE 443/tcp 80",
        "EXPOSE map[443/tcp:{} 80/tcp:{}]",
        f"{NOP} EXPOSE 443/tcp 80",
        "EXPOSE [443/tcp 80/tcp]",
    ],
    "EXPOSE $NO": [f"{NOP} EXPOSE ", "EXPOSE map[]", f"{NOP} EXPOSE ", "EXPOSE []"],
    "HEALTHCHECK --interval=5s CMD true": [
        f"{NOP} {CHECK_20}",
        CHECK_20,
        f"{NOP} {CHECK_29}",
        CHECK_29.replace("&", ""),
    ],
    "ADD f1 /a2": [
        f"{NOP}ADD {F1} in /a2 ",
        "ADD f1 /a2 # buildkit",
        f"{NOP}ADD {F1_NEW} in /a2 ",
        "ADD f1 /a2 # buildkit",
    ],
    "COPY dir /d": [
        f"{NOP}COPY {DIR} in /d ",
        "COPY dir /d # buildkit",
        f"{NOP}COPY {DIR_NEW} in /d ",
        "COPY dir /d # buildkit",
    ],
    "COPY f1 f2 /c/": [
        f"{NOP}COPY {BOTH} in /c/ ",
        "COPY f1 f2 /c/ # buildkit",
        f"{NOP}COPY {BOTH_NEW} in /c/ ",
        "COPY f1 f2 /c/ # buildkit",
    ],
    "COPY --chown=1:2 f1 /d": [
        f"{NOP}COPY --chown=1:2{F1} in /d ",
        "COPY f1 /d # buildkit",
        f"{NOP}COPY --chown=1:2 {F1_NEW} in /d ",
        "COPY --chown=1:2 f1 /d # buildkit",
    ],
}
"""What the legacy builder and BuildKit of 20.10 tell, then those of 29; None for nothing at all."""


def told(build: Build) -> list[str]:
    return [str(step.created_by) for step in build.config.history or ()][1:]


def made(builder: Builder, profile: str, text: str, **given: str) -> list[str]:
    return told(Bench(builder, profile).build(f"FROM base:1\n{text}\n", FILES, build_args=given))


def place(builder: Builder, profile: str) -> int:
    return 2 * (profile != "docker20") + (builder == "buildkit")


@EACH
@pytest.mark.parametrize("line", ALIKE)
def test_a_line_that_is_told_of_alike(builder: Builder, profile: str, line: str) -> None:
    before = f"{NOP} " if builder == "legacy" else ""
    assert made(builder, profile, line) == [before + ALIKE[line]]


@EACH
@pytest.mark.parametrize("line", LINES)
def test_a_line_that_each_builder_tells_of_in_its_way(builder: Builder, profile: str, line: str) -> None:
    expected = LINES[line][place(builder, profile)]
    assert made(builder, profile, line) == ([] if expected is None else [expected])


ARGUMENTS: list[tuple[str, dict[str, str], tuple[str, str, str]]] = [
    ("ARG FOO=bar\nARG NOVAL\nRUN x", {}, ("|1 FOO=bar", "|2 FOO=bar NOVAL=", "|2 FOO=bar NOVAL=")),
    ("ARG NOVAL\nRUN x", {}, ("", "|1 NOVAL=", "|1 NOVAL=")),
    ("ARG b=1\nARG a=2\nRUN x", {"a": "3"}, ("|2 a=3 b=1", "|2 b=1 a=3", "|2 b=1 a=3")),
    ("ARG X=1\nENV X=2\nRUN x", {}, ("", "|1 X=2", "|1 X=2")),
    ("RUN x", {"HTTP_PROXY": "p"}, ("|0", "", "")),
    ("RUN x", {"other": "p"}, ("", "", "")),
    ("ARG a=1\nARG a=2\nRUN x", {}, ("|1 a=2", "|2 a=2 a=2", "|1 a=2")),
    ("ARG a=1\nARG a\nRUN x", {}, ("", "|2 a=1 a=1", "|1 a=1")),
]
"""Lines, what is given, and the list: of the legacy builder, of BuildKit of 20.10, of newer ones."""


@EACH
@pytest.mark.parametrize(("text", "given", "lists"), ARGUMENTS)
def test_the_arguments_that_a_command_is_told_with(
    builder: Builder, profile: str, text: str, given: dict[str, str], lists: tuple[str, str, str]
) -> None:
    listed = lists[0 if builder == "legacy" else 1 if profile == "docker20" else 2]
    words = " ".join(filter(None, [listed, "/bin/sh -c x"]))
    expected = words if builder == "legacy" else f"RUN {words} # buildkit"
    assert made(builder, profile, text, **given)[-1] == expected


@EACH
def test_an_argument_that_was_given(builder: Builder, profile: str) -> None:
    value = "given" if (builder, profile) == ("buildkit", "overlay2") else "bar"
    assert made(builder, profile, "ARG FOO=bar", FOO="given")[0].endswith(f"ARG FOO={value}")


@EACH
def test_labels_that_are_options(builder: Builder, profile: str) -> None:
    build = Bench(builder, profile).engine.build({"Dockerfile": "FROM base:1\n"}, labels={"z": "9"}, builder=builder)
    assert told(build) == ([f"{NOP} LABEL z=9"] if builder == "legacy" else [])
    assert json.loads(build.raw_config)["config"]["Labels"] == {"z": "9"}


@EACH
def test_flags_that_are_never_shown(builder: Builder, profile: str) -> None:
    text = "FROM base:1 AS a\nFROM base:1\nCOPY --from=a /bin/sh /x\n"
    found = told(Bench(builder, profile).build(text))
    if builder == "buildkit":
        assert found == ["COPY /bin/sh /x # buildkit"]
    else:
        assert found[0].startswith(f"{NOP}COPY file:")
        assert found[0].endswith(" in /x ")


@EACH
def test_every_builder_says_who_it_is(builder: Builder, profile: str) -> None:
    build = Bench(builder, profile).build("FROM base:1\nLABEL a=1\nRUN x\n")
    comments = [step.comment or "" for step in build.config.history or ()][1:]
    assert comments == [{"legacy": "", "buildkit": "buildkit.dockerfile.v0"}[builder]] * 2


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_empty_entries_of_buildkit_are_as_old_as_the_layer_before(profile: str) -> None:
    build = Bench("buildkit", profile).build("FROM base:1\nLABEL a=1\nCOPY f1 /\nLABEL b=1\nRUN x\nCMD x\n", FILES)
    times = [step.created for step in build.config.history or ()][1:]
    assert times[0] == times[1] == times[2] != times[3]
    assert times[3] == times[4]


HEREDOCS = {
    "COPY <<EOF /d/x\nhi\nEOF": "COPY <<EOF /d/x # buildkit",
    "RUN <<EOF\necho a>/a\necho b>/b\nEOF": "RUN /bin/sh -c echo a>/a\necho b>/b\n # buildkit",
    "RUN <<EOF\n#!/bin/sh\nEOF": "RUN /bin/sh -c /dev/pipes/EOF # buildkit",
    "RUN cat <<EOF > /o\nhi\nEOF": "RUN /bin/sh -c cat <<EOF > /o\nhi\nEOF # buildkit",
}


@pytest.mark.parametrize("text", HEREDOCS)
def test_heredocs(text: str) -> None:
    assert made("buildkit", "overlay2", text) == [HEREDOCS[text]]


def test_the_legacy_builder_does_not_look_at_heredocs() -> None:
    for keyword in ("COPY", "ADD"):
        with pytest.raises(BuildError, match=f"^{keyword} failed: no source files were specified$"):
            made("legacy", "overlay2", f"{keyword} <<EOF /x\nhi\nEOF")
    beside = Bench("legacy", "overlay2").build("FROM base:1\nCOPY <<EOF f1 /d/\nhi\nEOF\n", FILES)
    assert ls.View(beside.layers).listdir("/d") == ["f1"]
    assert made("legacy", "overlay2", "RUN cat <<EOF\nhi\nEOF") == ["/bin/sh -c cat <<EOF"]
