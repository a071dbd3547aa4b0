"""The command line: which words mean what, what is printed, and how it ends."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import layersim as ls
from layersim.cli import main
from layersim.demo import write_archives
from layersim.demo.example import APP_JS

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_714_564_800 * 10**9


class Result(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archives")
    write_archives(directory, NOW)
    engine = ls.Engine(clock=lambda: NOW)
    engine.load(directory / "web-ping.tar")
    engine.save(["web-ping"], directory / "single.tar")
    return directory


@pytest.fixture
def run(directory: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    def run_here(*argv: str) -> Result:
        monkeypatch.chdir(directory)
        status = main(argv, clock=lambda: NOW)
        captured = capsysbinary.readouterr()
        return Result(status, captured.out.decode(errors="surrogateescape"), captured.err.decode())

    return run_here


@pytest.fixture
def engine(directory: Path) -> ls.Engine:
    engine = ls.Engine(clock=lambda: NOW)
    engine.load(directory / "web-ping.tar")
    return engine


def program(directory: Path, *argv: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "layersim", *argv]
    return subprocess.Popen(words, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


# Which images the words of `history` mean.


@pytest.mark.parametrize(
    "words",
    [
        ["single.tar"],
        ["web-ping.tar", "web-ping"],
        ["web-ping.tar", "web-ping:latest"],
        ["web-ping.tar#web-ping"],
        ["web-ping.tar#docker.io/library/web-ping:latest"],
        ["-f", "web-ping.tar", "web-ping"],
    ],
)
def test_history_of_one_image_is_dockers_text(run: Run, engine: ls.Engine, words: list[str]) -> None:
    assert run("history", *words) == Result(0, f"{engine.history('web-ping')}\n", "")


def test_an_id_or_its_beginning_names_an_image(run: Run, engine: ls.Engine) -> None:
    digits = engine.get_image("web-ping").id.removeprefix("sha256:")
    for reference in (digits, digits[:12], f"sha256:{digits}"):
        assert run("history", "web-ping.tar", reference).out == f"{engine.history('web-ping')}\n"
        assert run("history", f"web-ping.tar#{reference}").out == f"{engine.history('web-ping')}\n"


def test_history_of_an_archive_shows_all_its_images(run: Run, engine: ls.Engine) -> None:
    expected = (
        f"==> node:20 <==\n{engine.history('node:20')}\n\n==> web-ping:latest <==\n{engine.history('web-ping')}\n"
    )
    assert run("history", "web-ping.tar").out == expected


def test_the_same_tag_in_two_archives_is_told_apart(run: Run, directory: Path) -> None:
    other = ls.Engine(clock=lambda: NOW)
    rootfs = ls.Layer.from_changes([ls.write("/other", b"")])
    other.import_tar(rootfs.tar_bytes(), tag="web-ping")
    other.save(["web-ping"], directory / "other.tar")
    assert run("history", "single.tar#web-ping", "other.tar").out.count("buildkit") > 1
    assert run("ls", "other.tar#web-ping").out == "other\n"
    assert run("ls", "-f", "single.tar", "-f", "other.tar", "web-ping").out == "other\n"


@pytest.mark.parametrize(
    ("options", "text_options"),
    [
        (["--no-trunc"], {"no_trunc": True}),
        (["--no-human"], {"human": False}),
        (["-q"], {"quiet": True}),
        (["-q", "--no-trunc"], {"quiet": True, "no_trunc": True}),
    ],
)
def test_options_of_history(run: Run, engine: ls.Engine, options: list[str], text_options: dict[str, Any]) -> None:
    assert run("history", *options, "single.tar").out == engine.history("web-ping").text(**text_options) + "\n"


def test_images_and_df_are_dockers_text(run: Run, engine: ls.Engine) -> None:
    assert run("images", "web-ping.tar").out == f"{engine.images()}\n"
    assert (
        run("images", "-q", "--no-trunc", "web-ping.tar").out == engine.images().text(quiet=True, no_trunc=True) + "\n"
    )
    assert run("df", "web-ping.tar").out == f"{engine.df()}\n"
    assert run("df", "-v", "web-ping.tar").out == f"{engine.df(verbose=True)}\n"
    engine.load("fleet.tar")
    assert run("df", "-v", "web-ping.tar", "fleet.tar").out == f"{engine.df(verbose=True)}\n"


def test_no_archive_is_an_empty_host(run: Run) -> None:
    assert run("images").out == f"{ls.Engine().images()}\n"
    assert run("images", "-q") == Result(0, "", "")


# JSON.


def test_json_of_history_is_a_line_per_step(run: Run, engine: ls.Engine) -> None:
    lines = [json.loads(line) for line in run("history", "--json", "single.tar").out.splitlines()]
    rows = list(engine.history("web-ping"))
    assert [line["created_by"] for line in lines] == [row.created_by for row in rows]
    assert [line["size"] for line in lines] == [row.size for row in rows]
    assert lines[0]["id"] == lines[0]["image"] == rows[0].id
    assert lines[1]["id"] is None
    assert lines[0]["created"] == "2024-05-01T11:50:00Z"


def test_json_of_images_and_df(run: Run, engine: ls.Engine) -> None:
    lines = [json.loads(line) for line in run("images", "--json", "web-ping.tar").out.splitlines()]
    assert [(line["id"], line["tags"]) for line in lines] == [(row.id, list(row.tags)) for row in engine.images()]
    document = json.loads(run("df", "--json", "-v", "web-ping.tar").out)
    assert document["layers_size"] == engine.df().layers_size
    assert [row["type"] for row in document["summary"]] == ["Images", "Containers", "Local Volumes", "Build Cache"]
    assert [row["unique_size"] for row in document["images"]] == [
        row.unique_size for row in engine.df(verbose=True).images
    ]
    assert "images" not in json.loads(run("df", "--json", "web-ping.tar").out)


def test_json_of_files(run: Run, engine: ls.Engine) -> None:
    layers = engine.get_image("web-ping").layers
    (line,) = run("ls", "--json", "single.tar", "/web-ping").out.splitlines()
    entry = json.loads(line)
    assert (entry["name"], entry["kind"], entry["size"], entry["layer"]) == ("app.js", "file", 846, layers[-1].diff_id)
    document = json.loads(run("cat", "--json", "single.tar", "/web-ping/app.js").out)
    assert base64.b64decode(document["base64"]) == APP_JS
    changes = run("diff", "--json", "web-ping.tar#node:20", "web-ping.tar#web-ping").out.splitlines()
    assert [json.loads(change) for change in changes] == [
        {"kind": "A", "path": "/web-ping"},
        {"kind": "A", "path": "/web-ping/app.js"},
    ]


def test_json_of_the_demo_is_a_line_per_passage(run: Run, tmp_path: Path) -> None:
    lines = run("demo", "--json", "--picture", str(tmp_path / "p.png")).out.splitlines()
    assert {json.loads(line)["kind"] for line in lines} == {"heading", "prose", "command", "output"}


# Files of images.


def test_ls_lists_names_and_details(run: Run, engine: ls.Engine) -> None:
    assert run("ls", "single.tar", "/web-ping").out == "app.js\n"
    assert "web-ping" in run("ls", "single.tar").out.splitlines()
    assert run("ls", "single.tar", "/web-ping/app.js").out == "/web-ping/app.js\n"
    layer = engine.get_image("web-ping").diff_ids[-1].removeprefix("sha256:")[:12]
    (line,) = run("ls", "-l", "single.tar", "/web-ping").out.splitlines()
    assert line.split() == ["-rw-r--r--", "0:0", "846", "1970-01-01", "00:00", layer, "app.js"]
    assert any(line.endswith("bin -> usr/bin") for line in run("ls", "-l", "single.tar").out.splitlines())


def test_cat_writes_the_bytes(run: Run) -> None:
    assert run("cat", "single.tar", "/web-ping/app.js").out.encode() == APP_JS


def test_diff_of_two_images(run: Run) -> None:
    assert run("diff", "web-ping.tar#node:20", "single.tar").out == "A /web-ping\nA /web-ping/app.js\n"
    assert run("diff", "-f", "web-ping.tar", "web-ping", "node:20").out == "D /web-ping\n"
    assert run("diff", "single.tar", "single.tar") == Result(0, "", "")


def test_diff_of_two_layers(run: Run, directory: Path, engine: ls.Engine) -> None:
    before = ls.Layer.from_changes([ls.write("/a", b"1"), ls.write("/b", b"1")])
    after = ls.Layer.from_changes([ls.write("/a", b"22"), ls.write("/c", b"1")])
    for name, layer in (("before.tar", before), ("after.tar", after)):
        layer.write_tar(directory / name)
    assert sorted(run("diff", "--layers", "before.tar", "after.tar").out.splitlines()) == ["A /c", "C /a", "D /b"]
    workdir, copy = engine.get_image("web-ping").diff_ids[-2:]
    expected = "C /web-ping\nA /web-ping/app.js\n", "A /web-ping/app.js\n"
    assert run("diff", "--layers", "-f", "single.tar", workdir, copy[:20]).out in expected


# How it ends.


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["history", "absent.tar"], "layersim: absent.tar: no such archive\n"),
        (
            ["history", "single.tar", "absent"],
            "layersim: absent: no such archive, and no image of that name was loaded\n",
        ),
        (["df", "absent.tar"], "layersim: absent.tar: no such archive\n"),
        (["history", ""], "layersim: : no such archive\n"),
        (
            ["history", "single.tar#absent"],
            "layersim: single.tar#absent: expected one image of single.tar, which holds web-ping:latest\n",
        ),
        (["ls", "single.tar", "/absent"], "layersim: single.tar: /absent: No such file or directory\n"),
        (["cat", "single.tar", "/web-ping"], "layersim: single.tar: /web-ping: Is a directory\n"),
        (
            ["ls", "web-ping.tar"],
            "layersim: web-ping.tar: holds 2 images; name one of web-ping.tar#node:20, web-ping.tar#web-ping:latest\n",
        ),
        (
            ["diff", "--layers", "absent.tar", "x"],
            "layersim: absent.tar: no such file, and no layer of that diff id was loaded\n",
        ),
    ],
)
def test_a_failing_input_is_one_line_that_names_it(run: Run, argv: list[str], message: str) -> None:
    assert run(*argv) == Result(1, "", message)


@pytest.mark.parametrize("content", [b"", b"junk" * 300, b"\x1f\x8b\x08junk", b"PK\x03\x04"])
def test_a_broken_archive_is_one_line_that_names_it(run: Run, directory: Path, content: bytes) -> None:
    (directory / "broken.tar").write_bytes(content)
    status, out, err = run("df", "-v", "broken.tar")
    assert (status, out) == (1, "")
    assert err.startswith("layersim: broken.tar: ")
    assert err.count("\n") == 1


def test_names_with_control_characters_cannot_drive_a_terminal(run: Run, directory: Path) -> None:
    name = "evil\x1b[2J\n.tar"
    (directory / name).write_bytes(b"junk")
    err = run("df", name).err
    assert err.startswith("layersim: evil\\x1b[2J\\n.tar: ")
    assert err.isascii()


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["history"], ["cat", "single.tar"], ["df", "--nonsense"]])
def test_words_not_understood_end_with_2(run: Run, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*argv)
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["history", "images", "df", "ls", "cat", "diff", "build", "suggest", "demo"])
def test_every_command_has_help(run: Run, command: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    assert capsysbinary.readouterr().out.decode().startswith(f"usage: layersim {command}")


def test_version_is_the_packages(run: Run, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--version")
    assert ended.value.code == 0
    assert capsysbinary.readouterr().out.decode() == f"layersim {version('layersim')}\n"


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("layersim.cli.host.Host.load", interrupted)
    assert run("df", "single.tar") == Result(130, "", "")


def test_a_closed_pipe_is_no_complaint(directory: Path) -> None:
    with program(directory, "cat", "single.tar", "/usr/local/bin/node") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.parametrize(
    ("shell", "status", "out", "err"),
    [
        ("cat single.tar /web-ping/app.js >&-", 1, b"", b"layersim: standard output: Bad file descriptor\n"),
        ("--version >&-", 1, b"", b"layersim: standard output: Bad file descriptor\n"),
        ("cat single.tar /web-ping/app.js 2>&-", 0, APP_JS, b""),
        ("cat absent.tar /web-ping/app.js 2>&-", 1, b"", b""),
        ("cat single.tar /web-ping/app.js >&- 2>&-", 1, b"", b""),
    ],
)
def test_a_stream_that_was_closed_before(directory: Path, shell: str, status: int, out: bytes, err: bytes) -> None:
    command = ["sh", "-c", f"exec {sys.executable} -m layersim {shell}"]
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_python_m_is_the_same_program(directory: Path) -> None:
    with program(directory, "cat", "single.tar", "/web-ping/app.js") as process:
        assert process.communicate() == (APP_JS, b"")
        assert process.returncode == 0


def test_demo_keeps_its_archives_where_told(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("demo", "--save", str(tmp_path), "--picture", str(tmp_path / "p.png"))
    assert status == 0
    assert str(tmp_path / "p.png") in out
    assert run("images", str(tmp_path / "web-ping.tar")).out in out


def test_demo_of_ones_own_archives(run: Run, tmp_path: Path) -> None:
    status, out, err = run("demo", "--picture", str(tmp_path / "p.png"), "single.tar")
    assert (status, err) == (0, "")
    assert "$ layersim df -v single.tar" in out
    assert out.count("unchanged") >= 2
