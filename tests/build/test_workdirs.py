"""WORKDIR as each builder writes it down, and where it is wrong. Measured on 20.10.24, 26.1.5 and 28.5.2."""

from __future__ import annotations

import json

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.building import Bench, Builder
from tests.build.test_stages import EACH

WRITTEN = {
    "/w/": ("/w/", "/w"),
    "//a//b/": ("//a//b/", "/a/b"),
    "/todir/../x": ("/todir/../x", "/x"),
    "/w/..": ("/w/..", "/"),
    "/.": ("/.", "/"),
    "a/../b/": ("/b", "/b"),
    "../..": ("/", "/"),
}
"""A path, and what it is called: by most builders, and by the legacy one of newer engines."""


@EACH
@pytest.mark.parametrize("path", WRITTEN)
def test_a_path_from_the_root_stays_as_it_was_written(builder: Builder, profile: str, path: str) -> None:
    is_cleaned = (builder, profile) == ("legacy", "overlay2")
    expected = WRITTEN[path][is_cleaned]
    made = Bench(builder, profile).build(f"FROM base:1\nWORKDIR {path}\n")
    before = "/bin/sh -c #(nop) " if builder == "legacy" else ""
    assert [one.created_by for one in made.config.history or ()][1:] == [f"{before}WORKDIR {expected}"]
    assert json.loads(made.raw_config)["config"]["WorkingDir"] == expected


@EACH
def test_a_relative_path_is_put_behind_and_cleaned(builder: Builder, profile: str) -> None:
    made = Bench(builder, profile).build("FROM base:1\nWORKDIR /w//x/\nWORKDIR ./y/\nCOPY f z/\n", {"f": "f"})
    assert json.loads(made.raw_config)["config"]["WorkingDir"] == "/w/x/y"
    assert ls.View(made.layers).read_bytes("/w/x/y/z/f") == b"f"


@EACH
def test_where_a_command_starts(builder: Builder, profile: str) -> None:
    """BuildKit leaves the dots to the kernel, which follows links first."""
    seen = list[str]()

    def run(step: ls.RunStep, _fs: ls.Overlay, _env: dict[str, str]) -> None:
        seen.append(step.cwd)

    text = "FROM base:1\nWORKDIR /bin/../x\nRUN a\n"
    Bench(builder, profile).engine.build({"Dockerfile": text}, builder=builder, run=run)
    assert seen == ["/x" if builder == "legacy" else "/bin/../x"]


@EACH
def test_an_empty_path(builder: Builder, profile: str) -> None:
    text = "FROM base:1\nWORKDIR /w\nWORKDIR $NO\n"
    if builder == "legacy":
        with pytest.raises(BuildError, match=r"^cannot normalize nothing$") as caught:
            Bench(builder, profile).build(text)
        assert caught.value.line == 3
    else:
        assert json.loads(Bench(builder, profile).build(text).raw_config)["config"]["WorkingDir"] == "/w"


FILES = {
    "/f": ("Cannot mkdir: /f is not a directory", "mkdir /f: not a directory"),
    "f": ("Cannot mkdir: /f is not a directory", "mkdir /f: not a directory"),
    "/f/x": ("lstat /f/x: not a directory",) * 2,
}


@EACH
@pytest.mark.parametrize("path", FILES)
def test_a_file_is_in_the_way(builder: Builder, profile: str, path: str) -> None:
    with pytest.raises(BuildError) as caught:
        Bench(builder, profile).build(f"FROM base:1\nCOPY f /f\nWORKDIR {path}\n", {"f": "f"})
    assert str(caught.value) == FILES[path][builder == "buildkit"]
