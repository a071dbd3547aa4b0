"""Whose files are: ``--chown`` and USER, looked up in the files of the image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from layersim.build.context.dialect import is_legacy, is_old_buildkit
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
        From the legacy builder, for an unknown name; BuildKit takes root. Where there is no file that would know the
        name, 20.10's BuildKit says so, and every BuildKit where there are no files at all.
    """
    user, separator, group = text.partition(":")
    if is_legacy(dialect):
        if ":" in group:
            raise BuildError(f"{_REFUSED}invalid chown string format: {text}")
        return _strict(overlay, user, group if separator else user)
    wanted = group if separator and ":" not in group else None
    _demand_files(overlay, user, wanted, dialect)
    return _lenient(overlay, user, wanted)


def _demand_files(overlay: Overlay, user: str, group: str | None, dialect: Dialect) -> None:
    for file, name in ((USERS, user), (GROUPS, group)):
        if not name or _number(name) is not None:
            continue
        if not overlay.lower.layers:
            raise BuildError("invalid user index: -1")
        if is_old_buildkit(dialect) and not overlay.exists(file):
            raise BuildError(f"open {file}: no such file or directory")


def _strict(overlay: Overlay, user: str, group: str) -> Owner:
    """As the legacy builder: a group of the user's own name is wanted, and numbers wrap."""
    uid = _wrapped(user) if _DIGITS.fullmatch(user) else _field(overlay, USERS, user, _UID_FIELD)
    if uid is None:
        raise _unknown(overlay, USERS, "uid", "user", user)
    gid = _wrapped(group) if _DIGITS.fullmatch(group) else _field(overlay, GROUPS, group, _UID_FIELD)
    if gid is None:
        raise _unknown(overlay, GROUPS, "gid", "group", group)
    return Owner(uid, gid)


def _wrapped(digits: str) -> int:
    """Return a number as the kernel takes it; -1 leaves what is there, which is root."""
    number = int(digits) % _NUMBER_MAX
    return 0 if number == _NUMBER_MAX - 1 else number


def _unknown(overlay: Overlay, file: str, number: str, kind: str, name: str) -> BuildError:
    why = f"no such {kind}: {name}" if overlay.exists(file) else f"open {file}: no such file or directory"
    return BuildError(f"{_REFUSED}can't find {number} for {kind} {name}: {why}")


def _lenient(overlay: Overlay, user: str, group: str | None) -> Owner:
    """As BuildKit: an unknown user is root, an unknown group is the user's own."""
    number = _number(user)
    if number is not None:
        uid = own = number
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
