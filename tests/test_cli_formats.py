"""Tables of the command line as data: JSON, csv, an Arrow stream; and `ps`, where there are containers."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import layersim as ls
from layersim.cli import main
from layersim.profiles import PROFILE_NAMES
from tests.rows import NOW, small_engine

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., bytes]
HOSTILE = 'a "quoted", \x1b[2J\r\nname; é'
COMMANDS = {
    "images": ["images", "two.tar"],
    "images -a": ["images", "-a", "two.tar"],
    "df": ["df", "two.tar"],
    "df -v": ["df", "-v", "two.tar"],
    "history": ["history", "two.tar"],
    "history of one": ["history", "two.tar", "base:1"],
    "ps": ["ps", "-as", "two.tar"],
    "nothing": ["images"],
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archives")
    engine = small_engine()
    engine.tag("app:1", "example.com:5000/a/b:2")
    engine.save(["base:1", "app:1", "app:latest", "example.com:5000/a/b:2"], directory / "two.tar")
    return directory


@pytest.fixture
def engine(directory: Path) -> ls.Engine:
    engine = ls.Engine(clock=lambda: NOW)
    engine.load(directory / "two.tar")
    return engine


@pytest.fixture
def run(directory: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    def run_here(*argv: str) -> bytes:
        monkeypatch.chdir(directory)
        status = main(argv, clock=lambda: NOW)
        captured = capsysbinary.readouterr()
        assert (status, captured.err) == (0, b"")
        return captured.out

    return run_here


def of_csv(content: bytes) -> list[dict[str, str]]:
    """Return the records of a csv, read as RFC 4180 has it."""
    return list(csv.DictReader(io.StringIO(content.decode(errors="surrogateescape"), newline=""), strict=True))


def of_arrow(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()


def rows_of(engine: ls.Engine, command: str) -> list[dict[str, Any]]:
    """Return what a command should write, from the engine's own tables."""
    tables: dict[str, Any] = {
        "images": engine.images(),
        "images -a": engine.images(all=True),
        "df": engine.df().summary,
        "df -v": engine.df().images,
        "ps": engine.containers(all=True),
    }
    if command in tables:
        return [{name: getattr(row, name) for name in tables[command].columns} for row in tables[command]]
    ids = [engine.get_image(name).id for name in ("base:1", "app:1")]
    images = {"history": [image.id for image in engine.load("two.tar")], "history of one": ids[:1], "nothing": []}
    histories = {image: engine.history(image) for image in images[command]}
    return [
        {"image": image} | {name: getattr(row, name) for name in table.columns}
        for image, table in histories.items()
        for row in table
    ]


