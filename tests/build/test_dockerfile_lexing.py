"""How lines become instructions: section 3 of the specification of builds, row by row."""

from __future__ import annotations

import pytest

from layersim import DockerfileError
from layersim.build.dockerfile import (
    BUILDKIT20,
    BUILDKIT29,
    DIALECTS,
    LEGACY20,
    LEGACY29,
    Cmd,
    Command,
    Copy,
    Dialect,
    Dockerfile,
    Env,
    Heredoc,
    Instruction,
    Label,
    Onbuild,
    Run,
    User,
    parse,
)

EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
OLD, NEW = (LEGACY20, BUILDKIT20), (LEGACY29, BUILDKIT29)


def read(text: str | bytes, dialect: Dialect = BUILDKIT29) -> Dockerfile:
    """Read a file whose first line is a plain FROM."""
    return parse(b"FROM scratch\n" + (text if isinstance(text, bytes) else text.encode()), dialect)


def only(text: str | bytes, dialect: Dialect = BUILDKIT29) -> Instruction:
    """Return the one instruction of a text."""
    (instruction,) = read(text, dialect).stages[0].instructions
    return instruction


def command(text: str, dialect: Dialect = BUILDKIT29) -> Command:
    instruction = only(text, dialect)
    assert isinstance(instruction, (Run, Cmd))
    return instruction.command


def pairs(text: str, dialect: Dialect = BUILDKIT29) -> tuple[tuple[str, str], ...]:
    instruction = only(text, dialect)
    assert isinstance(instruction, (Env, Label))
    return instruction.pairs


@EVERY
def test_a_byte_order_mark_carriage_returns_and_case_do_not_matter(dialect: Dialect) -> None:
    odd = parse(b"\xef\xbb\xbf  fRoM scratch As Base\r\n\r\n\tRuN x\r\n", dialect)
    assert odd.stages[0].name == "base"
    assert [type(each) for each in odd.stages[0].instructions] == [Run]
    assert odd.stages[0].instructions[0].text == "RuN x"


@EVERY
def test_text_and_bytes_read_alike(dialect: Dialect) -> None:
    text = "FROM scratch\nLABEL ä=ö\n"
    assert parse(text, dialect) == parse(text.encode(), dialect)


def test_a_byte_that_is_no_text_becomes_a_mark_of_its_own() -> None:
    assert only(b"USER \xff\xe2\x82") == only("USER \ufffd\ufffd\ufffd")


@EVERY
def test_directives_come_first(dialect: Dialect) -> None:
    found = parse("# syntax=a/b:1\n#escape = `\nFROM scratch\nRUN a `\n b\n", dialect)
    assert found.directives == {"syntax": "a/b:1", "escape": "`"}
    assert found.escape == "`"
    assert found.stages[0].instructions[0].text == "RUN a  b"


@EVERY
@pytest.mark.parametrize("before", ["\n", "# a comment\n", "# unknown=1\n", "FROM scratch\n"])
def test_anything_else_ends_the_directives(dialect: Dialect, before: str) -> None:
    found = parse(f"{before}# escape=`\nFROM scratch\n", dialect)
    assert found.escape == "\\"
    assert found.directives == {}


def test_the_check_directive_came_later() -> None:
    text = "# check=skip=all\n# escape=`\nFROM scratch"
    assert [parse(text, dialect).escape for dialect in (*OLD, *NEW)] == ["\\", "\\", "`", "`"]


@EVERY
def test_a_directive_is_given_once(dialect: Dialect) -> None:
    with pytest.raises(DockerfileError, match="only one escape parser directive can be used"):
        parse("# escape=`\n# ESCAPE=`\nFROM scratch", dialect)


@EVERY
def test_the_escape_is_one_of_two(dialect: Dialect) -> None:
    with pytest.raises(DockerfileError, match=r"invalid escape token 'x' does not match ` or \\"):
        parse("# escape=x\nFROM scratch", dialect)


