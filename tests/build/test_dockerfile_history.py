"""The texts of histories: section 2 of the specification of builds, every row to the character."""

from __future__ import annotations

import msgspec
import pytest

from layersim.build.dockerfile import (
    BUILDKIT20,
    BUILDKIT29,
    DEFAULT_SHELL,
    DIALECTS,
    LEGACY20,
    LEGACY29,
    Cmd,
    CreatedBy,
    Dialect,
    Entrypoint,
    Healthcheck,
    Instruction,
    Run,
    command_words,
    copy_flags,
    entrypoint_words,
    parse,
    read_ports,
    run_words,
)

NOP = "/bin/sh -c #(nop) "


def four(write: object, *values: object, **named: object) -> list[str | None]:
    """Return what each builder writes."""
    return [getattr(CreatedBy(dialect), str(write))(*values, **named) for dialect in DIALECTS]


def alike(text: str) -> list[str]:
    """Return what all builders write where only the legacy one puts its shell before."""
    return [f"{NOP} {text}", text] * 2


def only(text: str, dialect: Dialect) -> Instruction:
    return parse(f"FROM a\n{text}", dialect).stages[0].instructions[0]


def test_labels_and_variables() -> None:
    assert four("label", [("a", "1"), ("b", "two words")]) == alike("LABEL a=1 b=two words")
    assert four("env", [("K1", "v1"), ("K2", "v 2")]) == alike("ENV K1=v1 K2=v 2")
    assert four("env", [("OLD", "old style")]) == alike("ENV OLD=old style")
    assert four("arg", [("FOO", "bar")]) == alike("ARG FOO=bar")
    assert four("arg", [("NOVAL", None)]) == alike("ARG NOVAL")
    assert four("arg", [("a", "1"), ("b", None)]) == alike("ARG a=1 b")


def test_single_words() -> None:
    assert four("maintainer", "Me <me@x>") == alike("MAINTAINER Me <me@x>")
    assert four("user", "5:6") == alike("USER 5:6")
    assert four("stop_signal", "9") == alike("STOPSIGNAL 9")
    assert four("volume", ["/v1", "/v2"]) == alike("VOLUME [/v1 /v2]")


def test_a_directory_has_one_blank_less() -> None:
    assert four("workdir", "/w/sub") == [f"{NOP}WORKDIR /w/sub", "WORKDIR /w/sub"] * 2


def test_a_shell_speaks_through_itself() -> None:
    new = ("/bin/sh", "-ec")
    said = [CreatedBy(dialect, new).shell(new) for dialect in DIALECTS]
    assert said == ["/bin/sh -ec #(nop)  SHELL [/bin/sh -ec]", "SHELL [/bin/sh -ec]"] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('CMD ["a","b"]', 'CMD ["a" "b"]'),
        ("CMD echo c", 'CMD ["/bin/sh" "-c" "echo c"]'),
        ("CMD []", "CMD []"),
        ('CMD ["\\"\\t\\u00e9\\u0001\\u2028"]', r'CMD ["\"\té\x01\u2028"]'),
    ],
)
def test_commands_are_quoted_as_go_does(text: str, expected: str) -> None:
    said = []
    for dialect in DIALECTS:
        made = only(text, dialect)
        assert isinstance(made, Cmd)
        said.append(CreatedBy(dialect).cmd(command_words(made.command, dialect)))
    assert said == alike(expected)


def test_commands_without_words() -> None:
    commands, entries = [], []
    for dialect in DIALECTS:
        cmd, entry = only("CMD", dialect), only("ENTRYPOINT", dialect)
        assert isinstance(cmd, Cmd)
        assert isinstance(entry, Entrypoint)
        commands.append(CreatedBy(dialect).cmd(command_words(cmd.command, dialect)))
        entries.append(CreatedBy(dialect).entrypoint(entrypoint_words(entry.command, dialect)))
    assert commands == [f'{NOP} CMD ["/bin/sh" "-c"]', 'CMD ["/bin/sh" "-c" ""]'] * 2
    assert entries == [f"{NOP} ENTRYPOINT []", 'ENTRYPOINT ["/bin/sh" "-c" ""]'] * 2


def test_entry_points() -> None:
    assert four("entrypoint", ("a", "b")) == alike('ENTRYPOINT ["a" "b"]')


def test_ports() -> None:
    words = ["443/tcp", "80"]
    said = [CreatedBy(dialect).expose(words, read_ports(words, dialect)) for dialect in DIALECTS]
    legacy = f"{NOP} EXPOSE 443/tcp 80"
    assert said == [legacy, "EXPOSE map[443/tcp:{} 80/tcp:{}]", legacy, "EXPOSE [443/tcp 80/tcp]"]


