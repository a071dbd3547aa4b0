"""Sums of sources as the legacy builder writes them, and keys of content as BuildKit makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layersim.build.context import Context
from tests.build.builders import LEGACY20, LEGACY29, Builder

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
