"""The examples of the documentation print exactly what stands beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def test_there_are_examples_and_each_has_its_output() -> None:
    assert SCRIPTS
    assert {script.stem for script in SCRIPTS} == {output.stem for output in EXAMPLES.glob("*.out")}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_example_prints_what_its_page_shows(script: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "error", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout == script.with_suffix(".out").read_text()


def test_the_page_on_accounting_shows_what_its_example_prints_and_draws() -> None:
    printed = (EXAMPLES / "accounting.out").read_text()
    assert f"```text\n{printed}```" in (EXAMPLES.parent / "accounting.md").read_text()
    picture = (EXAMPLES.parent / "accounting.svg").read_text()
    tags = [line.split()[0] for line in printed.split("FAIR SHARE\n")[1].split("all images")[0].splitlines()]
    assert len(tags) == 6
    assert {tag: picture.count(f">{tag}<") for tag in tags} == dict.fromkeys(tags, 2)
