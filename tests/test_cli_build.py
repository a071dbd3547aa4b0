"""The commands `build` and `suggest`: where bases come from, what runs a RUN, and that no image is lost unsaid."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.cli import main
from layersim.cli.host import Host
from layersim.errors import StoreLockedError
from tests.engine.rootfs import busybox_tar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Say = Callable[..., tuple[int, str, str]]

NOW = 1_714_564_800 * 10**9
BASE = ls.Layer.from_changes([ls.write("/bin/sh", b"shell", mode=0o755)])
DOCKERFILE = 'FROM base:1\nARG MODE=dev\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "server.js"]\n'
EFFECTS = {"npm ci": {"files": {"node_modules": [30, "4MB"]}, "uses": ["package.json"], "seconds": 9}}
UNKEPT = "layersim: the image was not kept; -o FILE saves it, --state SAVED keeps the engine that has it\n"


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs commands in a directory that has a context, its base as an archive, effects and edits."""
    engine = ls.Engine(clock=lambda: NOW)
    engine.add_image([BASE], tag="base:1")
    engine.save("base:1", tmp_path / "base.tar")
    (tmp_path / "app").mkdir()
    for name, text in {"Dockerfile": DOCKERFILE, "package.json": "{}", "server.js": "main()"}.items():
        (tmp_path / "app" / name).write_text(text)
    (tmp_path / "effects.json").write_text(json.dumps(EFFECTS))
    (tmp_path / "edits.json").write_text(json.dumps([["server.js"], {"server.js": 30}, ["server.js"]]))
    monkeypatch.chdir(tmp_path)

    def said(*words: str) -> tuple[int, str, str]:
        status = main(words, clock=lambda: NOW)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return said


def twin(builder: str = "buildkit") -> ls.Build:
    """The same build from Python."""
    engine = ls.Engine(clock=lambda: NOW)
    engine.load("base.tar")
    run = ls.runs({"npm ci": ls.effect(files={"node_modules": (30, "4MB")}, uses=["package.json"], seconds=9)})
    if builder == "legacy":
        return engine.build("app", tag="web:1", builder="legacy", run=run)
    return engine.build("app", tag="web:1", run=run)


BUILD = ("build", "app", "--from", "base.tar", "--effects", "effects.json", "-t", "web:1")


@pytest.mark.parametrize("builder", ["buildkit", "legacy"])
def test_it_prints_what_the_builder_prints_and_says_that_nothing_was_kept(say: Say, builder: str) -> None:
    assert say(*BUILD, "--builder", builder) == (0, f"{twin(builder)}\n", UNKEPT)
    assert say(*BUILD, "--builder", builder, "--explain") == (0, f"{twin(builder).explain()}\n", UNKEPT)


def test_the_image_is_saved_as_docker_saves_it(say: Say) -> None:
    assert say(*BUILD, "-t", "web:latest", "-o", "web.tar")[2] == ""
    image = ls.Engine().load("web.tar")[0]
    assert (image.id, image.tags) == (twin().id, ("web:1", "web:latest"))
    assert say("check", "web.tar") == (0, "web.tar: ok\n", "")


@pytest.mark.parametrize("state", ["host.lsim", "store/"])
def test_a_saved_engine_has_the_image_and_finds_its_steps_again(say: Say, tmp_path: Path, state: str) -> None:
    legacy = (*BUILD, "--builder", "legacy", "--state", state)
    assert say(*legacy)[::2] == (0, "")
    assert (
        say("build", "app", "--effects", "effects.json", "--builder", "legacy", "--state", state)[1].count("Using") == 5
    )
    with ls.Engine.open(state) as engine:
        assert engine.get_image("web:1").id == twin("legacy").id
    (tmp_path / "app" / "package.json").write_text("{ }")
    out = say(*legacy, "--explain")[1]
    assert "COPY . .\n    ran, " in out
    assert say(*legacy, "--no-cache", "--explain")[1].count("the cache was switched off") == 5


def test_a_failed_build_leaves_a_saved_engine_as_it_was(say: Say, tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: NOW)
    engine.load("base.tar")
    engine.save_state("base.lsim")
    before = (tmp_path / "base.lsim").read_bytes()
    status, out, err = say("build", "app", "--state", "base.lsim", "--builder", "legacy")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err == (
        "layersim: Dockerfile:5: RUN step 5 of stage stage-0, line 5 does what nobody declared: npm ci; "
        'declare it in a file for --effects: "npm ci": {"writes": {"/path": "40MB"}, "seconds": 1}, '
        'or let all else do nothing with a last pattern: "*": {}, or have it executed with --sandbox\n'
    )
    assert (tmp_path / "base.lsim").read_bytes() == before


