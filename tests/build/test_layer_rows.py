"""Which instruction makes a layer, an entry, an image: every row of section 1 of spec/build.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.build.draft import DEFAULT_PATH
from layersim.errors import BuildError
from tests.build.building import BUILDERS, RUN, Bench

if TYPE_CHECKING:
    from layersim.build import Build
    from layersim.build.running import Runner
    from tests.build.building import Builder

PROFILES = ("docker20", "overlay2", "containerd")
EACH = pytest.mark.parametrize(("builder", "profile"), [(one, other) for one in BUILDERS for other in PROFILES])
GRAPHS = pytest.mark.parametrize(("builder", "profile"), [(one, other) for one in BUILDERS for other in PROFILES[:2]])
IDLE = ls.runs({}, default=ls.effect())

ENTRIES = {
    "RUN x": ("empty", "layer"),
    "COPY f /f": ("layer", "layer"),
    "ADD f /f": ("layer", "layer"),
    "WORKDIR /w": ("layer", "layer"),
    "WORKDIR /bin": ("empty", "layer"),
    "WORKDIR /": ("empty", "empty"),
    "WORKDIR //": ("empty", "layer"),
    "ENV a=1": ("empty", "empty"),
    "LABEL a=1": ("empty", "empty"),
    "EXPOSE 80": ("empty", "empty"),
    "USER 1": ("empty", "empty"),
    "VOLUME /v": ("empty", "empty"),
    "CMD x": ("empty", "empty"),
    "ENTRYPOINT x": ("empty", "empty"),
    'SHELL ["x"]': ("empty", "empty"),
    "STOPSIGNAL 9": ("empty", "empty"),
    "HEALTHCHECK NONE": ("empty", "empty"),
    "MAINTAINER m": ("empty", "empty"),
    "ARG a": ("empty", "empty"),
    "ONBUILD RUN x": ("empty", "none"),
    "# comment": ("none", "none"),
}
"""What each builder adds to the history."""


def build(builder: Builder, profile: str, text: str, run: Runner = IDLE) -> Build:
    return Bench(builder, profile).engine.build({"Dockerfile": text, "f": "x"}, builder=builder, run=run)


def config(made: ls.Image) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.raw_config)["config"]
    return found


def entries(made: ls.Image, base: int = 1) -> list[str]:
    return ["empty" if one.empty_layer else "layer" for one in (made.config.history or ())[base:]]


@EACH
@pytest.mark.parametrize("line", ENTRIES)
def test_what_an_instruction_adds(builder: Builder, profile: str, line: str) -> None:
    made = build(builder, profile, f"FROM base:1\n{line}\n")
    expected = ENTRIES[line][builder == "buildkit"]
    assert entries(made) == ([] if expected == "none" else [expected])
    assert len(made.layers) == 1 + (expected == "layer")


@EACH
def test_only_the_legacy_builder_makes_an_image_of_each_instruction(builder: Builder, profile: str) -> None:
    bench = Bench(builder, profile)
    before = len(bench.engine.images(all=True))
    bench.build("ARG b=1\nFROM base:1\nLABEL a=1\nRUN x\nCMD x\n")
    assert len(bench.engine.images(all=True)) - before == (3 if builder == "legacy" else 1)


@EACH
def test_a_trigger_is_as_if_it_were_written_there(builder: Builder, profile: str) -> None:
    bench = Bench(builder, profile)
    bench.build("FROM base:1\nONBUILD LABEL a=1\nONBUILD COPY f /f\n", {"f": "x"}, tag="trigger:1")
    made, plain = (
        bench.build(text, {"f": "x"})
        for text in ("FROM trigger:1\nRUN x\n", "FROM base:1\nLABEL a=1\nCOPY f /f\nRUN x\n")
    )
    told, expected = ([one.created_by for one in one.config.history or ()] for one in (made, plain))
    assert told[-3:] == expected[-3:]
    assert not config(made).get("OnBuild")


@EACH
def test_a_workdir_has_its_parents_and_an_owner(builder: Builder, profile: str) -> None:
    made = build(builder, profile, "FROM base:1\nUSER 7:8\nWORKDIR /w/sub\n")
    owner = (0, 0) if builder == "legacy" else (7, 8)
    found = [(one.path, one.mode, one.uid, one.gid) for one in made.layers[-1]]
    assert found == [("w", 0o755, *owner), ("w/sub", 0o755, *owner)]
    assert made.layers[-1].size == 0


@EACH
def test_parents_of_what_is_changed_are_in_the_layer(builder: Builder, profile: str) -> None:
    made = build(builder, profile, "FROM base:1\nCOPY f /bin/deep/f\n")
    assert [one.path for one in made.layers[-1]] == ["bin", "bin/deep", "bin/deep/f"]
    assert made.layers[-1].size == 1


@pytest.mark.parametrize("profile", PROFILES)
def test_a_run_of_buildkit_leaves_mount_points(profile: str) -> None:
    bare = "FROM scratch\nCOPY f /etc/f\nRUN x\n"
    # The containerd store leaves out a directory that looks as before.
    etc = [] if profile == "containerd" else ["etc"]
    assert [one.path for one in build("buildkit", profile, bare).layers[-1]] == ["dev", *etc, "proc", "sys"]
    assert len(build("legacy", profile, bare).layers) == 1
    cached = "FROM base:1\nRUN --mount=type=cache,target=/c x\n"
    left = [one.path for one in build("buildkit", profile, cached).layers[-1]]
    assert left == (["c"] if profile == "docker20" else [])


@pytest.mark.parametrize("profile", ["overlay2", "containerd"])
def test_a_program_of_a_heredoc_takes_its_mount_point_away(profile: str) -> None:
    text = "FROM scratch\nCOPY f /etc/f\nRUN <<EOF\n#!/bin/sh\nEOF\n"
    etc = [] if profile == "containerd" else ["etc"]
    assert [one.path for one in build("buildkit", profile, text).layers[-1]] == [*etc, "proc", "sys"]


@EACH
def test_what_is_written_to_a_volume_is_lost_with_the_legacy_builder(builder: Builder, profile: str) -> None:
    run = ls.runs({}, default=ls.effect(writes={"/v/deep/f": b"x"}))
    made = build(builder, profile, "FROM base:1\nVOLUME /v/deep\nRUN x\nRUN y\n", run=run)
    if builder == "legacy":
        assert entries(made) == ["empty", "layer", "empty"]
        assert [one.path for one in made.layers[-1]] == ["v", "v/deep"]
        assert made.layers[-1].size == 0
    else:
        assert [one.path for one in made.layers[-1]] == ["v", "v/deep", "v/deep/f"]


@EACH
def test_scratch_alone(builder: Builder, profile: str) -> None:
    if builder == "legacy":
        with pytest.raises(BuildError, match=r"^No image was generated\. Is your Dockerfile empty\?$"):
            build(builder, profile, "FROM scratch\n")
    else:
        assert build(builder, profile, "FROM scratch\n").layers == ()


@EACH
def test_every_image_has_a_path(builder: Builder, profile: str) -> None:
    assert config(build(builder, profile, "FROM base:1\nLABEL a=1\n"))["Env"] == [f"PATH={DEFAULT_PATH}"]
    bench = Bench(builder, profile)
    bench.build("FROM base:1\nENV PATH=/own\n", tag="own:1")
    assert config(bench.build("FROM own:1\nLABEL a=1\n"))["Env"] == ["PATH=/own"]


SIZES: dict[str, tuple[dict[str, dict[str, Any]], list[int]]] = {
    "RUN a\nRUN b": ({"a": {"writes": {"/big": 1000}}, "b": {"removes": ["/big"]}}, [1000, 0]),
    "RUN ab": ({"ab": {}}, [0]),
    "COPY blob /blob\nRUN a": ({"a": {"modes": {"/blob": 0o755}}}, [500, 500]),
    "COPY blob /blob\nRUN b": ({"b": {"owners": {"/blob": 5}}}, [500, 500]),
    "COPY --chown=1:1 blob /blob": ({}, [500]),
    "COPY blob /blob\nCOPY blob /blob": ({}, [500, 500]),
    "COPY src /src\nRUN a": ({"a": {"removes": ["/src"], "writes": {"/src/1": b"1\n"}}}, [300, 2]),
    "RUN a\nRUN c": (
        {"a": {"writes": {"/cache/c": 300, "/lib/l": 200}}, "c": {"removes": ["/cache"]}},
        [500, 0],
    ),
}
"""Lines, what their commands do, and what their layers take."""


@GRAPHS
@pytest.mark.parametrize("text", SIZES)
def test_sizes_of_layers(builder: Builder, profile: str, text: str) -> None:
    effects, expected = SIZES[text]
    run = ls.runs({name: ls.effect(**one) for name, one in effects.items()})
    files = {"Dockerfile": f"FROM base:1\n{text}\n", "blob": "b" * 500, **{f"src/{n}": "x" * 100 for n in range(3)}}
    made = Bench(builder, profile).engine.build(files, builder=builder, run=run)
    sizes = [layer.size for layer in made.layers[1:]]
    assert sizes == [size for size in expected if size or builder == "buildkit" or len(expected) > 1]


@pytest.mark.parametrize(("profile", "builder", "size"), [("docker20", "legacy", 2002), ("docker20", "buildkit", 2000)])
def test_links_count_for_the_legacy_builder_alone(profile: str, builder: Builder, size: int) -> None:
    def run(_step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
        fs.write_bytes("/a", bytes(1000))
        fs.link("/a", "/b")
        fs.write_bytes("/c", bytes(1000))
        fs.symlink("/a", "/d")

    made = build(builder, profile, "FROM base:1\nRUN x\n", run=run)
    assert made.steps[-1].size == size


@EACH
def test_a_link_in_a_later_layer_takes_the_bytes_again(builder: Builder, profile: str) -> None:
    def run(step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
        if step.text == "a":
            fs.write_bytes("/a", bytes(1000))
        else:
            fs.link("/a", "/b")

    made = build(builder, profile, "FROM base:1\nRUN a\nRUN b\n", run=run)
    assert [layer.size for layer in made.layers[1:]] == [1000, 1000]


@EACH
def test_what_a_stage_hands_on_is_all_that_counts(builder: Builder, profile: str) -> None:
    text = "FROM base:1 AS b\nCOPY f /blob\nRUN x\nFROM base:1\nCOPY --from=b /ran /sum\n"
    made = build(builder, profile, text, run=RUN)
    assert [layer.size for layer in made.layers[1:]] == [4]
    assert entries(made) == ["layer"]