def written(value: object) -> str:
    """Return a value as csv has it, spelled by hand."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("command", COMMANDS)
def test_csv_holds_the_rows(run: Run, engine: ls.Engine, command: str) -> None:
    content = run(*COMMANDS[command], "--format", "csv")
    expected = rows_of(engine, command)
    assert of_csv(content) == [{name: written(value) for name, value in row.items()} for row in expected]
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == len(expected) + 1


@pytest.mark.parametrize("command", COMMANDS)
def test_arrow_holds_the_rows(run: Run, engine: ls.Engine, command: str) -> None:
    table = of_arrow(run(*COMMANDS[command], "--format", "arrow"))
    expected = rows_of(engine, command)
    lists = [
        {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()} for row in expected
    ]
    assert table.to_pylist() == lists


@pytest.mark.parametrize(
    ("words", "header"),
    [
        (["images"], "id,tags,created,size,content_size,containers"),
        (["df", "-v"], "id,tags,created,size,shared_size,unique_size,containers"),
        (["df"], "type,total,active,size,reclaimable"),
        (["history", "two.tar"], "image,id,created,created_by,size,comment,empty_layer"),
        (
            ["ps"],
            "id,name,image,image_id,command,created,state,since,exit_code,size_rw,size_root_fs,volumes,has_healthcheck",
        ),
    ],
)
def test_the_names_of_the_columns_are_there_without_a_row(run: Run, words: list[str], header: str) -> None:
    assert run(*words, "--format", "csv").split(b"\r\n")[0].decode() == header
    assert of_arrow(run(*words, "--format=arrow")).column_names == header.split(",")


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_what_the_older_option_writes(run: Run, command: str) -> None:
    assert run(*COMMANDS[command], "--format", "json") == run(*COMMANDS[command], "--json")
    assert run(*COMMANDS[command], "--format", "table") == run(*COMMANDS[command])


@pytest.mark.parametrize("form", ["csv", "json", "arrow"])
def test_options_for_readers_change_no_data(run: Run, form: str) -> None:
    plain = run("history", "two.tar", "--format", form)
    assert run("history", "two.tar", "--format", form, "-q", "--no-human", "--no-trunc") == plain


@pytest.fixture
def odd(directory: Path, engine: ls.Engine) -> str:
    """The name of an archive whose history has one hostile step."""
    step = ls.HistoryEntry(created_by=HOSTILE, comment=",", empty_layer=True)
    engine.add_image(engine.get_image("base:1").layers, "odd:1", history=[step])
    engine.save(["odd:1"], directory / "odd.tar")
    return "odd.tar"


def test_hostile_texts_stay_one_field(run: Run, odd: str) -> None:
    (record,) = of_csv(run("history", odd, "--format", "csv"))
    assert (record["created_by"], record["comment"], record["empty_layer"]) == (HOSTILE, ",", "true")
    assert of_arrow(run("history", odd, "--format", "arrow")).column("created_by").to_pylist() == [HOSTILE]


@pytest.mark.parametrize(
    "argv",
    [
        ["images", "--format", "yaml"],
        ["images", "--format", ""],
        ["images", "--format"],
        ["images", "--format", "CSV"],
        ["images", "--json", "--format", "csv"],
        ["cat", "--format", "csv", "two.tar", "/f"],
        ["convert", "--format", "csv", "two.tar", "out.tar"],
        ["ps", "--profile", "nonsense"],
    ],
)
def test_formats_that_are_not_understood_end_with_2(run: Run, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*argv)
    assert ended.value.code == 2


def on_a_terminal(directory: Path, *argv: str) -> tuple[int, str]:
    """Run the program with a terminal as its standard output; return how it ended, and its two outputs in one."""
    reader, writer = os.openpty()
    process = subprocess.Popen([sys.executable, "-m", "layersim", *argv], cwd=directory, stdout=writer, stderr=writer)
    os.close(writer)
    shown = b""
    while True:
        try:
            part = os.read(reader, 65536)
        except OSError:  # what a terminal answers whose other side is closed
            part = b""
        if not part:
            break
        shown += part
    os.close(reader)
    return process.wait(), shown.decode()


def test_an_arrow_stream_is_not_written_to_a_terminal(directory: Path) -> None:
    status, shown = on_a_terminal(directory, "images", "--format", "arrow", "absent.tar")
    reason = "an Arrow stream is no text for a terminal; send it to a file or a pipe"
    assert (status, shown) == (1, f"layersim: standard output: {reason}\r\n")


def test_csv_on_a_terminal_cannot_drive_it(directory: Path, odd: str) -> None:
    status, shown = on_a_terminal(directory, "history", "--format", "csv", odd)
    assert status == 0
    assert "\x1b" not in shown.rpartition("image,id,")[2]  # the progress before it clears its own line
    assert r"\x1b[2J\r\nname" in shown


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_every_profile_has_its_tables_and_data(run: Run, directory: Path, profile: str) -> None:
    engine = ls.Engine(profile, clock=lambda: NOW)
    engine.load(directory / "two.tar")
    assert run("images", "--profile", profile, "two.tar").decode() == f"{engine.images()}\n"
    assert run("df", "-v", "--profile", profile, "two.tar").decode() == f"{engine.df(verbose=True)}\n"
    sizes = [row.size for row in engine.images()]
    assert of_arrow(run("images", "--profile", profile, "--format", "arrow", "two.tar"))["size"].to_pylist() == sizes


# Containers.


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> ls.Engine:
    """Let the commands of this test find an engine with a running and a created container."""
    engine = small_engine()
    engine.create("base:1", name="two")
    monkeypatch.setattr("layersim.cli.tables.Host", lambda *_: SimpleNamespace(engine=engine))
    return engine


@pytest.mark.parametrize(
    ("options", "names"), [([], ["one"]), (["-a"], ["two", "one"]), (["--all"], ["two", "one"]), (["-s"], ["one"])]
)
def test_ps_prints_dockers_text(run: Run, saved: ls.Engine, options: list[str], names: list[str]) -> None:
    table = saved.containers(all=len(names) > 1, size="-s" in options)
    assert run("ps", *options).decode() == f"{table}\n"
    assert [row.name for row in table] == names


def test_options_of_ps(run: Run, saved: ls.Engine) -> None:
    table = saved.containers(all=True, size=True)
    for options, text in {
        ("--no-trunc",): table.text(no_trunc=True),
        ("-q",): table.text(quiet=True),
        ("-q", "--no-trunc"): table.text(quiet=True, no_trunc=True),
    }.items():
        assert run("ps", "-a", "--size", *options).decode() == f"{text}\n"
    assert "5B (virtual 1.02kB)" in run("ps", "--size").decode()


def test_ps_as_data(run: Run, saved: ls.Engine) -> None:
    (running,) = saved.containers()
    record = json.loads(run("ps", "--json"))
    assert (record["id"], record["command"], record["size_rw"]) == (running.id, list(running.command), 5)
    (line,) = of_csv(run("ps", "--format", "csv"))
    assert (line["id"], line["command"], line["has_healthcheck"]) == (running.id, "sh -c echo hi", "false")
    table = of_arrow(run("ps", "-a", "--format", "arrow"))
    assert table.column("command").to_pylist() == [list(row.command) for row in saved.containers(all=True)]


def test_ps_of_an_archive_is_a_header_alone(run: Run) -> None:
    header = "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n"
    assert run("ps", "-a", "two.tar").decode() == header
    assert run("ps", "-aq", "two.tar") == b""


def test_ps_has_help(run: Run, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("ps", "--help")
    shown = capsysbinary.readouterr().out.decode()
    assert ended.value.code == 0
    for option in ("-a, --all", "-s, --size", "--no-trunc", "-q, --quiet", "--format", "--profile", "--json"):
        assert option in shown