def test_bases_may_come_from_a_saved_engine_that_stays_as_it_is(say: Say, tmp_path: Path) -> None:
    engine = ls.Engine(profile="overlay2", clock=lambda: NOW)
    engine.load("base.tar")
    engine.save_state("base.lsim")
    before = (tmp_path / "base.lsim").read_bytes()
    words = ("build", "app", "--from", "base.lsim", "--effects", "effects.json", "-t", "web:1")
    assert say(*words, "--explain")[::2] == (0, UNKEPT)
    assert (tmp_path / "base.lsim").read_bytes() == before
    status, _, err = say(*words, "--profile", "docker20")
    assert (status, err.count("\n")) == (1, 1)
    assert "a saved engine is overlay2, and cannot be docker20" in err


def test_a_store_that_is_open_elsewhere_is_not_built_in(say: Say) -> None:
    with ls.Engine(clock=lambda: NOW) as engine:
        engine.save_state("store/")
    words = ("build", "app", "-f", "scratch", "--state", "store")
    with ls.Engine.open("store"):
        status, out, err = say(*words)
    assert (status, out) == (1, "")
    assert "is open in process" in err


@pytest.mark.usefixtures("say")
def test_nobody_else_changes_a_store_while_it_is_built_in() -> None:
    with ls.Engine(clock=lambda: NOW) as engine:
        engine.save_state("store/")
    with Host(None, lambda: NOW, ["store"], writes=True).engine, pytest.raises(StoreLockedError):
        ls.Engine.open("store")
    ls.Engine.open("store").close()


def test_a_warning_of_the_builder_is_told(say: Say, tmp_path: Path) -> None:
    (tmp_path / "blank").write_text("FROM base:1\nENV A=1 \\\n\n B=2\n")
    status, _, err = say("build", "app", "-f", "blank", "--from", "base.tar", "-o", "out.tar")
    assert (status, err) == (0, "layersim: warning: Empty continuation line found in: ENV A=1  B=2\n")


def test_steps_come_from_an_image_that_is_named(say: Say) -> None:
    legacy = ("build", "app", "--builder", "legacy", "--effects", "effects.json", "-t", "web:1")
    assert say(*legacy, "--from", "base.tar", "-o", "web.tar")[0] == 0
    loaded = (*legacy[:-1], "new:1", "--from", "base.tar", "--from", "web.tar", "-o", "new.tar", "--explain")
    assert "taken from the image" not in say(*loaded)[1]
    out = say(*loaded, "--cache-from", "web:1", "--cache-from", "nope:1")
    assert out[1].count("cached, taken from the image web:1") == 5
    assert out[2] == (
        "layersim: warning: cache_from: no image 'nope:1' is here, "
        "and there is no registry to ask; nothing is taken from it\n"
    )
    assert ls.Engine().load("new.tar")[0].id == ls.Engine().load("web.tar")[0].id


def test_what_is_found_at_a_url_is_a_file(say: Say, tmp_path: Path) -> None:
    url = "https://example.org/get?v=1"
    (tmp_path / "add").write_text(f"FROM scratch\nADD {url} /tool\n")
    (tmp_path / "tool").write_bytes(b"binary")
    words = ("build", "app", "-f", "add", "-o", "out.tar")
    assert say(*words, "--download", f"{url}=tool")[0] == 0
    assert say("cat", "out.tar", "/tool")[1] == "binary"
    status, _, err = say(*words)
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith(
        f"layersim: add:2: ADD of {url} needs a network, and a build here has none: --download {url}="
    )
    assert "add:2: failed to load cache key" in say(*words, "--download", f"{url}=absent")[2]
    with pytest.raises(SystemExit):
        say(*words, "--download", "https://example.org/tool")


