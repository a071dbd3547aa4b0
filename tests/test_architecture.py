"""The house rules that a compiler cannot hold: floors of the Rust core, sizes of files, one home for each word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
CORE = REPOSITORY / "rust" / "layersim" / "src"

STEPS: tuple[tuple[str, set[str]], ...] = (
    ("R0", {"error", "path", "digest", "limits", "saving", "hashing", "listing"}),
    ("R1", {"metadata", "blob", "whiteout"}),
    ("R1", {"content", "place"}),
    ("R2", {"tree"}),
    ("R3", {"archive"}),
    ("R3", {"layer"}),
    ("R3", {"bundle"}),
    ("R4", {"stack", "extract"}),
    ("R5", {"overlay"}),
    ("R6", {"change", "usage", "allocation"}),
)
"""The floors of DESIGN, lowest first; a floor whose rooms build on each other has several steps.

A module uses lower steps only. The bottom is the exception: an error names paths and digests, which fail with errors.
"""

FLOORS = {module: step for step, (_, modules) in enumerate(STEPS) for module in modules}
USE = re.compile(r"\bcrate::(\{[^;]*\}|\w+)")
COMMENT = re.compile(r"//.*")
LONGEST = {"tests": 500, "benches": 400, "python": 400, "rust": 400, "docs": 400, "fuzz": 400}
# Stubs of one compiled module are one file, as long as its public names are many: it has the bound of the tests.
STUB = REPOSITORY / "python/layersim/_core.pyi"
WHITEOUT_HOME = CORE / "whiteout.rs"


def rust_files() -> list[Path]:
    return sorted(CORE.rglob("*.rs"))


def module_of(file: Path) -> str:
    """Return the top-level module that a source file belongs to."""
    return file.relative_to(CORE).parts[0].removesuffix(".rs")


def used_modules(source: str) -> set[str]:
    """Return the top-level modules that a source text names after `crate::`."""
    found: set[str] = set()
    for use in USE.findall(COMMENT.sub("", source)):
        found |= _grouped(use) if use.startswith("{") else {use}
    return {name for name in found if name[:1].islower()}


def _grouped(braces: str) -> set[str]:
    """Return the first words of a `{a::X, b::{Y, Z}}` group."""
    flat = braces[1:-1]
    while (simpler := re.sub(r"\{[^{}]*\}", "", flat)) != flat:
        flat = simpler
    return {part.strip().split("::")[0] for part in flat.split(",") if part.strip()}


def upward_uses(module: str, source: str) -> list[str]:
    """Return the modules that this source may not use."""
    highest = 0 if FLOORS[module] == 0 else FLOORS[module] - 1
    return sorted(name for name in used_modules(source) - {module} if FLOORS.get(name, len(STEPS)) > highest)


def test_the_reader_of_uses_sees_every_spelling() -> None:
    uses = "use crate::error::Error; use crate::{digest::DiffId, tree::{Dir, Entry}};"
    source = uses + "\nlet x = crate::overlay::new(); // crate::usage"
    assert used_modules(source) == {"error", "digest", "tree", "overlay"}
    assert upward_uses("tree", source) == ["overlay"]
    assert upward_uses("digest", source) == ["overlay", "tree"]
    assert upward_uses("usage", "use crate::change::Change;") == ["change"]


def test_every_module_has_a_floor() -> None:
    modules = {module_of(file) for file in rust_files()} - {"lib"}
    assert modules, "no Rust core found"
    assert modules <= FLOORS.keys(), f"give these a floor: {sorted(modules - FLOORS.keys())}"


@pytest.mark.parametrize(
    "file", [file for file in rust_files() if file.name != "lib.rs"], ids=lambda file: str(file.relative_to(CORE))
)
def test_a_rust_file_uses_lower_floors_only(file: Path) -> None:
    assert upward_uses(module_of(file), file.read_text()) == []


def test_the_core_knows_nothing_of_python() -> None:
    manifest = (CORE.parent / "Cargo.toml").read_text()
    assert "pyo3" not in manifest
    assert "numpy" not in manifest


def source_files() -> list[Path]:
    """Return every source file that a person maintains."""
    return sorted(
        file
        for folder in LONGEST
        for pattern in ("*.py", "*.pyi", "*.rs")
        for file in (REPOSITORY / folder).rglob(pattern)
        if "target" not in file.parts
    )


@pytest.mark.parametrize("file", source_files(), ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_a_file_is_short_enough_to_read(file: Path) -> None:
    inside = file.relative_to(REPOSITORY).parts
    longest = LONGEST["tests"] if "tests" in inside or file == STUB else LONGEST[inside[0]]
    assert len(file.read_text().splitlines()) <= longest


@pytest.mark.parametrize("file", source_files(), ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_a_file_says_in_its_first_line_what_it_is_for(file: Path) -> None:
    text = file.read_text()
    if not text or file.suffix == ".pyi":
        return  # an empty package marker, or types alone
    assert text.startswith(("//!", '"""', 'r"""', "#")), f"first line: {text.splitlines()[0]!r}"


def test_whiteouts_are_spelled_in_one_place_only() -> None:
    shipped = [
        *CORE.rglob("*.rs"),
        *(REPOSITORY / "rust/layersim-python").rglob("*.rs"),
        *(REPOSITORY / "python").rglob("*.py"),
    ]
    spelling = [file for file in shipped if '".wh.' in _without_comments(file) and file != WHITEOUT_HOME]
    assert [str(file.relative_to(REPOSITORY)) for file in spelling] == []


def _without_comments(file: Path) -> str:
    """Return the code before any inline test module, comments left out."""
    return COMMENT.sub("", file.read_text().split("#[cfg(test)]")[0])


FORBIDDEN = {
    "noqa": re.compile(r"#\s*noqa"),
    "type: ignore": re.compile(r"#\s*type:\s*ignore"),
    "clippy allow": re.compile(r"#!?\[allow\(clippy"),
    "later": re.compile(r"\b(TODO|FIXME|XXX)\b"),
    "unfinished": re.compile(r"\b(todo|unimplemented)!\("),
}


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_no_check_is_switched_off_in_place(rule: str) -> None:
    this = Path(__file__)
    guilty = [file for file in source_files() if file != this and FORBIDDEN[rule].search(file.read_text())]
    assert [str(file.relative_to(REPOSITORY)) for file in guilty] == []
