"""Variables and quotes inside a word, as Docker's own little shell treats them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layersim.build.dockerfile.blanks import SPACE_CLASS
from layersim.build.dockerfile.faults import SubstitutionError
from layersim.build.dockerfile.globs import replaced, without_prefix, without_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

DEEPEST: Final = 100
"""How deep substitutions may be nested. The engines know no bound but their memory."""

_NAME = re.compile(r"\d+|[@*#?\-$!]|[^\W\d]\w*")
_NOT_BLANK = re.compile(rf"[^{SPACE_CLASS}]+")
_STOPS = {"": "", "}": r"\}", "/": "/"}
_PLAIN = {
    (escape, stop, has_quotes): re.compile(rf"[^${quotes}\{escape}{stops}]+")
    for escape in ("\\", "`")
    for stop, stops in _STOPS.items()
    for has_quotes, quotes in ((True, "'\""), (False, ""))
}
_PLAIN_QUOTED = {escape: re.compile(rf"[^$\"\{escape}]+") for escape in ("\\", "`")}
_MISSING_BRACE = "syntax error: missing '}'"
_ENDLESS = "unexpected end of statement while looking for matching "


Segment = tuple[str, bool]
"""A piece of a result, and whether it was quoted: blanks in it then do not split."""


def split(segments: list[Segment]) -> list[str]:
    """Return the words of a result."""
    words: list[str] = []
    word: list[str] = []
    for text, is_quoted in segments:
        if is_quoted:
            word.append(text)
            continue
        end = 0
        for found in _NOT_BLANK.finditer(text):
            if found.start() > end:
                words.append("".join(word))
                word.clear()
            word.append(found[0])
            end = found.end()
        if end < len(text):
            words.append("".join(word))
            word.clear()
    words.append("".join(word))
    return [found for found in words if found]


class Reader:
    """Reads one word from its beginning to its end."""

    __slots__ = ("_at", "_deep", "_end", "_escape", "_has_patterns", "_keeps", "_text", "_variables")

    def __init__(
        self,
        text: str,
        variables: Mapping[str, str],
        escape: str,
        *,
        has_patterns: bool = True,
        keeps: frozenset[str] = frozenset(),
    ) -> None:
        self._text = text.removeprefix("\ufeff")
        self._end = len(self._text)
        self._at = self._deep = 0
        self._variables, self._escape = variables, escape
        self._has_patterns, self._keeps = has_patterns, keeps

    def to_the_end(self) -> list[Segment]:
        """Return the segments of the whole text."""
        return self._until("", keeps_escapes="escapes" in self._keeps)

    def _until(self, stop: str, *, keeps_escapes: bool) -> list[Segment]:
        """Read up to a character and past it, or to the end of the text."""
        segments: list[Segment] = []
        plain = _PLAIN[self._escape, stop, "no quotes" not in self._keeps]
        while self._at < self._end:
            if found := plain.match(self._text, self._at):
                segments.append((found[0], False))
                self._at = found.end()
                continue
            letter = self._text[self._at]
            if letter == stop:
                self._at += 1
                return segments
            segments.append(self._special(letter, keeps_escapes=keeps_escapes))
        if stop:
            raise SubstitutionError(_ENDLESS + stop)
        return segments

    def _special(self, letter: str, *, keeps_escapes: bool) -> Segment:
        if letter == "$":
            return self._dollar(keeps_escapes=keeps_escapes), False
        if letter == "'":
            return self._single_quoted(), True
        if letter == '"':
            return self._double_quoted(keeps_escapes=keeps_escapes), True
        escaped = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        return (letter + escaped if keeps_escapes else escaped), True

    def _single_quoted(self) -> str:
        closing = self._text.find("'", self._at + 1)
        if closing < 0:
            self._at = self._end
            raise SubstitutionError(f"{_ENDLESS}single-quote")
        start, self._at = self._at, closing + 1
        return self._text[start : closing + 1] if "quotes" in self._keeps else self._text[start + 1 : closing]

    def _double_quoted(self, *, keeps_escapes: bool) -> str:
        quote = '"' if "quotes" in self._keeps else ""
        found, plain = [quote], _PLAIN_QUOTED[self._escape]
        self._at += 1
        while self._at < self._end:
            if run := plain.match(self._text, self._at):
                found.append(run[0])
                self._at = run.end()
                continue
            letter = self._text[self._at]
            if letter == '"':
                self._at += 1
                return "".join([*found, quote])
            special = self._dollar if letter == "$" else self._escaped_in_quotes
            found.append(special(keeps_escapes=keeps_escapes))
        raise SubstitutionError(f"{_ENDLESS}double-quote")

    def _escaped_in_quotes(self, *, keeps_escapes: bool) -> str:
        """Read an escape, which in quotes stands for itself before most characters."""
        following = self._text[self._at + 1 : self._at + 2]
        kept = self._escape if keeps_escapes else ""
        if not following:
            self._at += 1
            return kept
        if following in ('"', "$", self._escape):
            self._at += 2
            return kept + following
        self._at += 1
        return kept + self._escape

    def _dollar(self, *, keeps_escapes: bool) -> str:
        self._at += 1
        if not self._text.startswith("{", self._at):
            name = self._name()
            if not name or (name not in self._variables and "unset" in self._keeps):
                return f"${name}"
            return self._variables.get(name, "")
        self._at += 1
        if self._at == self._end:
            raise SubstitutionError(_MISSING_BRACE)
        if self._text[self._at] in "{}:":
            raise SubstitutionError("syntax error: bad substitution")
        return self._form(self._name(), keeps_escapes=keeps_escapes)

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            return ""
        name = found[0] if found[0].isascii() else _letters(found[0])
        self._at += len(name)
        return name

    def _next(self) -> str:
        """Return the next character; at the end the one that Go prints for none."""
        letter = self._text[self._at] if self._at < self._end else "\ufffd"
        self._at += 1
        return letter

    def _form(self, name: str, *, keeps_escapes: bool) -> str:
        """Read the rest of ``${name...}``."""
        sign = self._next()
        if sign == "}":
            unset = name not in self._variables and "unset" in self._keeps
            return f"${{{name}}}" if unset else self._variables.get(name, "")
        if not self._has_patterns:
            return self._old_form(name, sign, keeps_escapes=keeps_escapes)
        if sign == "/":
            return self._replacement(name)
        modifier = sign
        if sign == ":":
            sign = self._next()
            modifier += sign
        elif sign not in "+-?#%":
            raise SubstitutionError(f"unsupported modifier ({sign}) in substitution")
        word = self._word("}", _MISSING_BRACE, keeps_escapes=sign in "#%")
        if name not in self._variables and "unset" in self._keeps:
            return f"${{{name}{modifier}{word}}}"
        if sign in "#%":
            return self._trimmed(name, sign, word)
        return self._chosen(name, sign, word, modifier, empty_is_unset=len(modifier) > 1)

    def _old_form(self, name: str, sign: str, *, keeps_escapes: bool) -> str:
        """Read the forms of 20.10: ``:-``, ``:+``, ``:?`` and ``?``."""
        if sign not in ":?":
            raise SubstitutionError("missing ':' in substitution")
        modifier = self._next() if sign == ":" else sign
        word = self._word("}", _MISSING_BRACE, keeps_escapes=keeps_escapes)
        if name not in self._variables and "unset" in self._keeps:
            return f"${{{name}{sign if sign == ':' else ''}{modifier}{word}}}"
        return self._chosen(name, modifier, word, modifier, empty_is_unset=sign == ":")

    def _word(self, stop: str, missing: str, *, keeps_escapes: bool) -> str:
        """Read a word of a form, in which there may be forms again."""
        if self._deep == DEEPEST:
            raise SubstitutionError(f"substitutions are nested deeper than {DEEPEST}")
        self._deep += 1
        try:
            return "".join(text for text, _ in self._until(stop, keeps_escapes=keeps_escapes))
        except SubstitutionError as error:
            if self._at >= self._end:
                raise SubstitutionError(missing) from error
            raise
        finally:
            self._deep -= 1

    def _chosen(self, name: str, sign: str, word: str, modifier: str, *, empty_is_unset: bool) -> str:
        """Return a variable's value or the word, as ``-``, ``+`` and ``?`` choose."""
        value = self._variables.get(name)
        lacks = value is None or (empty_is_unset and not value)
        if sign == "-":
            return word if value is None or lacks else value
        if sign == "+":
            return "" if lacks else word
        if sign != "?":
            raise SubstitutionError(f"unsupported modifier ({modifier}) in substitution")
        if value is None or lacks:
            state = "unset" if value is None else "empty"
            raise SubstitutionError(f"{name}: {word or f'is not allowed to be {state}'}")
        return value

    def _trimmed(self, name: str, sign: str, pattern: str) -> str:
        """Return a value without what a pattern matches at its beginning or end."""
        is_longest = pattern.startswith(sign)
        without = without_prefix if sign == "#" else without_suffix
        return without(self._variables.get(name, ""), pattern[is_longest:], is_longest=is_longest)

    def _replacement(self, name: str) -> str:
        """Return a value in which a pattern's first match, or all of them, are replaced."""
        is_all = self._text.startswith("/", self._at)
        self._at += is_all
        pattern = self._word("/", "syntax error: missing '/' in ${}", keeps_escapes=True)
        text = self._word("}", _MISSING_BRACE, keeps_escapes=True)
        if name not in self._variables and "unset" in self._keeps:
            return f"${{{name}/{pattern}/{text}}}"
        return replaced(self._variables.get(name, ""), pattern, text, is_all=is_all)


def _letters(name: str) -> str:
    """Return the beginning of a name that Go takes for letters and digits: fractions and the like are none."""
    for at, letter in enumerate(name):
        if letter != "_" and not letter.isalpha() and not letter.isdecimal():
            return name[:at]
    return name