@EVERY
def test_a_hash_inside_a_line_is_text(dialect: Dialect) -> None:
    assert command("RUN echo # x", dialect).words == ("echo # x",)


@EVERY
def test_lines_are_joined_without_a_separator(dialect: Dialect) -> None:
    text = "RUN echo a \\\n  # comment\n\n  b \\\n && echo c\n"
    found = read(text, dialect)
    (run,) = found.stages[0].instructions
    assert run.text == "RUN echo a   b  && echo c"
    assert (run.line, run.end_line) == (2, 6)
    assert [warning.message for warning in found.warnings] == [f"Empty continuation line found in: {run.text}"]


@EVERY
@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("RUN a \\ \t\n b", "RUN a  b"),
        ("RUN a \\", "RUN a "),
        ("\\\n \\\nRUN a", "RUN a"),
        ("RUN a\\\\\nUSER b", "RUN a\\\\"),
        ("RUN a\\\n#c\n\\\n b", "RUN a b"),
    ],
)
def test_an_escape_at_the_end_continues_a_line_unless_it_is_escaped(dialect: Dialect, text: str, joined: str) -> None:
    assert read(text, dialect).stages[0].instructions[0].text == joined


@EVERY
def test_flags_come_right_after_the_instruction(dialect: Dialect) -> None:
    copy = only("COPY --from=a --chown='1:2' b --chmod=7 c", dialect)
    assert isinstance(copy, Copy)
    assert (copy.source_stage, copy.chown, copy.chmod) == ("a", "1:2", None)
    assert (copy.sources, copy.dest) == (("b", "--chmod=7"), "c")


def test_flags_are_cut_into_bytes() -> None:
    copy = only("COPY --chown=\u00e9 a b")
    assert isinstance(copy, Copy)
    assert copy.chown == "\u00c3\u00a9"


@EVERY
@pytest.mark.parametrize(
    ("text", "words", "is_shell"),
    [
        ('["a", "b c"]', ("a", "b c"), False),
        ("[]", (), False),
        ("['a']", ("['a']",), True),
        ('["a",]', ('["a",]',), True),
        ("[NaN]", ("[NaN]",), True),
        ("[1e999]", ("[1e999]",), True),
        ('["\\ud800\\u00e9"]', ("\ufffd\u00e9",), False),
        ("echo 'a b'", ("echo 'a b'",), True),
        ("", (), True),
    ],
)
def test_commands_have_two_forms(dialect: Dialect, text: str, words: tuple[str, ...], *, is_shell: bool) -> None:
    assert command(f"CMD {text}", dialect) == Command(words, is_shell=is_shell)


def test_20_does_not_look_behind_an_array() -> None:
    found = [command('CMD ["a"] x', dialect) for dialect in (*OLD, *NEW)]
    assert found == [Command(("a",), is_shell=False)] * 2 + [Command(('["a"] x',), is_shell=True)] * 2


@EVERY
@pytest.mark.parametrize("odd", ["1", "null", '["a"]', "{}", '"a", true'])
def test_arrays_hold_strings(dialect: Dialect, odd: str) -> None:
    with pytest.raises(DockerfileError, match="when using JSON array syntax, arrays must be comprised of strings only"):
        read(f"CMD [{odd}]", dialect)


@EVERY
@pytest.mark.parametrize("keyword", ["ENV", "LABEL"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('k=v k2="v 2" k3=a\\ b', (("k", "v"), ("k2", '"v 2"'), ("k3", "a\\ b"))),
        ('A b  c=d "q"', (("A", 'b  c=d "q"'),)),
        ("A\tb", (("A", "b"),)),
        ('""=b', (('""', "b"),)),
        ("a= b=", (("a", ""), ("b", ""))),
        ("a='x \\' b=\"y", (("a", "'x \\'"), ("b", '"y'))),
        ("a=b\\", (("a", "b"),)),
    ],
)
def test_names_with_values(dialect: Dialect, keyword: str, text: str, expected: tuple[tuple[str, str], ...]) -> None:
    closing = "\\" if text.endswith("\\") else ""
    assert pairs(f"{keyword} {text}{closing}", dialect)[: len(expected)] == (
        expected if not closing else (("a", "b\\\\"),)
    )


