"""The value of a flag that is a list of fields, as Go's package csv reads it."""

from __future__ import annotations

import re

from layersim.build.dockerfile.faults import WrongInstructionError

TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))

_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,"]*)')


def csv_fields(text: str, what: str) -> list[str]:
    """Split at commas that are not quoted, and complain as Go's package csv does.

    Parameters
    ----------
    text : str
        The value of the flag.
    what : str
        What it lists, for messages.

    Raises
    ------
    WrongInstructionError
        It is empty, or its quotes are wrong.
    """
    if not text:
        raise WrongInstructionError(f"failed to parse csv {what}: EOF")
    if '"' not in text:
        return text.split(",")
    fields, at = [], 0
    while at <= len(text):
        found = _FIELD.match(text, at)
        end = found.end() if found else at
        if found is None or (end < len(text) and text[end] != ","):
            raise _odd_quote(text, at, end, what)
        fields.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        at = end + 1
    return fields


def _odd_quote(text: str, start: int, end: int, what: str) -> WrongInstructionError:
    is_quoted = text.startswith('"', start)
    column = len(text[:end].encode()) + (not is_quoted)
    fault = 'extraneous or missing " in quoted-field' if is_quoted else 'bare " in non-quoted-field'
    return WrongInstructionError(f"failed to parse csv {what}: parse error on line 1, column {column}: {fault}")


def boolean(name: str, value: str) -> bool:
    """Return what a field says that is yes or no.

    Raises
    ------
    WrongInstructionError
        It says neither.
    """
    if value not in TRUE | FALSE:
        raise WrongInstructionError(f"invalid value for {name}: {value}")
    return value in TRUE
