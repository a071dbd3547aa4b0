"""Odd Dockerfiles, read by the builders of the real engines and by us: the same values, the same complaints."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from layersim import DockerfileError
from layersim.build.dockerfile import (
    BUILDKIT20,
    BUILDKIT29,
    LEGACY20,
    LEGACY29,
    Dialect,
    Env,
    Expose,
    Label,
    StopSignal,
    check_signal,
    expand,
    expand_words,
    parse,
    read_ports,
)
from tests.build.test_dockerfile_errors import FLAGS, UNREADABLE, WRONG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

VARIABLES = {"A": "a", "E": "", "two": "x y", "P": "foo/bar/baz.tar.gz", "Q": "'$A\"", "G": "a*b?c"}
TOP = "FROM scratch\n" + "".join(
    f"ENV {name} {chr(39)}{v}{chr(39)}\n" for name, v in VARIABLES.items() if v and name != "Q"
)
TOP += "ENV E=\n" + "ENV Q=\\'\\$A\\\"\n"
PIECES = (
    *(
        "a",
        "b",
        "/",
        ".",
        "*",
        "?",
        "-",
        "+",
        "#",
        "%",
        ":",
        "=",
        "}",
        "{",
        "\u00e9",
        "\u2003",
        "\\",
        "\\\\",
        "'",
        '"',
        " ",
    ),
    *(
        "$A",
        "${A}",
        "$E",
        "$two",
        "${two}",
        "$NO",
        "$",
        "\\$A",
        "\\ ",
        "'x y'",
        '"x y"',
        '"$two"',
        "'$A'",
        "$1",
        "$$",
        "`",
    ),
    *(
        "${NO:-w}",
        "${A:+w}",
        "${E:-$A}",
        "${A:?m}",
        "${E:?m}",
        "${NO:-'x y'}",
        '"${NO:-"b"}"',
        "${NO:-${A}}",
        "${A:!b}",
    ),
    *("${P#*/}", "${P##*/}", "${P%.*}", "${P%%.*}", "${P/bar/X}", "${P//a/Z}", "${A-w}", "${NO+w}", "${A?m}", "${NO?}"),
    *(
        "${G#a\\*}",
        "${G//\\?/$A}",
        "${P/*/\\$0}",
        "${P//?/\\$0\\$0}",
        "${A",
        "${",
        "${P#$A}",
        "${G%'?c'}",
        '"${P%"',
        "\ufeff",
    ),
)
CASES = 150
MORE = (
    "CMD 'x",
    'CMD ["a"] x',
    "HEALTHCHECK --retries=0 CMD x",
    "EXPOSE 80-82/udp 1 $A$NO",
    "EXPOSE 70000",
    "EXPOSE 80/foo",
    "EXPOSE $two",
    "STOPSIGNAL FOO",
    "STOPSIGNAL 0",
    "STOPSIGNAL $A",
    "STOPSIGNAL RTMIN+1",
    'LABEL $two=b "$A"=1',
    "\ufeffFROM scratch",
    "LABEL a=1 \\",
    "LABEL a=x\\\\\nLABEL b=1",
    "LABEL a=b\\\n#c\n\\\n c=d",
)

OLDEST, NEW_WORDS_FROM = 20, 28
"""Between them, engines name a flag without its dashes, know some fewer to ask for, and BuildKit says of ports what
the legacy builder does."""

FLAG_WORDS = re.compile(r"--| \(did you mean .*\)")
PARTS = 3
BUILDERS = pytest.mark.parametrize("builder", ["legacy", "buildkit"])
EACH_PART = pytest.mark.parametrize("part", range(PARTS))


def dialect_of(builder: str, *, is_old: bool) -> Dialect:
    old, new = (LEGACY20, LEGACY29) if builder == "legacy" else (BUILDKIT20, BUILDKIT29)
    return old if is_old else new


def values(text: str, dialect: Dialect, ports_of: Dialect | None = None) -> dict[str, object]:
    """Return what a Dockerfile of one stage puts into the config, as far as the language alone decides it."""
    variables = dict(VARIABLES)
    labels: dict[str, str] = {}
    ports: list[str] = []
    for made in parse(text, dialect).stages[0].instructions:
        if isinstance(made, (Label, Env)):
            found = {expand(k, variables, dialect): expand(v, variables, dialect) for k, v in made.pairs}
            (labels if isinstance(made, Label) else variables).update(found)
        if isinstance(made, Expose):
            words = [word for each in made.ports for word in expand_words(each, variables, dialect)]
            ports += read_ports(words, ports_of or dialect)
        if isinstance(made, StopSignal):
            check_signal(expand(made.signal, variables, dialect), dialect)
    return {"Labels": labels, "Env": variables, "ExposedPorts": set(ports)}


def predicted(text: str, dialect: Dialect, ports_of: Dialect | None = None) -> str:
    """Return what the builder will say, or nothing if it will be content."""
    try:
        values(text, dialect, ports_of)
    except DockerfileError as error:
        return str(error)
    return ""


def build(daemon: Daemon, text: str, folder: Path, builder: str) -> str:
    """Build; return the last line of what it said if it failed, or nothing."""
    (folder / "Dockerfile").write_bytes(text.encode())
    done = daemon.run("build", "--quiet", "--tag=odd:1", str(folder), DOCKER_BUILDKIT=str(int(builder == "buildkit")))
    return done.stderr.decode().strip().splitlines()[-1] if done.returncode else ""


def built(daemon: Daemon) -> dict[str, object]:
    config = daemon.inspect("odd:1")["Config"]
    pairs = (each.partition("=") for each in config["Env"] or [])
    variables = {name: value for name, _, value in pairs if name != "PATH"}
    ports = set(config.get("ExposedPorts") or {})
    return {"Labels": config["Labels"] or {}, "Env": variables, "ExposedPorts": ports}


def drawn(rng: random.Random) -> str:
    """Draw the rest of a line after the name of a label."""
    return "".join(rng.choices(PIECES, k=rng.randrange(1, 7))).strip().removesuffix("\\")


def compare_values(daemon: Daemon, folder: Path, builder: str, dialect: Dialect) -> None:
    """Compare many lines that are right in one build, and some that are wrong each in a build of its own."""
    rng = random.Random(f"{dialect.name}")
    lines = [f"{rng.choice(('LABEL', 'ENV'))} k{number}={drawn(rng)}" for number in range(CASES)]
    said = {line: predicted(f"{TOP}{line}\n", dialect) for line in lines}
    right = TOP + "".join(f"{line}\n" for line in lines if not said[line])
    wrong = [line for line in lines if said[line]]
    assert len(lines) - len(wrong) > CASES // 5
    assert build(daemon, right, folder, builder) == ""
    assert built(daemon) == values(right, dialect)
    for line in wrong[:12]:
        assert build(daemon, f"{TOP}{line}\n", folder, builder).endswith(said[line]), line


def compare_words(daemon: Daemon, folder: Path, builder: str, dialect: Dialect, part: int) -> None:
    """Compare what is said of each Dockerfile, and what comes of those that are right."""
    is_between = OLDEST < daemon.major() < NEW_WORDS_FROM
    for line in (*UNREADABLE, *WRONG, *FLAGS, *MORE)[part::PARTS]:
        text = f"{TOP}{line}\n"
        expected = predicted(text, dialect, LEGACY29 if is_between else None)
        said = build(daemon, text, folder, builder)
        assert bool(said) == bool(expected), (line[:80], said, expected)
        if line in FLAGS and is_between:
            said, expected = FLAG_WORDS.sub("", said), FLAG_WORDS.sub("", expected)
        assert said.endswith(expected), (line[:80], said)
        if not said:
            assert built(daemon) == values(text, dialect), line


@BUILDERS
def test_the_words_of_20_have_the_values_that_we_give_them(quick_daemon: Daemon, tmp_path: Path, builder: str) -> None:
    compare_values(quick_daemon, tmp_path, builder, dialect_of(builder, is_old=True))


@EACH_PART
@BUILDERS
def test_20_says_of_a_dockerfile_what_we_say(quick_daemon: Daemon, tmp_path: Path, builder: str, part: int) -> None:
    compare_words(quick_daemon, tmp_path, builder, dialect_of(builder, is_old=True), part)


@BUILDERS
def test_the_words_of_29_have_the_values_that_we_give_them(graph_daemon: Daemon, tmp_path: Path, builder: str) -> None:
    compare_values(graph_daemon, tmp_path, builder, dialect_of(builder, is_old=False))


@EACH_PART
@BUILDERS
def test_29_says_of_a_dockerfile_what_we_say(graph_daemon: Daemon, tmp_path: Path, builder: str, part: int) -> None:
    compare_words(graph_daemon, tmp_path, builder, dialect_of(builder, is_old=False), part)
