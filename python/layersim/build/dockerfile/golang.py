"""Texts as Go's package fmt prints them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_NAMED |= {'"': r"\"", "\\": r"\\"}
_ONE_BYTE, _TWO_BYTES, _LAST = 0x80, 0x10000, 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_SPECIAL = re.compile(r'[\\"\x00-\x1f\x7f-\uffff\U00010000-\U0010ffff]')


def go_quote(text: str) -> str:
    r"""Return a text as the verb ``%q`` prints it.

    Examples
    --------
    >>> from layersim.build.dockerfile.golang import go_quote
    >>> go_quote('say "hi"')
    '"say \\"hi\\""'
    """
    return f'"{_SPECIAL.sub(_escaped, text)}"'


def _escaped(found: re.Match[str]) -> str:
    letter = found[0]
    if letter in _NAMED:
        return _NAMED[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code < _ONE_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _TWO_BYTES else f"\\U{code:08x}"


def go_quotes(texts: Iterable[str]) -> str:
    """Return a list as ``%q`` prints it: quoted, with blanks between and brackets around."""
    return f"[{' '.join(map(go_quote, texts))}]"


def go_rune(code: int) -> str:
    """Return a number as ``%q`` prints it: as the character that it is the code of."""
    if code < 0 or code > _LAST or _SURROGATES[0] <= code <= _SURROGATES[1]:
        return "'\ufffd'"
    letter = chr(code)
    if letter == "'":
        return r"'\''"
    return f"'{letter}'" if letter == '"' else f"'{_SPECIAL.sub(_escaped, letter)}'"


def go_list(texts: Iterable[str]) -> str:
    """Return a list as ``%v`` prints it: blanks between, brackets around."""
    return f"[{' '.join(texts)}]"
