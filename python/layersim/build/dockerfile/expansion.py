"""Words and texts of a Dockerfile with their variables replaced, each way in which builders do it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile.dialect import BUILDKIT29
from layersim.build.dockerfile.faults import SubstitutionError
from layersim.build.dockerfile.golang import go_quote
from layersim.build.dockerfile.substitution import Reader, split
from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.substitution import Segment

_SPECIAL = re.compile(r"[$'\"\\`]")


def expand(word: str, variables: Mapping[str, str], dialect: Dialect = BUILDKIT29, escape: str = "\\") -> str:
    r"""Replace the variables of a word and remove its quotes.

    Parameters
    ----------
    word : str
        As a Dockerfile has it.
    variables : Mapping of str to str
        What is set.
    dialect : Dialect
        Which forms there are.
    escape : str
        The escape character of the file.

    Returns
    -------
    str
        One word, blanks and all.

    Raises
    ------
    DockerfileError
        A form is wrong or unknown, or asks for a variable that is not set; in the builder's words.

    Examples
    --------
    >>> from layersim.build.dockerfile import expand
    >>> expand('"$A"/${B:-none} \'$A\'', {"A": "a"})
    'a/none $A'
    """
    if word.isascii() and not _SPECIAL.search(word):
        return word
    return "".join(text for text, _ in _segments(word, variables, dialect, escape))


def expand_text(text: str, variables: Mapping[str, str], dialect: Dialect = BUILDKIT29, escape: str = "\\") -> str:
    r"""Replace the variables of a text as `expand` does, in which quotes are characters like others.

    Parameters
    ----------
    text : str
        Lines below an instruction.
    variables : Mapping of str to str
        What is set.
    dialect : Dialect
        Which forms there are.
    escape : str
        The escape character of the file.

    Returns
    -------
    str
        The text.

    Raises
    ------
    DockerfileError
        As for `expand`.

    Examples
    --------
    >>> from layersim.build.dockerfile import expand_text
    >>> expand_text('"$A" is \'$A\'', {"A": "a"})
    '"a" is \'a\''
    """
    found = _segments(text, variables, dialect, escape, keeps=frozenset(("no quotes",)))
    return "".join(piece for piece, _ in found)


def expand_known(text: str, variables: Mapping[str, str], dialect: Dialect = BUILDKIT29, escape: str = "\\") -> str:
    """Replace the variables of a text that are set; leave quotes and all others as they are.

    Parameters
    ----------
    text : str
        As a Dockerfile has it.
    variables : Mapping of str to str
        What is set.
    dialect : Dialect
        Which forms there are.
    escape : str
        The escape character of the file.

    Returns
    -------
    str
        The text.

    Raises
    ------
    DockerfileError
        As for `expand`.

    Examples
    --------
    >>> from layersim.build.dockerfile import expand_known
    >>> expand_known('echo "$A" $B', {"A": "a"})
    'echo "a" $B'
    """
    found = _segments(text, variables, dialect, escape, keeps=frozenset(("quotes", "unset")))
    return "".join(piece for piece, _ in found)


def expand_words(
    word: str, variables: Mapping[str, str], dialect: Dialect = BUILDKIT29, escape: str = "\\"
) -> list[str]:
    """Replace variables as `expand` does, and split the result at blanks that are not quoted.

    Parameters
    ----------
    word : str
        As a Dockerfile has it.
    variables : Mapping of str to str
        What is set.
    dialect : Dialect
        Which forms there are.
    escape : str
        The escape character of the file.

    Returns
    -------
    list of str
        The words; values of variables are split too, unless they are quoted.

    Raises
    ------
    DockerfileError
        As for `expand`.

    Examples
    --------
    >>> from layersim.build.dockerfile import expand_words
    >>> expand_words('$A "$A"', {"A": "80 81"})
    ['80', '81', '80 81']
    """
    return split(_segments(word, variables, dialect, escape))


def _segments(
    word: str, variables: Mapping[str, str], dialect: Dialect, escape: str, keeps: frozenset[str] = frozenset()
) -> list[Segment]:
    reader = Reader(word, variables, escape, has_patterns=not dialect.is_old, keeps=keeps)
    try:
        return reader.to_the_end()
    except SubstitutionError as error:
        message = f"failed to process {go_quote(word)}: {error}"
        raise DockerfileError(message, text=word) from error
