"""Who a step runs as: USER, looked up in the image's own passwd and group files as runc does."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim._core import Overlay

_PASSWD_FIELDS = 7
_GROUP_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Account:
    """The ids of a process, and its home."""

    uid: int = 0
    gid: int = 0
    others: tuple[int, ...] = ()
    home: str = "/"

    @property
    def groups(self) -> tuple[int, ...]:
        """The supplementary groups, that of the process first, as engines since CVE-2022-36109 set them."""
        return (self.gid, *(other for other in self.others if other != self.gid))


def account_of(user: str, fs: Overlay) -> Account:
    """Look up who `user` is.

    Parameters
    ----------
    user : str
        As USER has it.
    fs : Overlay
        The file system whose ``/etc/passwd`` and ``/etc/group`` tell.

    Raises
    ------
    BuildError
        For a name that no file knows, in Docker's words.
    """
    name, _, group = user.partition(":")
    found = _user(name, fs)
    account = found[1] if found else _by_number("user", "passwd", name)
    if group:
        return _with_group(account, group, fs)
    groups = _groups_of(found[0], fs) if found else ()
    return Account(account.uid, account.gid, groups, account.home)


def _user(name: str, fs: Overlay) -> tuple[str, Account] | None:
    wanted = name or "0"
    for fields in _rows(fs, "/etc/passwd", _PASSWD_FIELDS):
        if fields[2] == wanted.lstrip("0").rjust(1, "0") if wanted.isdecimal() else fields[0] == wanted:
            return fields[0], Account(_number(fields[2]), _number(fields[3]), home=fields[5] or "/")
    return None


def _by_number(what: str, file: str, name: str) -> Account:
    if name and not name.isdecimal():
        raise BuildError(f"unable to find {what} {name}: no matching entries in {file} file")
    return Account(uid=int(name or "0"))


def _with_group(account: Account, group: str, fs: Overlay) -> Account:
    for fields in _rows(fs, "/etc/group", _GROUP_FIELDS):
        if group == (fields[2] if group.isdecimal() else fields[0]):
            return Account(account.uid, _number(fields[2]), home=account.home)
    number = _by_number("group", "group", group)
    return Account(account.uid, number.uid, home=account.home)


def _groups_of(name: str, fs: Overlay) -> tuple[int, ...]:
    rows = _rows(fs, "/etc/group", _GROUP_FIELDS)
    return tuple(_number(fields[2]) for fields in rows if name in fields[3].split(","))


def _rows(fs: Overlay, path: str, width: int) -> Iterator[list[str]]:
    """Yield the lines of a file, in as many fields as they should have; a missing one has none."""
    text = b""
    with suppress(FileNotFoundError, NotADirectoryError):
        text = fs.read_bytes(path)
    for line in text.decode("utf-8", "surrogateescape").splitlines():
        if line.strip() and not line.startswith("#"):
            fields = line.strip().split(":")
            yield (fields + [""] * width)[:width]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def environment(env: dict[str, str], account: Account) -> dict[str, str]:
    """Return the variables of a process: those given, and a home where there is none, as runc sets it."""
    return env if env.get("HOME") else {**env, "HOME": posixpath.normpath(account.home)}
