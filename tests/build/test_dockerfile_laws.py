"""Laws of the language: reading never fails in another way than its own, and what is printed reads as the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layersim import DockerfileError
from layersim.build.dockerfile import BUILDKIT29, DIALECTS, Dialect, Dockerfile, expand, expand_words, parse
from layersim.build.dockerfile.blanks import SPACES

dialects = st.sampled_from(DIALECTS)
PIECES = (
    *"ab\\`'\"$ \t\n\r#=[]{}:/-<>,",
    *("\\\n", "`\r\n", "<<E", "<<-'E'\n", "E\n", "\n\n", "${a", ":-", "//", "\u00e9", "\u2003", "\ufeff", "\x1c", "\0"),
    *(
        "FROM a\n",
        "RUN ",
        "COPY ",
        "--from=",
        "ENV ",
        "LABEL k=",
        "ONBUILD ",
        "ARG ",
        "CMD [",
        '"a"',
        "HEALTHCHECK CMD ",
    ),
    *("# escape=`\n", "# syntax=", "EXPOSE 80", "SHELL ", "VOLUME ", "USER ", "ADD a b", "as b", "STOPSIGNAL 9"),
)
odd_text = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
words = st.text(st.sampled_from("abz09./_-$'\"\\`{}:é \t"), min_size=1, max_size=12)
names = st.text(st.sampled_from("abcXYZ_"), min_size=1, max_size=6)


def read(text: str | bytes, dialect: Dialect) -> Dockerfile | None:
    try:
        return parse(text, dialect)
    except DockerfileError:
        return None


@given(st.binary(max_size=200), dialects)
def test_bytes_are_read_or_refused(data: bytes, dialect: Dialect) -> None:
    read(data, dialect)
    read(b"FROM a\n" + data, dialect)


@given(odd_text, dialects)
@example("FROM a\nRUN x\r\\", BUILDKIT29)
@example("FROM a\nRUN x\\ \\", BUILDKIT29)
@example("FROM a\n\\\n  RUN x", BUILDKIT29)
@example("FROM a\nRUN \\\\", BUILDKIT29)
@settings(max_examples=400)
def test_what_is_printed_reads_as_the_same(text: str, dialect: Dialect) -> None:
    for whole in (text, f"FROM a\n{text}"):
        found = read(whole, dialect)
        if found is not None:
            again = parse(str(found), dialect)
            assert again == found
            assert (again != found) is False
            assert str(again) == str(found)


@st.composite
def instructions(draw: st.DrawFn) -> str:
    """Draw an instruction that is right in form, with odd words."""
    word = draw(words)
    name, other = draw(names), draw(names)
    kind = draw(st.sampled_from(FORMS))
    return kind.format(word=word.replace("\n", ""), name=name, other=other)


FORMS = (
    "RUN {word}",
    'RUN ["{name}", "{other}"]',
    "RUN cat <<{name}\n{word}\n{name}",
    "ENV {name}={word} {other}=x",
    "ENV {name} {word}",
    "LABEL {name}={word}",
    "COPY --from={other} --chown={name} {word} /{name}",
    "COPY <<{name} /{other}\n{word}\n{name}",
    "ADD {word} /{other}",
    "ARG {name}={word}",
    "ONBUILD RUN {word}",
    "ONBUILD COPY <<-{name} /\n\t{word}\n\t{name}",
    "WORKDIR {word}x",
    "USER x{word}",
    "VOLUME /{name} {word}",
    "EXPOSE 80 {name}",
    "CMD {word}",
    "HEALTHCHECK --interval=5s CMD x{word}",
    'SHELL [ "{name}" ]',
    "STOPSIGNAL {name}",
    "FROM {name} AS {other}x",
)


@given(st.lists(instructions(), max_size=12), dialects, st.sampled_from(["", "# escape=`\n"]))
@settings(max_examples=300)
def test_instructions_survive_printing(lines: list[str], dialect: Dialect, top: str) -> None:
    found = read("\n".join([f"{top}FROM a", *lines]), dialect)
    if found is not None:
        again = parse(str(found).encode(), dialect)
        assert again == found
        assert [stage.instructions for stage in again.stages] == [stage.instructions for stage in found.stages]
        assert hash(again) == hash(found)


def test_a_difference_is_seen() -> None:
    one, other = parse("FROM a\nRUN x"), parse("FROM a\nRUN y")
    assert one != other
    assert one == parse("\n# c\nFROM a\n\nRUN \\\n x".replace("\\\n ", ""))
    assert one.stages[0].instructions[0] != "RUN x"


@given(odd_text, dialects, st.dictionaries(names, words, max_size=3))
@settings(max_examples=300)
def test_words_are_expanded_or_refused(word: str, dialect: Dialect, variables: dict[str, str]) -> None:
    for escape in "\\`":
        try:
            whole = expand(word, variables, dialect, escape)
            parts = expand_words(word, variables, dialect, escape)
        except DockerfileError:
            continue
        assert all(parts)
        if not set(word) & set(f"'\"{escape}"):
            assert parts == [part for part in re.split(f"[{SPACES}]", whole) if part]


@given(st.text(st.sampled_from("ab\n"), max_size=12), st.text(st.sampled_from("ab*?"), max_size=5))
def test_prefixes_are_what_trying_all_of_them_finds(value: str, pattern: str) -> None:
    ends = [end for end in range(len(value) + 1) if matches(value[:end], pattern)]
    shortest, longest = (value[ends[0] :], value[ends[-1] :]) if ends else (value, value)
    variables = {"v": value}
    assert expand(f"${{v#{pattern}}}", variables) == shortest or pattern.startswith("#")
    assert expand(f"${{v##{pattern}}}", variables) == longest
    mirrored = pattern[::-1]
    assert expand(f"${{v%%{mirrored}}}", {"v": value[::-1]}) == longest[::-1]


def matches(value: str, pattern: str) -> bool:
    """Match a whole value by trying everything."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return matches(value, pattern[1:]) or (value[:1] not in ("", "\n") and matches(value[1:], pattern))
    wanted = value[:1] not in ("", "\n") if pattern[0] == "?" else value[:1] == pattern[0]
    return wanted and matches(value[1:], pattern[1:])


