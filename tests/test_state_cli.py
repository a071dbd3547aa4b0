"""A saved engine in the place of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.cli import main

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_714_564_800 * 10**9


@pytest.fixture
def engine() -> ls.Engine:
    engine = ls.Engine(clock=lambda: NOW)
    base = ls.Layer.from_changes([ls.write("/etc/motd", b"welcome\n")])
    engine.add_image([base], tag="base:1")
    engine.run("base:1", name="web").fs.write_bytes("/etc/motd", b"bye")
    return engine


@pytest.fixture(params=["host.lsim", "store/"])
def state(request: pytest.FixtureRequest, engine: ls.Engine, tmp_path: Path) -> str:
    """The engine, saved."""
    engine.save_state(f"{tmp_path}/{request.param}")
    return f"{tmp_path}/{request.param}"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command in this process."""
    status = main(words, clock=lambda: NOW)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_tables_are_those_of_the_engine(state: str, engine: ls.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "images", state) == (0, f"{engine.images()}\n", "")
    assert said(capsys, "df", "-v", state) == (0, f"{engine.df(verbose=True).verbose_text()}\n", "")
    assert said(capsys, "history", f"{state}#base:1") == (0, f"{engine.history('base:1')}\n", "")
    assert said(capsys, "cat", state, "/etc/motd") == (0, "welcome\n", "")


def test_archives_are_loaded_into_it(
    state: str, engine: ls.Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ls.Engine(clock=lambda: NOW)
    other.add_image([ls.Layer.from_changes([ls.write("/other", b"1")])], tag="other:1")
    other.save("other:1", tmp_path / "other.tar")
    engine.load(tmp_path / "other.tar")
    assert said(capsys, "df", state, f"{tmp_path}/other.tar") == (0, f"{engine.df()}\n", "")
    status, out, err = said(capsys, "df", f"{tmp_path}/other.tar", state)
    assert (status, out) == (1, "")
    assert "comes before all archives" in err


def test_a_broken_one_is_one_line(tmp_path: Path, engine: ls.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.save_state(tmp_path / "host.lsim")
    whole = (tmp_path / "host.lsim").read_bytes()
    (tmp_path / "host.lsim").write_bytes(whole[:-1])
    status, out, err = said(capsys, "images", f"{tmp_path}/host.lsim")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "cut short" in err


def test_one_that_is_open_elsewhere_says_where(
    tmp_path: Path, engine: ls.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.save_state(f"{tmp_path}/store/")
    with ls.Engine.open(tmp_path / "store"):
        status, _, err = said(capsys, "images", f"{tmp_path}/store")
    assert status == 1
    assert "is open in process" in err


def test_a_saved_engine_is_of_its_own_profile(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "df", "--profile", "docker20", state)[0] == 0
    status, out, err = said(capsys, "df", "--profile", "containerd", state)
    assert (status, out) == (1, "")
    assert "a saved engine is docker20, and cannot be containerd" in err
