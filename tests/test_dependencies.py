"""What we depend on: deny.toml's rules on licences and sources, held by `cargo metadata` where cargo-deny is absent."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

from tests.oracles import require_program

if TYPE_CHECKING:
    from pathlib import Path

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def packages(repository: Path) -> list[dict[str, Any]]:
    """Return the crates of the locked graph, ours included."""
    cargo = require_program("cargo", "a Rust toolchain")
    command = [cargo, "metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"]
    done = subprocess.run(command, cwd=repository, capture_output=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    return found


def allows(expression: str, allowed: set[str]) -> bool:
    """Tell whether an SPDX expression can be met by the allowed licences."""
    flat = expression.replace("/", " OR ")
    terms = re.findall(r"\(|\)|\bAND\b|\bOR\b|[\w.+-]+(?: WITH [\w.-]+)?", flat)
    allowed = allowed | {f"{licence}+" for licence in allowed}
    words = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    verdict = " ".join(words.get(term, str(term in allowed)) for term in terms)
    return _evaluate(verdict)


def _evaluate(verdict: str) -> bool:
    """Evaluate `True and (False or True)` without running code."""
    while "(" in verdict:
        verdict = re.sub(r"\(([^()]*)\)", lambda inner: str(_evaluate(inner[1])), verdict)
    return any(all(term.strip() == "True" for term in part.split(" and ")) for part in verdict.split(" or "))


def test_licence_expressions_are_understood() -> None:
    assert allows("MIT OR (GPL-3.0 AND ISC)", {"MIT"})
    assert allows("MIT/Apache-2.0", {"Apache-2.0"})
    assert not allows("MIT AND GPL-3.0", {"MIT"})
    assert not allows("(MIT OR ISC) AND Unicode-3.0", {"MIT"})


def test_every_licence_is_allowed(repository: Path) -> None:
    allowed = set(tomllib.loads((repository / "deny.toml").read_text())["licenses"]["allow"])
    refused = {
        package["name"]: package["license"]
        for package in packages(repository)
        if not allows(package["license"] or "none", allowed)
    }
    assert refused == {}


def test_every_crate_comes_from_crates_io(repository: Path) -> None:
    elsewhere = {
        package["name"]: package["source"]
        for package in packages(repository)
        if package["source"] not in {None, CRATES_IO}
    }
    assert elsewhere == {}


def test_no_lock_file_names_a_mirror(repository: Path) -> None:
    sources = set(re.findall(r'^source = "(.*)"$', (repository / "Cargo.lock").read_text(), flags=re.MULTILINE))
    assert sources == {CRATES_IO}