HUGE = {
    "continued": "FROM a\nRUN x\\\n" + "y \\\n" * 60_000,
    "blank": "FROM a\nRUN x\\\n" + " \\\n\n" * 60_000,
    "dollars": f"FROM a\nLABEL a={'${' * 30_000}",
    "quotes": "FROM a\nLABEL " + "a=' " * 16_000,
    "brackets": f"FROM a\nRUN {'[' * 60_000}",
    "escapes": f"FROM a\nRUN {chr(92) * 60_000}x",
    "triggers": "FROM a\n" + "ONBUILD " * 8_000,
    "heredocs": "FROM a\nRUN " + "<<A " * 16_000 + "\n" + "A\n" * 16_000,
    "never ending": "FROM a\n" + "RUN <<A\n" * 20_000,
    "flags": "FROM a\nCOPY " + "--a='b " * 9_000,
    "blanks": "FROM a\n" + f"RUN x\\{' ' * 60_000}y\n" * 16,
    "lines": "FROM a\n" + "USER x\n" * 20_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_megabyte_of_one_thing_does_not_take_for_ever(name: str) -> None:
    for dialect in DIALECTS:
        read(HUGE[name], dialect)


def test_long_words_do_not_take_for_ever() -> None:
    variables = {"a": "x" * 50_000}
    for word in (
        "$a" * 20,
        "'" * 100_000,
        "\\" * 100_000,
        "$b" * 100_000,
        "${a//*x*x*x*y/}",
        "${a%%" + "*?" * 1_000 + "}",
    ):
        expand_words(word, variables)
    for word in ("${a:-" * 100_000, "${" * 100_000, '"' * 99_999):
        with pytest.raises(DockerfileError):
            expand(word, variables)