class Typed:
    """Standard input with some bytes in it."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_the_context_comes_by_standard_input(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ls.Layer.from_directory("app").tar_bytes()
    words = ("build", "-", "--from", "base.tar", "--effects", "effects.json", "-t", "web:1", "-o", "web.tar")
    for sent in (context, gzip.compress(context)):
        monkeypatch.setattr("sys.stdin", Typed(sent))
        assert say(*words)[0] == 0
        assert say("cat", "web.tar", "/app/server.js")[1] == "main()"


def test_a_dockerfile_alone_comes_by_standard_input(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Typed(b"FROM base:1\nLABEL a=1\n"))
    assert say("build", "-", "--from", "base.tar", "-o", "web.tar")[0] == 0
    assert json.loads(ls.Engine().load("web.tar")[0].raw_config)["config"]["Labels"] == {"a": "1"}
    monkeypatch.setattr("sys.stdin", Typed(b"FROM base:1\nCOPY f /f\n"))
    assert say("build", "-", "--from", "base.tar")[2].startswith("layersim: Dockerfile:2: failed to compute cache key")
    monkeypatch.setattr("sys.stdin", Typed(b""))
    assert say("build", "-", "--from", "base.tar")[0] == 1


def test_what_is_no_saved_engine_is_not_overwritten(say: Say, tmp_path: Path) -> None:
    before = (tmp_path / "base.tar").read_bytes()
    assert say("build", "app", "--state", "base.tar") == (
        1,
        "",
        "layersim: base.tar: is there, and is no saved engine\n",
    )
    assert (tmp_path / "base.tar").read_bytes() == before


def test_arguments_labels_and_targets_reach_the_build(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "FROM base:1 AS one\nARG A\nARG B\nARG C=c\nENV ALL=$A$B$C\nFROM one AS two\nCOPY . /app\n"
    (tmp_path / "other").write_text(text)
    monkeypatch.setenv("B", "from-outside")
    words = ["build", "app", "-f", "other", "--from", "base.tar", "-o", "out.tar", "--label", "k=v=w"]
    words += ["--target", "one", "--build-arg", "A=1=2", "--build-arg", "B", "--build-arg", "C="]
    assert say(*words)[0] == 0
    config = json.loads(ls.Engine().load("out.tar")[0].raw_config)["config"]
    assert config["Labels"] == {"k": "v=w"}
    assert "ALL=1=2from-outside" in config["Env"]


def test_as_data(say: Say) -> None:
    document = json.loads(say(*BUILD, "--json", "-o", "web.tar")[1])
    built = twin()
    assert (document["id"], document["tags"], document["kept"]) == (built.id, ["web:1"], ["web.tar"])
    assert [step["instruction"] for step in document["steps"]] == [step.instruction for step in built.steps]
    rows = list(csv.DictReader(io.StringIO(say(*BUILD, "--format", "csv")[1], newline="")))
    ran = {row["instruction"]: row for row in rows}["RUN npm ci"]
    assert (ran["reason"], ran["size"], ran["seconds"]) == ("first", "4000000", "9.0")


@pytest.mark.kernel
def test_the_sandbox_executes(say: Say, tmp_path: Path) -> None:
    base = ls.Engine(clock=lambda: NOW)
    base.add_image([ls.Layer.from_tar(busybox_tar())], tag="base:1")
    base.save("base:1", "box.tar")
    (tmp_path / "app" / "Dockerfile").write_text("FROM base:1\nRUN echo seen; echo kept > /made\n")
    status, _, err = say("build", "app", "--from", "box.tar", "--sandbox", "-t", "web:1", "-o", "web.tar")
    assert (status, err) == (0, "seen\n")
    assert say("cat", "web.tar", "/made") == (0, "kept\n", "")


FAILURES = {
    "no context": (["absent"], "absent: cannot open absent: "),
    "no base": (["app", "--effects", "effects.json"], "app: "),
    "a wrong Dockerfile": (["app", "-f", "wrong"], "wrong:2: "),
    "no tag": (["app", "-t", "A b", "--from", "base.tar"], "app: "),
    "no source": (["app", "-f", "lost"], "lost:2: "),
    "no stage": (["app", "--target", "x", "--from", "base.tar"], "app: "),
    "nothing declared": (["app", "--from", "base.tar", "--effects", "none.json"], "Dockerfile:5: RUN step"),
    "no effects": (["app", "--from", "base.tar", "--effects", "absent"], "absent: No such file"),
    "no place": (["app", "-f", "scratch", "-o", "absent/out.tar"], "absent/out.tar: cannot write"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_fails_is_one_line_that_names_it(say: Say, tmp_path: Path, case: str) -> None:
    (tmp_path / "wrong").write_text("FROM base:1\nCOPPY a b\n")
    (tmp_path / "scratch").write_text("FROM scratch\nCOPY . .\n")
    (tmp_path / "lost").write_text("FROM scratch\nCOPY absent .\n")
    (tmp_path / "none.json").write_text("{}")
    words, start = FAILURES[case]
    status, out, err = say("build", *words)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"layersim: {start}")


def test_effects_as_toml(say: Say, tmp_path: Path) -> None:
    table = """
