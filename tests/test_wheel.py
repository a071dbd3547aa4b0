"""The wheel of `make wheel` and `pip install .` end in an environment where all runs without a Rust toolchain."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STORY = """
import layersim as ls
base = ls.Layer.from_changes([ls.mkdir("/app"), ls.write("/app/app.js", b"12345")])
fs = ls.Overlay([base])
fs.write_bytes("/app/app.js", b"1234567")
assert base.size == 5 and fs.size_rw == 7, (base.size, fs.size_rw)
print(ls.__file__, fs.changes())
"""


@pytest.fixture(scope="module")
def wheel(repository: Path) -> Path:
    """The wheel, built anew by the very target that the README names."""
    for stale in (repository / "dist").glob("*.whl"):
        stale.unlink()
    subprocess.run(["make", "wheel"], cwd=repository, check=True, timeout=800)
    (built,) = (repository / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module", params=["wheel", "checkout"])
def installed(
    request: pytest.FixtureRequest, wheel: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """An environment that holds layersim and what it depends on, and a PATH with nothing else."""
    folder = tmp_path_factory.mktemp("empty-environment")
    venv.create(folder, with_pip=True)
    environment = {"PATH": f"{folder / 'bin'}:/nonexistent", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if request.param == "wheel":
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "SSL_")) or "proxy" in name.lower()
        }
        subprocess.run([*pip, "--only-binary=:all:", str(wheel)], env={**kept, **environment}, check=True, timeout=300)
    else:
        # Most of what `make wheel` has compiled is taken from target/.
        subprocess.run([*pip, "."], cwd=repository, check=True, timeout=600)
    return folder, environment


def test_it_carries_its_version_types_and_compiled_floor(wheel: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", str(wheel)], capture_output=True, text=True, check=True
    )
    names = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert "layersim/py.typed" in names
    assert "layersim/_core.pyi" in names
    assert any(name.startswith("layersim/_core.") and name.endswith(".so") for name in names)
    assert not any(name.startswith(("tests/", "rust/")) for name in names)


def test_it_runs_without_a_toolchain(installed: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    folder, environment = installed
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-c", STORY],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(folder) in done.stdout, "the checkout was imported, not what was installed"


def test_its_command_line_tells_the_story(installed: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    folder, environment = installed
    command = [str(folder / "bin" / "layersim"), "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "/web-ping" in done.stdout
