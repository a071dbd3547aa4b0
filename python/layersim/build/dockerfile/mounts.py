"""``RUN --mount``: what each says, and what is wrong with one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from layersim.build.dockerfile.csv_fields import boolean, csv_fields
from layersim.build.dockerfile.faults import WrongInstructionError
from layersim.build.dockerfile.golang import go_quote
from layersim.build.dockerfile.mistakes import did_you_mean
from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.build.dockerfile.dialect import Dialect

_TYPES = ("bind", "cache", "secret", "ssh", "tmpfs")
_SHARING = ("locked", "private", "shared")
_OF_FILES = frozenset(("cache", "secret", "ssh"))
_TEXTS = {"from": "source_stage", "source": "source", "src": "source", "id": "cache_id"}
_TEXTS |= {"target": "target", "dst": "target", "destination": "target"}
_KEYS = (*_TEXTS, "type", "readonly", "ro", "readwrite", "rw", "required", "sharing", "mode", "uid", "gid", "env")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_LISTED = "mounts"
_WIDEST_ID = 0xFFFF_FFFF


class Mount(msgspec.Struct, frozen=True):
    """What one ``--mount`` puts into the tree that a RUN sees.

    Attributes
    ----------
    type : {"bind", "cache", "tmpfs", "secret", "ssh"}
        What is mounted.
    target, source, source_stage : str
        Where, and what of which stage or image; empty where not said.
    cache_id, sharing : str
        Which cache, and who may use it at the same time.
    is_readonly, is_required : bool
        Whether nothing can be written, and whether a secret or ssh agent must be there.
    size : int
        Bytes of a tmpfs, 0 for no bound.
    mode, uid, gid : int or None
        Of the directory or file that appears.
    env : str
        The variable that holds a secret; empty where it is a file alone.
    """

    type: str = "bind"
    target: str = ""
    source: str = ""
    source_stage: str = ""
    cache_id: str = ""
    sharing: str = ""
    is_readonly: bool = False
    is_required: bool = False
    size: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str = ""


def read_mount(text: str, dialect: Dialect, expand: Callable[[str], str] | None = None) -> Mount:
    """Read the value of a ``--mount`` flag.

    Parameters
    ----------
    text : str
        The value.
    dialect : Dialect
        Whose words errors have.
    expand : callable or None
        Replaces the variables of a value; 20.10 does not do that.

    Returns
    -------
    Mount
        What it says.

    Raises
    ------
    DockerfileError
        A key or value is unknown or not allowed here, in the builder's words.
    """
    try:
        return _read(text, dialect, expand or str)
    except WrongInstructionError as error:
        raise DockerfileError(str(error), text=text) from error


def source_of_mount(text: str) -> str:
    """Return which stage or image the value of a ``--mount`` flag names; empty for none."""
    return _value(text, "from")


def is_cache(text: str) -> bool:
    """Whether the value of a ``--mount`` flag asks for a cache."""
    return _value(text, "type").lower() == "cache"


def _value(text: str, wanted: str) -> str:
    """Return the last value of a key; what is wrong with others, `read_mount` says."""
    try:
        named = [field.partition("=")[::2] for field in csv_fields(text, _LISTED)]
    except WrongInstructionError:
        return ""
    return next((value for name, value in reversed(named) if name.lower() == wanted), "")


def check_mounts(mounts: tuple[str, ...], dialect: Dialect) -> None:
    """Check what a builder checks of mounts while it reads: 20.10 everything, later ones hardly anything.

    Raises
    ------
    WrongInstructionError
        One is wrong.
    """
    for text in mounts:
        for field in csv_fields(text, _LISTED):
            name, _, value = field.partition("=")
            if name.lower() == "from" and re.search(r"\$.", value) and not dialect.is_old:
                raise WrongInstructionError(
                    f"'{name.lower()}' doesn't support variable expansion, define alias stage instead"
                )
        if dialect.is_old:
            _read(text, dialect, str)


def _read(text: str, dialect: Dialect, expand: Callable[[str], str]) -> Mount:
    found: dict[str, Any] = {"type": "bind"}
    for field in csv_fields(text, _LISTED):
        name, equals, value = field.partition("=")
        if equals:
            _keep(found, name.lower(), expand(value), field, dialect)
        else:
            _keep_word(found, name.lower(), field)
    found.setdefault("is_readonly", found["type"] not in ("cache", "tmpfs"))
    return _checked(Mount(**found))


def _keep_word(found: dict[str, Any], name: str, field: str) -> None:
    """Take a key without a value."""
    if name in ("readonly", "ro", "readwrite", "rw"):
        found["is_readonly"] = name in ("readonly", "ro")
    elif name == "required":
        _need_type(found, name, "secret", "ssh")
        found["is_required"] = True
    else:
        raise WrongInstructionError(f"invalid field '{field}' must be a key=value pair")


def _need_type(found: dict[str, Any], name: str, *types: str) -> None:
    if found["type"] not in types:
        raise WrongInstructionError(f"unexpected key '{name}' for mount type '{found['type']}'")


def _keep(found: dict[str, Any], name: str, value: str, field: str, dialect: Dialect) -> None:
    """Take a key with its value."""
    if name in _TEXTS:
        found[_TEXTS[name]] = value
    elif name in ("type", "sharing"):
        found[name] = _choice(name, value, dialect)
    elif name in ("readonly", "ro", "readwrite", "rw"):
        found["is_readonly"] = boolean(name, value) is (name in ("readonly", "ro"))
    elif name == "required":
        _need_type(found, name, "secret", "ssh")
        found["is_required"] = boolean(name, value)
    elif name == "size" and not dialect.is_old:
        _need_type(found, name, "tmpfs")
        found[name] = _size(value)
    elif name in ("mode", "uid", "gid"):
        found[name] = _number(name, value)
    elif name == "env" and not dialect.is_old:
        _need_type(found, name, "secret")
        found[name] = value
    else:
        question = "" if dialect.is_old else did_you_mean(name, _KEYS)
        raise WrongInstructionError(f"unexpected key '{name}' in '{field}'{question}")


def _choice(name: str, value: str, dialect: Dialect) -> str:
    kind, known = ("mount type", _TYPES) if name == "type" else ("sharing value", _SHARING)
    if value.lower() not in known:
        question = "" if dialect.is_old else did_you_mean(value, known)
        raise WrongInstructionError(f"unsupported {kind} {go_quote(value)}{question}")
    return value.lower()


def _size(value: str) -> int:
    found = _SIZE.fullmatch(value)
    if found is None:
        raise WrongInstructionError(f"invalid value for size: {value}")
    return int(float(found[1]) * 1024 ** " kmgtp".index(found[2].lower() or " "))


def _number(name: str, value: str) -> int:
    base = 8 if name == "mode" else 10
    if not value or value.strip("0123456789"[:base]):
        raise WrongInstructionError(f"invalid value {value} for {name}")
    digits = value.lstrip("0") or "0"
    number = int(digits[:12], base)
    if number > _WIDEST_ID or len(digits) > len(digits[:12]):
        raise WrongInstructionError(f"invalid value {value} for {name}")
    return number


def _checked(mount: Mount) -> Mount:
    """Return a mount unless its parts contradict each other."""
    if mount.type not in _OF_FILES:
        for name in ("mode", "uid", "gid"):
            if getattr(mount, name) is not None:
                raise WrongInstructionError(f"{name} not allowed for {go_quote(mount.type)} type mounts")
    if mount.type == "secret":
        _check_secret(mount)
    if mount.sharing and mount.type != "cache":
        raise WrongInstructionError(f"invalid cache sharing set for {mount.type} mount")
    return mount


def _check_secret(mount: Mount) -> None:
    if mount.source_stage:
        raise WrongInstructionError("secret mount should not have a from")
    if mount.sharing:
        raise WrongInstructionError("secret mount should not define sharing")
    if not (mount.source or mount.target or mount.cache_id):
        raise WrongInstructionError("invalid secret mount. one of source, target required")
    if mount.source and mount.cache_id:
        raise WrongInstructionError("both source and id can't be set")