["npm ci"]
mkdirs = ["/d"]
removes = ["server.js"]
writes = { "/d/sized" = "1kB", "/d/counted" = 7, "/d/text" = "hello" }
symlinks = { "/l" = "/d" }
modes = { "/d/sized" = 0o750, "/d/text" = "0600" }
owners = { "/d/sized" = [5, 6], "/d/text" = 7 }
seconds = 1.5
seed = 3
"""
    (tmp_path / "effects.toml").write_text(table)
    words = ("build", "app", "--from", "base.tar", "--effects", "effects.toml", "-t", "web:1", "-o", "web.tar")
    assert say(*words)[0] == 0
    view = ls.View(ls.Engine().load("web.tar")[0].layers)
    sized, text = view.stat("/d/sized"), view.stat("/d/text")
    assert (sized.st_size, sized.st_mode & 0o7777, sized.st_uid, sized.st_gid) == (1000, 0o750, 5, 6)
    assert (text.st_mode & 0o7777, text.st_uid, text.st_gid) == (0o600, 7, 7)
    assert (view.read_bytes("/l/text"), view.stat("/d/counted").st_size) == (b"hello", 7)
    assert not view.exists("/app/server.js")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[]", "expected names and values"),
        ('{"x": 1}', "expected names and values"),
        ('{"x": {"write": {}}}', "x: write: expected one of writes, files"),
        ('{"x": {"writes": {"/f": true}}}', "x: writes: expected a whole number, got True"),
        ('{"x": {"files": {"/d": [1]}}}', "x: files: expected two values"),
        ('{"x": {"modes": {"/d": "9"}}}', "x: modes: invalid literal"),
        ('{"x": {"removes": "/d"}}', "x: removes: expected a list of paths"),
        ('{"x": {"removes": [1]}}', "x: removes: expected a text"),
        ('{"x": {"seconds": -1}}', "x: expected a duration"),
        ('{" ": {}}', "there is no word in the pattern"),
        ('{"x": ', "Expecting value"),
        ("[" * 100_000, ""),
    ],
)
def test_a_wrong_table_says_where(say: Say, tmp_path: Path, table: str, told: str) -> None:
    (tmp_path / "wrong.json").write_text(table)
    status, out, err = say("build", "app", "--from", "base.tar", "--effects", "wrong.json")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("layersim: wrong.json: ")
    assert told in err


SUGGEST = ("suggest", "app", "--effects", "effects.json", "--changes", "edits.json")


def test_suggestions_come_with_their_gains(say: Say) -> None:
    status, out, err = say(*SUGGEST, "--from", "base.tar")
    assert (status, err) == (0, "")
    assert out.startswith("manifests first: saves 27 s, to push 12MB less")
    assert "+RUN npm ci" not in out
    assert "+RUN npm ci\n" in say(*SUGGEST, "--base", "base:1=80MB", "--diff")[1]
    assert say(*SUGGEST, "--base", "base:1=80MB", "--best")[1].count("saves") == 1
    (record,) = map(json.loads, say(*SUGGEST, "--base", "base:1=80MB", "--best", "--json")[1].splitlines())
    assert (record["rule"].split(", ")[0], record["saved_seconds"]) == ("manifests first", 27.0)


def test_a_history_is_a_series_of_edits(say: Say, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e")
        subprocess.run(["git", *identity, *words], cwd=tmp_path / "app", check=True, capture_output=True)

    git("init")
    for number in range(4):
        (tmp_path / "app" / "server.js").write_text(f"main({number})")
        git("add", ".")
        git("commit", "-m", f"edit {number}")
    words = ("suggest", "app", "--effects", "effects.json", "--base", "base:1=80MB")
    assert say(*words)[1].startswith("manifests first: saves 27 s")
    assert say(*words, "--changes", "app", "--limit", "2")[1].startswith("manifests first: saves ")


def test_nothing_to_suggest_is_said(say: Say, tmp_path: Path) -> None:
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\nCOPY server.js .\n")
    assert say("suggest", "app", "--changes", "edits.json") == (0, "nothing found that costs less\n", "")


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["app"], "app: expected a directory with a history"),
        (["app", "--changes", "absent"], "absent: No such file"),
        (["app", "--changes", "base.tar"], "base.tar: "),
        (["app", "--changes", "effects.json"], "effects.json: expected a list of edits"),
        (["app", "--changes", "edits.json"], "app: "),
        (["app", "--changes", "edits.json", "--base", "base:1"], "app: "),
    ],
)
def test_a_wrong_question_is_one_line(say: Say, words: list[str], start: str) -> None:
    status, out, err = say("suggest", *words)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"layersim: {start}")


def test_secrets_come_from_files_and_variables(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from a file")
    monkeypatch.setenv("TOKEN", "from a variable")
    needs = " ".join(f"--mount=type=secret,required,id={name}" for name in ("a", "b", "TOKEN"))
    (tmp_path / "app/Dockerfile").write_text(f"FROM base:1\nRUN {needs} npm ci\n")
    build = ("build", "app", "--from", "base.tar", "--effects", "effects.json")
    effects = {"*": {"uses": [f"/run/secrets/{name}" for name in ("a", "b", "TOKEN")]}}
    (tmp_path / "effects.json").write_text(json.dumps(effects))
    words = ("--secret", "id=a,src=secret", "--secret", "id=b,env=TOKEN", "--secret", "id=TOKEN")
    assert say(*build, *words)[0] == 0
    status, _, err = say(*build, *words[:2], *words[4:])
    assert (status, "secret b" in err) == (1, True)
    for wrong in ("id=a,src=none", "id=NO_SUCH", "src"):
        status, _, err = say(*build, "--secret", wrong)
        assert (status, err.count("\n")) == (1, 1)
