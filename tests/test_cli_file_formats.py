"""`ls`, `diff` and `check` as data: csv and an Arrow stream, with the fields that JSON has."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import layersim as ls
from layersim.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., bytes]

ODD = 'a "b",\n\x1b[2J é'
LOST = b"caf\xe9"
BASE = ls.Layer.from_changes(
    [
        ls.mkdir("/d"),
        ls.write(f"/d/{ODD}", b"1", mode=0o4755, uid=1 << 31, mtime_ns=1_700_000_000 * 10**9),
        ls.write(b"/d/" + LOST, b"22", gid=7),
        ls.symlink("/d/link", "nowhere"),
    ]
)
TOP = ls.Layer.from_changes([ls.write("/d/new", b"333"), ls.remove(f"/d/{ODD}")])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([BASE], tag="base:1")
    engine.add_image([BASE, TOP], tag="top:1")
    engine.save(["base:1", "top:1"], tmp_path / "two.tar")
    (tmp_path / "bad.tar").write_bytes(b"x" * 512)
    monkeypatch.chdir(tmp_path)

    def run_here(*argv: str, status: int = 0) -> bytes:
        assert main(argv, clock=lambda: 0) == status
        captured = capsysbinary.readouterr()
        assert captured.err == b""
        return captured.out

    return run_here


def of_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(errors="surrogateescape"), newline=""), strict=True))


def of_arrow(content: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.ipc.open_stream(content).read_all().to_pylist()
    return rows


def of_json(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def written(value: object) -> str:
    return "" if value is None else str(value)


COMMANDS = {
    "ls": ["ls", "two.tar#base:1", "/d"],
    "ls of a file": ["ls", "two.tar#top:1", "/d/new"],
    "diff": ["diff", "two.tar#base:1", "two.tar#top:1"],
    "no diff": ["diff", "two.tar#base:1", "two.tar#base:1"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_csv_and_arrow_hold_what_json_holds(run: Run, command: str) -> None:
    records = of_json(run(*COMMANDS[command], "--json"))
    assert run(*COMMANDS[command], "--format", "json") == run(*COMMANDS[command], "--json")
    assert run(*COMMANDS[command], "--format", "table") == run(*COMMANDS[command])
    rows = of_csv(run(*COMMANDS[command], "--format", "csv"))
    assert rows == [{name: written(value) for name, value in record.items()} for record in records]
    for row, record in zip(of_arrow(run(*COMMANDS[command], "--format", "arrow")), records, strict=True):
        if "mtime" in row:
            row["mtime"] = row["mtime"].isoformat().replace("+00:00", "Z")
        # Arrow's texts are UTF-8.
        assert row == {name: lossy(value) for name, value in record.items()}


def lossy(value: object) -> object:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def test_the_fields_of_a_file(run: Run) -> None:
    rows = {row["name"]: row for row in of_csv(run("ls", "--format", "csv", "two.tar#base:1", "/d"))}
    assert set(rows) == {ODD, "link", LOST.decode(errors="surrogateescape")}
    assert rows["link"]["target"] == "nowhere"
    assert rows[ODD] == {
        "name": ODD,
        "kind": "file",
        "mode": str(0o4755),
        "uid": str(1 << 31),
        "gid": "0",
        "size": "1",
        "mtime": "2023-11-14T22:13:20Z",
        "target": "",
        "layer": BASE.diff_id,
    }


def test_breaches_are_rows_and_an_archive_in_order_has_none(run: Run) -> None:
    found = [{"archive": "bad.tar", "where": one.where, "what": one.what} for one in ls.check_archive("bad.tar")]
    assert len(found) == 1
    for words, status, expected in ((["two.tar", "bad.tar", "two.tar"], 1, found), (["two.tar"], 0, [])):
        assert of_csv(run("check", "--format", "csv", *words, status=status)) == expected
        assert of_arrow(run("check", *words, "--format", "arrow", status=status)) == expected
    assert run("check", "--format", "csv", "two.tar") == b"archive,where,what\r\n"


def test_an_error_is_no_row(tmp_path: Path, run: Run, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    del run
    assert main(["ls", "--format", "csv", f"{tmp_path}/two.tar#base:1", "/absent"]) == 1
    captured = capsysbinary.readouterr()
    assert (captured.out, captured.err.count(b"\n")) == (b"", 1)
