"""What the builders say of Dockerfiles that they refuse: every sentence was provoked from the engines themselves."""

from __future__ import annotations

import pytest

from layersim import DockerfileError
from layersim.build.dockerfile import BUILDKIT20, BUILDKIT29, DIALECTS, LEGACY20, LEGACY29, Dialect, parse

EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
ARRAYS = "when using JSON array syntax, arrays must be comprised of strings only"
TWO = "requires at least two arguments, but only one was provided. Destination could not be determined"
CSV = "failed to parse csv mounts: parse error on line 1, column"

UNREADABLE = {
    "ENV A": "ENV must have two arguments",
    "LABEL A": "LABEL must have two arguments",
    "ONBUILD ENV x": "ENV must have two arguments",
    "ENV a=1 b": 'Syntax error - can\'t find = in "b". Must be of the form: name=value',
    'CMD ["a",1]': ARRAYS,
    'HEALTHCHECK CMD ["a", 1]': ARRAYS,
    f"LABEL a={'x' * 70_000}": "dockerfile line greater than max allowed size of 65535",
}
"""Lines that cannot be read, and what all builders say; the legacy one says so of the whole file."""

WRONG = {
    "FROM": "FROM requires either one or three arguments",
    "FROM a AS": "FROM requires either one or three arguments",
    "FROM a b c": "FROM requires either one or three arguments",
    "FROM x AS 1a": 'invalid name for build stage: "1a", name can\'t start with a number or contain symbols',
    "COPY a": f"COPY {TWO}",
    "COPY": f"COPY {TWO}",
    "ADD []": f"ADD {TWO}",
    "LABEL": "LABEL requires at least one argument",
    "LABEL =b": "LABEL names can not be blank",
    "ENV": "ENV requires at least one argument",
    "ARG": "ARG requires at least one argument",
    "ARG =b": "ARG names can not be blank",
    "USER": "USER requires exactly one argument",
    "WORKDIR": "WORKDIR requires exactly one argument",
    "MAINTAINER": "MAINTAINER requires exactly one argument",
    "STOPSIGNAL": "STOPSIGNAL requires exactly one argument",
    "EXPOSE": "EXPOSE requires at least one argument",
    "VOLUME": "VOLUME requires at least one argument",
    "VOLUME []": "VOLUME requires at least one argument",
    'VOLUME [" "]': "VOLUME specified can not be an empty string",
    "SHELL []": "SHELL requires at least one argument",
    "SHELL sh": "SHELL requires the arguments to be in JSON form",
    "ONBUILD": "ONBUILD requires at least one argument",
    "ONBUILD ONBUILD RUN x": "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
    "ONBUILD FROM x": "FROM isn't allowed as an ONBUILD trigger",
    "ONBUILD maintainer x": "MAINTAINER isn't allowed as an ONBUILD trigger",
    "HEALTHCHECK": "HEALTHCHECK requires at least one argument",
    "HEALTHCHECK FOO": 'Unknown type "FOO" in HEALTHCHECK (try CMD)',
    "HEALTHCHECK CMD": "Missing command after HEALTHCHECK CMD",
    "HEALTHCHECK NONE x": "HEALTHCHECK NONE takes no arguments",
    "HEALTHCHECK --interval=1 CMD x": 'time: missing unit in duration "1"',
    "HEALTHCHECK --interval=.s CMD x": 'time: invalid duration ".s"',
    "HEALTHCHECK --timeout=1x CMD x": 'time: unknown unit "x" in duration "1x"',
    "HEALTHCHECK --interval=9999999999h CMD x": 'time: invalid duration "9999999999h"',
    "HEALTHCHECK --interval=1us CMD x": 'Interval "interval" cannot be less than 1ms',
    "HEALTHCHECK --start-period=-1s CMD x": 'Interval "start-period" cannot be less than 1ms',
    "HEALTHCHECK --retries=x CMD x": 'strconv.ParseInt: parsing "x": invalid syntax',
    "RUN --mount= true": "failed to parse csv mounts: EOF",
    "RUN --mount='type=\"a' true": f'{CSV} 6: bare " in non-quoted-field',
}
"""Instructions that are wrong in every generation, in the same words."""

FLAGS = {
    "COPY --lnk a b": ("Unknown flag: lnk", "unknown flag: --lnk (did you mean link?)"),
    "COPY --exclud a b": ("Unknown flag: exclud", "unknown flag: --exclud (did you mean exclude?)"),
    "ADD --from=x a b": ("Unknown flag: from", "unknown flag: --from"),
    "CMD --x a": ("Unknown flag: x", "unknown flag: --x"),
    "FROM --x a": ("Unknown flag: x", "unknown flag: --x"),
    "ADD --chown=1 --chown=2 a b": ("Duplicate flag specified: chown", "duplicate flag specified: --chown"),
    "COPY --chown a b": ("Missing a value on flag: chown", "missing a value on flag: --chown"),
    "COPY --link= a b": ("Unknown flag: link", "missing a value on flag: --link"),
    "COPY --link=x a b": ("Unknown flag: link", "expecting boolean value for flag --link, not: x"),
    "RUN --network=foo x": ("Unknown flag: network", 'invalid network mode "foo"'),
    "FOO x": ("unknown instruction: FOO", "unknown instruction: FOO (did you mean FROM?)"),
    "foo x": ("unknown instruction: FOO", "unknown instruction: foo (did you mean from?)"),
    "Quux x": ("unknown instruction: QUUX", "unknown instruction: Quux"),
    "HEALTHCHECK --retries=-1 CMD x": ("--retries must be at least 1 (not -1)", "--retries cannot be negative (-1)"),
}
"""What 20.10 says, and what 29 does."""


