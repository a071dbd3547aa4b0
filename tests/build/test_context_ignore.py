"""Patterns of `.dockerignore`: what each builder's walk leaves; every row was measured on the four engines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from layersim._core import list_directories
from layersim.build.context import Context, Ignore, directory
from layersim.errors import BuildError
from tests.build.builders import BUILDKIT20, BUILDKIT29, FOUR, LEGACY20, LEGACY29, Builder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from layersim._core import Listing

FILES = ("d/a.md", "d/e/k.go", "d/e/b.md", "top.md", "x/y", "barfoo", "a+b", "aab")

SAME = {
    "d\n!d/e/k.go": "d/e/k.go top.md x/y barfoo a+b aab",
    "*\n!d/e": "d/e/k.go d/e/b.md",
    "**/e\n!d/e/k.go": "d/a.md d/e/k.go top.md x/y barfoo a+b aab",
    "d/*\n!d/a.md": "d/a.md top.md x/y barfoo a+b aab",
    ".": "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b aab",
    "/": "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b aab",
    "*": "",
    "!d": "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b aab",
    "d/e/": "d/a.md top.md x/y barfoo a+b aab",
    "./d//e": "d/a.md top.md x/y barfoo a+b aab",
    "d/../x": "d/a.md d/e/k.go d/e/b.md top.md barfoo a+b aab",
    " d \n#x\n  # y\n": "top.md x/y barfoo a+b aab",
    "\ufeffd": "top.md x/y barfoo a+b aab",
    "d/**": "top.md x/y barfoo a+b aab",
    "x**": "d/a.md d/e/k.go d/e/b.md top.md barfoo a+b aab",
    "**/": "",
    "**/d/**/k.go": "d/a.md d/e/b.md top.md x/y barfoo a+b aab",
    "../d": "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b aab",
    "d\n!d": "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b aab",
    "[!d]": "top.md x/y barfoo a+b aab",
    "[^d]": "d/a.md d/e/k.go d/e/b.md top.md barfoo a+b aab",
    "a[a-z]b": "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b",
    "*.md": "d/a.md d/e/k.go d/e/b.md x/y barfoo a+b aab",
    "**/*.md": "d/e/k.go x/y barfoo a+b aab",
    "*/*.md": "d/e/k.go d/e/b.md top.md x/y barfoo a+b aab",
    "?op.md\nb*": "d/a.md d/e/k.go d/e/b.md x/y a+b aab",
    "/d/": "top.md x/y barfoo a+b aab",
}
ALL = "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b aab"
DIFFERENT = [
    ("**\n!**/*.go", (LEGACY20, BUILDKIT20, LEGACY29), ""),
    ("**\n!**/*.go", (BUILDKIT29,), "d/e/k.go"),
    ("d/e\n!d/**/k.go", (LEGACY20, BUILDKIT20, LEGACY29), "d/a.md top.md x/y barfoo a+b aab"),
    ("d/e\n!d/**/k.go", (BUILDKIT29,), "d/a.md d/e/k.go top.md x/y barfoo a+b aab"),
    ("**foo", (LEGACY20, BUILDKIT20), ALL),
    ("**foo", (LEGACY29, BUILDKIT29), "d/a.md d/e/k.go d/e/b.md top.md x/y a+b aab"),
    ("a+b", (LEGACY20, BUILDKIT20), "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo a+b"),
    ("a+b", (LEGACY29, BUILDKIT29), "d/a.md d/e/k.go d/e/b.md top.md x/y barfoo aab"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ignored")
    for name in FILES:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    (made / "Dockerfile").write_text("FROM scratch\n")
    (made / "d").chmod(0o700)
    return made


def left(folder: Path, text: str, dialect: Builder) -> set[str]:
    """Return the files that are sent, the two of the build left aside."""
    (folder / ".dockerignore").write_text(text)
    view = Context.of(folder, dialect=dialect).view
    found = {f"{where}/{name}".lstrip("/") for where, _, names in view.walk("/") for name in names}
    return found - {"Dockerfile", ".dockerignore"}


@pytest.mark.parametrize("dialect", FOUR, ids=str)
@pytest.mark.parametrize(("text", "expected"), SAME.items(), ids=SAME)
def test_all_builders_agree(text: str, expected: str, dialect: Builder, folder: Path) -> None:
    assert left(folder, text, dialect) == set(expected.split())


@pytest.mark.parametrize(("text", "dialects", "expected"), DIFFERENT)
def test_builders_differ(text: str, dialects: tuple[Builder, ...], expected: str, folder: Path) -> None:
    for dialect in dialects:
        assert left(folder, text, dialect) == set(expected.split())


@pytest.mark.parametrize(("text", "says"), [("[a", "syntax error in pattern"), ("!", "illegal exclusion pattern")])
@pytest.mark.parametrize("dialect", FOUR, ids=str)
def test_what_no_engine_accepts(text: str, says: str, dialect: Builder) -> None:
    with pytest.raises(BuildError, match=says):
        Ignore([text], dialect)


def test_a_directory_around_an_exception_has_its_mode_only_in_buildkit(folder: Path) -> None:
    (folder / ".dockerignore").write_text("d\n!d/e")
    modes = [Context.of(folder, dialect=dialect).view.stat("d").st_mode & 0o777 for dialect in FOUR]
    assert modes == [0o755, 0o700, 0o755, 0o700]


def test_an_ignored_directory_is_not_even_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".dockerignore").write_text("d")
    listed: list[bytes] = []

    def noted(paths: Sequence[bytes], *, capabilities: bool) -> list[Listing]:
        listed.extend(paths)
        return list_directories(paths, capabilities=capabilities)

    monkeypatch.setattr(directory, "list_directories", noted)
    Context.of(folder, dialect=BUILDKIT29)
    assert listed == [os.fsencode(f"{folder}/"), os.fsencode(f"{folder}/x")]


def test_buildkit_asks_for_the_patterns_beside_the_dockerfile(folder: Path) -> None:
    (folder / ".dockerignore").write_text("d")
    (folder / "x/y.dockerignore").write_text("x")
    sent = {dialect: Context.of(folder, dockerfile="x/y", dialect=dialect) for dialect in FOUR}
    (folder / "x/y.dockerignore").unlink()
    assert [sent[dialect].ignore.patterns for dialect in FOUR] == [("d",), ("x",), ("d",), ("x",)]
    assert sent[BUILDKIT29].dockerfile == b"x/y"
    assert "x" not in sent[BUILDKIT29].view


def test_the_files_of_the_build_can_be_ignored(folder: Path) -> None:
    (folder / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
    for dialect in FOUR:
        context = Context.of(folder, dialect=dialect)
        assert context.dockerfile == b"FROM scratch\n"
        assert "Dockerfile" not in context.view
        assert ".dockerignore" not in context.view
