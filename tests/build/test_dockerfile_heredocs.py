"""Texts below an instruction: which words announce them, what becomes of them, and programs among them.

Measured on 28.5.2, with inputs like those of the parser tests of moby/buildkit.
"""

from __future__ import annotations

import pytest

import layersim as ls
from layersim import DockerfileError
from layersim.build.dockerfile import BUILDKIT29, LEGACY29, Copy, Heredoc, Run, expand_text, parse, run_scripts
from layersim.build.dockerfile.heredocs import announced
from tests.build.building import Bench

ANNOUNCED = {
    "RUN <<  EOF": ["EOF"],
    "RUN <<\tEOF > foo": ["EOF"],
    "RUN 3<< EOF": ["EOF"],
    "RUN << -EOF": ["-EOF"],
    "RUN << 'two words'": ["two words"],
    "COPY << A << B /d": ["A", "B"],
    "RUN <<--EOF": ["-EOF"],
    "RUN echo $((1 << 3))": ["3))"],
    "RUN << - EOF": ["-"],
    "RUN <<- EOF": [],
    "RUN <<-\tEOF": [],
    "RUN <<-": [],
    "RUN <<<  EOF": [],
    "RUN x<< EOF": [],
    "RUN << << EOF": [],
    "RUN << EOF<< EOG": [],
    'RUN "$(<< EOF)"': [],
    "RUN ${x:-<< EOF}": [],
}
BODIES = {
    '"$a"': '"A"',
    "'$a'": "'A'",
    "it's $a's": "it's A's",
    r"\"q\" \' \\ \$a \a": '"q" \' \\ $a a',
    '${z:-"d"}': '"d"',
    "${n:-'} $ $$": "' $ ",
}


@pytest.mark.parametrize("line", ANNOUNCED)
def test_blanks_may_stand_between_the_sign_and_the_word(line: str) -> None:
    assert [doc.name for doc in announced(line)] == ANNOUNCED[line]


@pytest.mark.parametrize("dialect", [BUILDKIT29, LEGACY29], ids=lambda dialect: str(dialect.name))
def test_a_word_after_blanks_takes_its_body_along(dialect: ls.build.dockerfile.Dialect) -> None:
    (run,) = parse("FROM scratch\nRUN <<  EOF\nnosuch x\nEOF\n", dialect).stages[0].instructions
    assert isinstance(run, Run)
    assert run.heredocs == (Heredoc("EOF", "nosuch x\n"),)


def test_a_sign_without_a_word_wants_no_body() -> None:
    with pytest.raises(DockerfileError, match="unknown instruction: EOF"):
        parse("FROM scratch\nRUN <<- EOF\nEOF\n")


@pytest.mark.parametrize("text", BODIES)
def test_quotes_in_a_body_are_characters(text: str) -> None:
    assert expand_text(text, {"a": "A", "n": ""}) == BODIES[text]


def test_a_backslash_escapes_in_the_body_whatever_the_file_says() -> None:
    bench = Bench("buildkit", "overlay2")
    build = bench.build('# escape=`\nFROM base:1\nENV a=A\nCOPY <<EOF /x\n`$a \\$a "$a`"\nEOF\n')
    assert ls.View(build.layers).read_bytes("/x") == b'`A $a "A`"\n'


def test_a_program_is_told_to_whoever_runs_it() -> None:
    text = "FROM scratch\nRUN <<-EOF\n\t#!/bin/awk -f\n\tBEGIN {}\nEOF\n"
    text += "RUN <<EOF\n#!/bin/sh\nEOF\nRUN sh <<EOF\n#!x\nEOF\n"
    plain, program, beside = parse(text).stages[0].instructions
    assert isinstance(plain, Run)
    assert isinstance(program, Run)
    assert isinstance(beside, Run)
    assert [run_scripts(run, BUILDKIT29) for run in (plain, program, beside)] == [
        {},
        {"/dev/pipes/EOF": "#!/bin/sh\n"},
        {},
    ]
    assert run_scripts(program, LEGACY29) == {}


def test_words_without_blanks_are_sources_as_before() -> None:
    (copy,) = parse("FROM scratch\nCOPY << EOF /x\nhi\nEOF\n").stages[0].instructions
    assert isinstance(copy, Copy)
    assert copy.sources == ("<<", "EOF")