def refused(text: str | bytes, dialect: Dialect) -> DockerfileError:
    with pytest.raises(DockerfileError) as caught:
        parse(text, dialect, name="D")
    return caught.value


def at_line(line: int, message: str, dialect: Dialect) -> str:
    return f"dockerfile parse error {'line' if dialect.generation == 20 else 'on line'} {line}: {message}"


def of_reading(message: str, dialect: Dialect) -> str:
    return f"failed to parse Dockerfile: {message}" if dialect.builder == "legacy" else message


@EVERY
@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: str(text)[:30])
def test_a_line_that_cannot_be_read(dialect: Dialect, text: str) -> None:
    assert str(refused(f"FROM scratch\n{text}\n", dialect)) == of_reading(UNREADABLE[text], dialect)


@EVERY
@pytest.mark.parametrize("text", WRONG)
def test_an_instruction_that_is_wrong(dialect: Dialect, text: str) -> None:
    error = refused(f"FROM scratch\n\n{text}\n", dialect)
    assert str(error) == at_line(3, WRONG[text], dialect)
    assert (error.file, error.line, error.text) == ("D", 3, text)


@EVERY
@pytest.mark.parametrize("text", FLAGS)
def test_the_generations_have_words_of_their_own(dialect: Dialect, text: str) -> None:
    message = FLAGS[text][dialect.generation != 20]
    assert str(refused(f"FROM scratch\n{text}\n", dialect)) == at_line(2, message, dialect)


def test_an_empty_file() -> None:
    said = [str(refused(b"", dialect)) for dialect in DIALECTS]
    assert said == ["the Dockerfile (D) cannot be empty", "the Dockerfile cannot be empty"] * 2


@EVERY
def test_a_file_without_instructions(dialect: Dialect) -> None:
    assert str(refused("# only\n", dialect)) == of_reading("file with no instructions", dialect)


@EVERY
def test_an_instruction_before_any_stage(dialect: Dialect) -> None:
    assert str(refused("ARG A\nRUN x\nFROM a", dialect)) == "no build stage in current context"


@EVERY
def test_variables_alone_are_no_stage(dialect: Dialect) -> None:
    assert str(refused("ARG A=1\n", dialect)) == "dockerfile contains no stages to build"


@EVERY
def test_what_cannot_be_read_comes_before_what_is_wrong(dialect: Dialect) -> None:
    error = refused("FROM scratch\nFOO\nBAR\nENV A\n", dialect)
    assert (str(error), error.line) == (of_reading("ENV must have two arguments", dialect), 4)


@pytest.mark.parametrize("dialect", [LEGACY29, BUILDKIT29], ids=["legacy29", "buildkit29"])
def test_heredocs_that_are_wrong(dialect: Dialect) -> None:
    assert str(refused("FROM a\nRUN <<A\nx", dialect)) == of_reading("unterminated heredoc", dialect)
    said = refused("FROM a\nCOPY a <<A\nA\n", dialect)
    assert str(said) == at_line(2, "COPY cannot accept a heredoc as a destination", dialect)


@EVERY
@pytest.mark.parametrize("text", ["ARG --x a", "STOPSIGNAL --x 9", "HEALTHCHECK --x NONE", "ONBUILD FOO", "RUN -- x"])
def test_what_no_builder_minds(dialect: Dialect, text: str) -> None:
    assert len(parse(f"FROM a\n{text}", dialect).stages[0].instructions) == 1


@pytest.mark.parametrize("dialect", [LEGACY20, BUILDKIT20], ids=["legacy20", "buildkit20"])
def test_20_looks_into_mounts_while_it_reads(dialect: Dialect) -> None:
    error = refused("FROM a\nRUN --mount=type=bnd,target=/x true", dialect)
    assert str(error) == at_line(2, 'unsupported mount type "bnd"', dialect)
    parse("FROM a\nRUN --mount=from=$x true", dialect)


@pytest.mark.parametrize("dialect", [LEGACY29, BUILDKIT29], ids=["legacy29", "buildkit29"])
def test_29_looks_at_the_stage_of_a_mount_alone(dialect: Dialect) -> None:
    error = refused("FROM a\nRUN --mount=from=$x true", dialect)
    message = "'from' doesn't support variable expansion, define alias stage instead"
    assert str(error) == at_line(2, message, dialect)
    parse("FROM a\nRUN --mount=type=bnd,target=/x true", dialect)
