"""Sums of sources as the legacy builder writes them, and keys of content as BuildKit makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.build.context import Context
from tests.build.builders import LEGACY20, LEGACY29, Builder
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the specification's sums are of."""
    (tmp_path / "dir").mkdir(mode=0o755)
    files = {"f1": "hello\n", "f2": "world\n", "dir/x": "in\n", "Dockerfile": "FROM scratch\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o644)
    return tmp_path


SUMS = [
    (LEGACY20, ["f1"], "file:10cd13e0f841484ddb5ad9356368b453088984e73199a34631e4b9fcd8992956"),
    (LEGACY29, ["f1"], "file:9626bf85f56bfd01cb7b024e448fdca9aef17ab0cfbbe28ad87751b21dfd7bac"),
    (LEGACY20, ["dir"], "dir:d73805e858bc9ae2024ec79aca0b3bb284c38754b87fe79ac85410c44f58bafd"),
    (LEGACY20, ["f1", "f2"], "multi:15bafc87ea047318c90dec575211eb82f40f1048b7ce6a1217392ed0007be4cb"),
]


@pytest.mark.parametrize(("dialect", "words", "expected"), SUMS)
def test_the_legacy_builders_sum(dialect: Builder, words: list[str], expected: str, folder: Path) -> None:
    assert Context.of(folder, dialect=dialect).source_sum(words) == expected


LINKS = {
    "inside": "x",
    "outside": "../o/y",
    "absolute": "/o/y",
    "folder": "../o",
    "dangling": "nope",
    "dangling_from_the_root": "/no/pe",
    "dangling_below": "../o/nope/q",
    "itself": ".",
    "loop": "l",
    "root": "/",
}
MEASURED = {
    "dangling": "5faa7675d299073e253fa76102fb3bf8d17bd8781b29880fafca1f9ae006bcda",
    "dangling_from_the_root": "ad85db9057b8d9a851ba97fa50a4b1f54d65330f6fb2fc908da7752568dc3117",
    "dangling_below": "5a9bb94580758f542c9e3bd301dba5707c9b07feb6841fbbb6507ff40371065f",
    "root": "5ec5f9927f9cc3e0ba4de0b587f41772651bb726b7ef8fdf865381642f725011",
}


def linked_tar(target: str) -> bytes:
    """Return the files of an image, with a link in the directory ``/d``."""
    entries = [directory("d"), Entry("d/x", content=b"x"), directory("o"), Entry("o/y", content=b"y")]
    return layer_tar([*entries, directory("o/in"), Entry("o/in/z", content=b"z"), symlink("d/l", target)])


@pytest.mark.parametrize("name", MEASURED)
def test_a_link_of_a_stage_counts_as_the_place_it_leads_to(name: str) -> None:
    """20.10.24 says so of an image that was imported."""
    engine = ls.Engine(profile="docker20")
    engine.import_tar(linked_tar(LINKS[name]), "i:1")
    built = engine.build({"Dockerfile": "FROM scratch\nCOPY --from=i:1 /d /d\n"}, builder="legacy")
    assert engine.history(built.id)[0].created_by == f"/bin/sh -c #(nop) COPY dir:{MEASURED[name]} in /d "
