"""How variables and quotes are replaced: section 4 of the specification of builds, row by row."""

from __future__ import annotations

import pytest

from layersim import DockerfileError
from layersim.build.dockerfile import BUILDKIT20, BUILDKIT29, DIALECTS, LEGACY20, Dialect, expand, expand_words

EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
VARIABLES = {"P": "foo/bar/baz.tar.gz", "E": "", "A": "a", "two": "x y", "L": "1\n2", "\u00e9": "accent", "S": "*?/}"}

IN_ALL = {
    "plain": "plain",
    "$A ${A}": "a a",
    "$A/$NO-": "a/-",
    "$": "$",
    "a$": "a$",
    "$/": "$/",
    "$1x $12": "x ",
    "$$A": "A",
    "$?": "",
    "$\u00e9!": "accent!",
    "\\$A": "$A",
    "\\a\\\\": "a\\",
    "a\\": "a",
    "'$A \\'x": "$A \\x",
    '"$A \\$A \\" \\x \\\\"': 'a $A " \\x \\',
    "\"it's\" 'a\"b'": "it's a\"b",
    '""': "",
    "${NO:-w}${E:-w}${A:-w}": "wwa",
    "${NO:+w}${E:+w}${A:+w}": "w",
    "${A:?m}": "a",
    "${A?m}${E?m}": "a",
    "${NO:-}": "",
    "${NO:-${E:-${A}}}": "a",
    "${NO:-\"$A }\"'}'}": "a }}",
    "${NO:-\\}}": "}",
    "$two": "x y",
    "\ufeff$A": "a",
}
"""Forms that all builders know."""

IN_29 = {
    "${NO-w}${E-w}${A-w}": "wa",
    "${NO+w}${E+w}${A+w}": "ww",
    "${P#*/}": "bar/baz.tar.gz",
    "${P##*/}": "baz.tar.gz",
    "${P%.*}": "foo/bar/baz.tar",
    "${P%%.*}": "foo/bar/baz",
    "${P/bar/X}": "foo/X/baz.tar.gz",
    "${P//a/Z}": "foo/bZr/bZz.tZr.gz",
    "${P:#*/}": "bar/baz.tar.gz",
    "${P#f?o}": "/bar/baz.tar.gz",
    "${P#.}": "foo/bar/baz.tar.gz",
    "${P/ba?/}": "foo//baz.tar.gz",
    "${P//ba?/X}": "foo/X/X.tar.gz",
    "${P/*/X}": "X",
    "${P//\\//-}": "foo-bar-baz.tar.gz",
    "${P//o*b/$A}": "faaz.tar.gz",
    "${A//x/y}": "a",
    "${A///-}": "-a-",
    "${S#\\*\\?}": "/}",
    "${S%\\}}": "*?/",
    "${L#*}": "1\n2",
    "${L##*}": "\n2",
    "${L//?/x}": "x\nx",
    "${A//a/\\$0\\$0}": "\\a\\a",
}
"""Forms that 29 has beside them."""

WRONG = {
    "${b:!x}": ("unsupported modifier (!) in substitution", "unsupported modifier (:!) in substitution"),
    "${NO:?msg}": ("NO: msg", "NO: msg"),
    "${NO?msg}": ("NO: msg", "NO: msg"),
    "${NO:?}": ("NO: is not allowed to be unset", "NO: is not allowed to be unset"),
    "${E:?}": ("E: is not allowed to be empty", "E: is not allowed to be empty"),
    "${b!x}": ("missing ':' in substitution", "unsupported modifier (!) in substitution"),
    "${b": ("missing ':' in substitution", "unsupported modifier (\ufffd) in substitution"),
    "${": ("syntax error: missing '}'", "syntax error: missing '}'"),
    "${}": ("syntax error: bad substitution", "syntax error: bad substitution"),
    "${{b}}": ("syntax error: bad substitution", "syntax error: bad substitution"),
    "${:b}": ("syntax error: bad substitution", "syntax error: bad substitution"),
    "${b:-x": ("syntax error: missing '}'", "syntax error: missing '}'"),
    "${b#x": ("missing ':' in substitution", "syntax error: missing '}'"),
    "${b/x": ("missing ':' in substitution", "syntax error: missing '/' in ${}"),
    "${b/x/y": ("missing ':' in substitution", "syntax error: missing '}'"),
    "${b#\\x}": ("missing ':' in substitution", "invalid pattern (\\x) in substitution: invalid escape '\\x'"),
    "'a": ("unexpected end of statement while looking for matching single-quote",) * 2,
    '"a': ("unexpected end of statement while looking for matching double-quote",) * 2,
    "${A:-'}": ("syntax error: missing '}'",) * 2,
}
"""What 20.10 says, and what 29 does."""


@EVERY
@pytest.mark.parametrize("word", IN_ALL)
def test_a_form_of_all_builders(dialect: Dialect, word: str) -> None:
    assert expand(word, VARIABLES, dialect) == IN_ALL[word]


@pytest.mark.parametrize("word", IN_29)
def test_a_form_of_29(word: str) -> None:
    assert expand(word, VARIABLES, BUILDKIT29) == IN_29[word]


@pytest.mark.parametrize("word", IN_29)
def test_20_does_not_know_it(word: str) -> None:
    for dialect in (LEGACY20, BUILDKIT20):
        with pytest.raises(DockerfileError, match=r"missing ':' in substitution|unsupported modifier \(#\)"):
            expand(word, VARIABLES, dialect)


@EVERY
@pytest.mark.parametrize("word", WRONG)
def test_a_form_that_is_wrong(dialect: Dialect, word: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        expand(word, VARIABLES, dialect)
    quoted = word.replace("\\", "\\\\").replace('"', '\\"')
    assert str(caught.value) == f'failed to process "{quoted}": {WRONG[word][dialect.generation != 20]}'
    assert caught.value.text == word


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("a  b", ["a", "b"]),
        (" $two ", ["x", "y"]),
        ('"$two"', ["x y"]),
        ("a$two'b c'", ["ax", "yb c"]),
        ("a\\ b", ["a b"]),
        ('"" $NO', []),
        ("'' a", ["a"]),
        ("$A$two$A", ["ax", "ya"]),
    ],
)
def test_words_split_at_blanks_that_are_not_quoted(word: str, words: list[str]) -> None:
    assert expand_words(word, VARIABLES) == words


def test_the_other_escape_character() -> None:
    assert expand('`$A \\$A "`$A\\"', VARIABLES, escape="`") == "$A \\a $A\\"


def test_a_replaced_value_is_not_looked_at_again() -> None:
    assert expand("$A", {"A": "$B ${C} 'q'", "B": "b"}) == "$B ${C} 'q'"


def test_a_wildcard_costs_no_more_where_nothing_matches() -> None:
    assert expand("${A//*a*a*a*a*a*a*a*b/x}", {"A": "a" * 50_000}) == "a" * 50_000


def test_substitutions_have_a_depth() -> None:
    assert expand("${N:-" * 100 + "x" + "}" * 100, {}) == "x"
    with pytest.raises(DockerfileError, match="substitutions are nested deeper than 100"):
        expand("${N:-" * 101 + "x" + "}" * 101, {})