@pytest.mark.parametrize("dialect", OLD, ids=lambda dialect: str(dialect.name))
def test_20_knows_no_heredocs(dialect: Dialect) -> None:
    with pytest.raises(DockerfileError, match="dockerfile parse error line 3: unknown instruction: HELLO"):
        read("RUN cat <<EOF\nhello\nEOF\n", dialect)


@pytest.mark.parametrize("dialect", NEW, ids=lambda dialect: str(dialect.name))
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN <<EOF\nhi $A\nEOF", [Heredoc("EOF", "hi $A\n")]),
        ("RUN <<-EOF\n\thi\n\tEOF", [Heredoc("EOF", "\thi\n", strips_tabs=True)]),
        ('RUN <<"EOF"\nEOF', [Heredoc("EOF", expands=False)]),
        ("RUN 3<<E'O'F\n# x\n\nEOF", [Heredoc("EOF", "# x\n\n", expands=False, descriptor=3)]),
        ("RUN cat <<A <<B\n1\nA\n2\nB", [Heredoc("A", "1\n"), Heredoc("B", "2\n")]),
        ("RUN cat '<<A'", []),
        ("RUN cat <<<A", []),
        ('RUN ["cat", "<<A"]', []),
        ("ENV A=<<A", []),
    ],
)
def test_29_reads_heredocs(dialect: Dialect, text: str, expected: list[Heredoc]) -> None:
    assert list(only(text, dialect).heredocs) == expected


def test_the_body_of_a_heredoc_keeps_its_line_ends() -> None:
    (doc,) = only(b"RUN <<A\r\na\r\nA\r\n").heredocs
    assert doc.content == "a\r\n"


def test_a_copied_heredoc_is_a_source_of_its_own() -> None:
    copy = only("COPY a <<-b c /d/\n\t\tx\n\t$y\nb\n")
    assert isinstance(copy, Copy)
    assert (copy.sources, copy.dest) == (("a", "c"), "/d/")
    assert [(doc.name, doc.body, doc.expands) for doc in copy.contents] == [("b", "x\n$y\n", True)]
    assert (copy.line, copy.end_line) == (2, 5)


@EVERY
def test_onbuild_keeps_its_instruction_as_it_was_written(dialect: Dialect) -> None:
    onbuild = only("onbuild   run   x  \n", dialect)
    assert isinstance(onbuild, Onbuild)
    assert onbuild.trigger == "run   x  "


def test_onbuild_takes_heredocs_along() -> None:
    onbuild = only("ONBUILD RUN <<EOF\nhi\nEOF")
    assert isinstance(onbuild, Onbuild)
    assert onbuild.trigger == "RUN <<EOF\nhi\nEOF"


@EVERY
def test_blanks_are_those_of_go(dialect: Dialect) -> None:
    assert pairs("LABEL a=\x1cb\u00a0c=\u3000d=1", dialect) == (("a", "\x1cb"), ("c", ""), ("d", "1"))
    user = only("USER a\u2003b\u2003", dialect)
    assert isinstance(user, User)
    assert user.user == "a\u2003b"


@EVERY
def test_stages_may_share_a_name(dialect: Dialect) -> None:
    found = parse("ARG V=1\nARG W\nFROM a AS x\nUSER 1\nFROM --platform=$P X aS x\nUSER 2", dialect)
    assert [(stage.base, stage.name, stage.platform) for stage in found.stages] == [("a", "x", None), ("X", "x", "$P")]
    assert [arg.pairs for arg in found.globals] == [(("V", "1"),), (("W", None),)]
    assert [len(stage.instructions) for stage in found.stages] == [1, 1]