def test_runs() -> None:
    words = (*DEFAULT_SHELL, "echo $FOO > /out")
    assert four("run", words) == ["/bin/sh -c echo $FOO > /out", "RUN /bin/sh -c echo $FOO > /out # buildkit"] * 2
    assert CreatedBy(LEGACY20).run(words, [("FOO", "bar")]) == "|1 FOO=bar /bin/sh -c echo $FOO > /out"
    assert CreatedBy(LEGACY20).run(words, []) == "|0 /bin/sh -c echo $FOO > /out"
    listed = CreatedBy(BUILDKIT20).run(words, [("FOO", "bar"), ("NOVAL", None)])
    assert listed == "RUN |2 FOO=bar NOVAL= /bin/sh -c echo $FOO > /out # buildkit"
    assert CreatedBy(BUILDKIT20).run(words, []) == "RUN /bin/sh -c echo $FOO > /out # buildkit"
    assert four("run", ("/bin/touch", "/x")) == ["/bin/touch /x", "RUN /bin/touch /x # buildkit"] * 2


@pytest.mark.parametrize(
    ("text", "legacy", "buildkit"),
    [
        ("RUN <<EOF\necho a>/a\necho b>/b\nEOF", "<<EOF", "echo a>/a\necho b>/b\n"),
        ("RUN <<-EOF\n\techo hi\n\tEOF", "<<-EOF", "echo hi\n"),
        ("RUN <<EOF\n#!/bin/sh\necho hi\nEOF", "<<EOF", "/dev/pipes/EOF"),
        ("RUN cat <<EOF > /o\nhi $X\nEOF", "cat <<EOF > /o", "cat <<EOF > /o\nhi $X\nEOF"),
        ("RUN plain", "plain", "plain"),
    ],
)
def test_runs_with_heredocs(text: str, legacy: str, buildkit: str) -> None:
    old, new = only(text, LEGACY29), only(text, BUILDKIT29)
    assert isinstance(old, Run)
    assert isinstance(new, Run)
    assert CreatedBy(LEGACY29).run(run_words(old, LEGACY29)) == f"/bin/sh -c {legacy}"
    assert CreatedBy(BUILDKIT29).run(run_words(new, BUILDKIT29)) == f"RUN /bin/sh -c {buildkit} # buildkit"


@pytest.mark.parametrize(
    ("keyword", "sources", "dest", "digest"),
    [("COPY", ["f1", "f2"], "/c/", "multi:0"), ("COPY", ["dir"], "/d", "dir:0"), ("ADD", ["f"], "/a2", "file:0")],
)
def test_copies(keyword: str, sources: list[str], dest: str, digest: str) -> None:
    legacy, buildkit = f"{NOP}{keyword} {digest} in {dest} ", f"{keyword} {' '.join(sources)} {dest} # buildkit"
    assert four("copy", keyword, sources, dest, digest=digest) == [legacy, buildkit] * 2


def test_flags_of_copies() -> None:
    said = four("copy", "COPY", ["dir"], "/d", flags=copy_flags(chown="1:2"), digest="dir:0")
    assert said == [
        f"{NOP}COPY --chown=1:2dir:0 in /d ",
        "COPY dir /d # buildkit",
        f"{NOP}COPY --chown=1:2 dir:0 in /d ",
        "COPY --chown=1:2 dir /d # buildkit",
    ]
    assert copy_flags(chown="1", chmod="7", parents=True) == ("--parents", "--chown=1", "--chmod=7")
    assert copy_flags() == ()


def test_a_copied_heredoc_is_shown_by_its_name() -> None:
    assert CreatedBy(BUILDKIT29).copy("COPY", ["<<EOF"], "/d/x") == "COPY <<EOF /d/x # buildkit"


def checked(text: str, dialect: Dialect) -> str:
    made = only(text, dialect)
    assert isinstance(made, Healthcheck)
    return CreatedBy(dialect).healthcheck(made)


def test_health_checks() -> None:
    old = """HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" '\\x00'}"""
    new = "{Test:[CMD-SHELL true] Interval:5s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}"
    said = [checked("HEALTHCHECK --interval=5s CMD true", dialect) for dialect in DIALECTS]
    assert said == [f"{NOP} {old}", old, f"{NOP} HEALTHCHECK &{new}", f"HEALTHCHECK {new}"]
    assert checked("HEALTHCHECK NONE", BUILDKIT20) == """HEALTHCHECK &{["NONE"] "0s" "0s" "0s" '\\x00'}"""
    text = 'HEALTHCHECK --interval=1h2.5s --retries=3 CMD ["x"]'
    assert checked(text, BUILDKIT20) == """HEALTHCHECK &{["CMD" "x"] "1h0m2.5s" "0s" "0s" '\\x03'}"""


def test_health_checks_of_28() -> None:
    text = "HEALTHCHECK --retries=70000 --start-interval=5s CMD x"
    legacy = msgspec.structs.replace(LEGACY29, health_text="plain_start")
    buildkit = msgspec.structs.replace(BUILDKIT29, health_text="quoted_start")
    assert checked(text, legacy) == f"{NOP} HEALTHCHECK &{{[CMD-SHELL x] 0s 0s 0s 5s 70000}}"
    assert checked(text, buildkit) == """HEALTHCHECK &{["CMD-SHELL" "x"] "0s" "0s" "0s" "5s" '\U00011170'}"""


def test_only_the_legacy_builder_writes_triggers_down() -> None:
    assert four("onbuild", "RUN x") == [f"{NOP} ONBUILD RUN x", None] * 2
