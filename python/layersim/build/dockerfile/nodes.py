"""Instructions before they have types: name, flags, arguments and heredocs of one logical line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from layersim.build.dockerfile.blanks import SPACES
from layersim.build.dockerfile.words import split_flags

if TYPE_CHECKING:
    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.instructions import Heredoc

_COMMAND = re.compile(r"([^\t\v\f\r ]*+)[\t\v\f\r ]*+(.*)", re.DOTALL)


class Node(msgspec.Struct):
    """One instruction as it was read.

    Attributes
    ----------
    word, name : str
        Its first word as written, and in lower case.
    flags : tuple of str
        Its flags, quotes removed.
    rest : str
        Its arguments.
    """

    word: str
    name: str
    flags: tuple[str, ...]
    rest: str
    text: str
    line: int
    end_line: int
    dialect: Dialect
    escape: str
    heredocs: tuple[Heredoc, ...] = ()


def node_of(text: str, line: int, end_line: int, dialect: Dialect, escape: str) -> Node:
    """Split one logical line."""
    stripped = text.strip(SPACES)
    word, _, rest = stripped.partition(" ")
    if not word.isalpha():
        found = _COMMAND.match(stripped)
        word, rest = (found[1], found[2]) if found else (stripped, "")
    flags: tuple[str, ...] = ()
    if rest and rest[0] in SPACES:
        rest = rest.lstrip(SPACES)
    if rest[:2] == "--":
        flags, rest = split_flags(rest, escape)
    return Node(word, word.lower(), flags, rest, text, line, end_line, dialect, escape)
