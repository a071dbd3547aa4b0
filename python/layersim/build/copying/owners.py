"""Whose files are: ``--chown`` and USER, looked up in the files of the image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from layersim.build.context.dialect import is_legacy
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim._core import Overlay
    from layersim.build.context import Dialect

USERS, GROUPS = "/etc/passwd", "/etc/group"
_DIGITS = re.compile(r"[+-]?\d+")
_NUMBER_MAX = 2**32
_GID_FIELD, _UID_FIELD = 3, 2
_REFUSED = "unable to convert uid/gid chown string to host mapping: "


class Owner(NamedTuple):
    """A user and a group, as numbers."""

    uid: int
    gid: int


def find_owner(overlay: Overlay, text: str, dialect: Dialect) -> Owner:
    """Return whom a text names: ``user``, ``user:group``, each a name or a number.

    Parameters
    ----------
    overlay : Overlay
        Whose ``/etc/passwd`` and ``/etc/group`` say what names mean.
    text : str
        After substitution.
    dialect : Dialect
        The builder.

    Raises
    ------
    BuildError
        From the legacy builder, for an unknown name; BuildKit takes root.
    """
    user, separator, group = text.partition(":")
    if is_legacy(dialect):
        if ":" in group:
            raise BuildError(f"{_REFUSED}invalid chown string format: {text}")
        return _strict(overlay, user, group if separator else user)
    return _lenient(overlay, user, group if separator and ":" not in group else None)


def _strict(overlay: Overlay, user: str, group: str) -> Owner:
    """As the legacy builder: a group of the user's own name is wanted, and numbers wrap."""
    uid = _wrapped(user) if _DIGITS.fullmatch(user) else _field(overlay, USERS, user, _UID_FIELD)
    if uid is None:
        raise _unknown("uid", "user", user)
    gid = _wrapped(group) if _DIGITS.fullmatch(group) else _field(overlay, GROUPS, group, _UID_FIELD)
    if gid is None:
        raise _unknown("gid", "group", group)
    return Owner(uid, gid)


def _wrapped(digits: str) -> int:
    """Return a number as the kernel takes it; -1 leaves what is there, which is root."""
    number = int(digits) % _NUMBER_MAX
    return 0 if number == _NUMBER_MAX - 1 else number


def _unknown(number: str, kind: str, name: str) -> BuildError:
    text = f"can't find {number} for {kind} {name}: no such {kind}: {name}"
    return BuildError(f"{_REFUSED}{text}")


def _lenient(overlay: Overlay, user: str, group: str | None) -> Owner:
    """As BuildKit: an unknown user is root, an unknown group is the user's own."""
    number = _number(user)
    if number is not None:
        uid, own = number, number if group is None else 0
    else:
        uid = _field(overlay, USERS, user, _UID_FIELD) or 0
        own = _field(overlay, USERS, user, _GID_FIELD) or 0
    if group is None:
        return Owner(uid, own)
    if not group:
        return Owner(uid, 0)
    gid = _number(group)
    gid = _field(overlay, GROUPS, group, _UID_FIELD) if gid is None else gid
    return Owner(uid, own if gid is None else gid)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) < _NUMBER_MAX else None


def _field(overlay: Overlay, file: str, name: str, field: int) -> int | None:
    """Return a number of the line of a name, or None if there is no such line."""
    for words in _lines(overlay, file):
        if words[0] == name and len(words) > field:
            return _number(words[field])
    return None


def _lines(overlay: Overlay, file: str) -> Iterator[list[str]]:
    try:
        text = overlay.read_bytes(file).decode(errors="surrogateescape")
    except OSError:
        return
    yield from (line.strip().split(":") for line in text.splitlines() if line.strip())
