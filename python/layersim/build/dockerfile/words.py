"""Words of a line: where they end, with their quotes left on, and the flags that come first."""

from __future__ import annotations

import re

from layersim.build.dockerfile.blanks import SPACE_CLASS, SPACES

_WORDS = {
    escape: re.compile(
        rf"""(?=[^{SPACE_CLASS}])
        ((?: [^{SPACE_CLASS}'"\{escape}]++
           | \{escape}.
           | '[^']*+'?
           | "(?:[^"\{escape}]++|\{escape}.)*+"?
        )*+) (?:\{escape}\Z)?""",
        re.VERBOSE | re.DOTALL,
    )
    for escape in ("\\", "`")
}
_PLAIN_FLAG = re.compile(r"(--[!#-&(-\[\]-_a-~]*+)(?: ++|\Z)")
_LATIN_SPACES = frozenset("\t\n\v\f\r \x85\xa0")


def split_words(text: str, escape: str) -> list[str]:
    """Return the words of a text, quotes and escapes still in them.

    A trailing escape counts for nothing.
    """
    if text.isprintable() and '"' not in text and "'" not in text and escape not in text:
        return text.split()
    return [word for word in _WORDS[escape].findall(text) if word]


def split_flags(text: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Return the flags that a text begins with, their quotes removed, and the rest of it."""
    flags: list[str] = []
    at = 0
    while found := _PLAIN_FLAG.match(text, at):
        at = found.end()
        if found[1] == "--":
            return tuple(flags), text[at:]
        flags.append(found[1])
    if text.startswith("--", at):
        more, rest = _odd_flags(text[at:], escape)
        return (*flags, *more), rest.strip(SPACES)
    return tuple(flags), text[at:].strip(SPACES)


def _odd_flags(text: str, escape: str) -> tuple[list[str], str]:
    """Do the same for flags with quotes, escapes and odd blanks.

    The engines go byte by byte here, and take each for a character of its own.
    """
    data = text.encode("utf-8", "replace").decode("latin-1")
    flags: list[str] = []
    at = 0
    while data.startswith("--", at):
        word, is_quoted, at = _odd_flag(data, at, escape)
        if word == "--":
            break
        if word or is_quoted:
            flags.append(word)
        while at < len(data) and data[at] in _LATIN_SPACES:
            at += 1
    return flags, data[at:].encode("latin-1").decode("utf-8", "replace")


def _odd_flag(data: str, at: int, escape: str) -> tuple[str, bool, int]:
    """Return one flag without its quotes, whether it had some, and where it ends."""
    word: list[str] = []
    quote, is_quoted = "", False
    while at < len(data):
        letter = data[at]
        if not quote and letter in _LATIN_SPACES:
            break
        at += 1
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote, is_quoted = letter, True
        elif letter == escape:
            word.append(data[at : at + 1])
            at += 1
        else:
            word.append(letter)
    return "".join(word), is_quoted, min(at, len(data))
