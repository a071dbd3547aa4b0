"""A declared effect: what a command is said to do to a file system, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.units import parse_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PERMISSIONS = 0o7777
_ID_MAX = 2**32 - 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a command is declared to do; made by `effect`.

    Attributes
    ----------
    removes : tuple of str
        Paths or globs that are removed, with all that is in them.
    mkdirs : tuple of str
        Directories.
    writes : tuple of (str, bytes or int)
        Files: their bytes, or the size of synthetic ones.
    files : tuple of (str, int, int)
        Directories with many synthetic files: how many, and the bytes of all.
    symlinks : tuple of (str, str)
        Links and their targets.
    owners : tuple of (str, (int, int))
        Paths or globs, uid and gid.
    modes : tuple of (str, int)
        Paths or globs and permission bits.
    uses : tuple of str
        Paths or globs of what the command reads.
    seconds : float
        How long it takes.
    seed : int
        What synthetic bytes follow from, beside the command and what it uses.
    """

    removes: tuple[str, ...] = ()
    mkdirs: tuple[str, ...] = ()
    writes: tuple[tuple[str, bytes | int], ...] = ()
    files: tuple[tuple[str, int, int], ...] = ()
    symlinks: tuple[tuple[str, str], ...] = ()
    owners: tuple[tuple[str, tuple[int, int]], ...] = ()
    modes: tuple[tuple[str, int], ...] = ()
    uses: tuple[str, ...] = ()
    seconds: float = 0.0
    seed: int = 0


def effect(
    *,
    writes: Mapping[str, bytes | str | int] | None = None,
    files: Mapping[str, tuple[int, int | str]] | None = None,
    removes: Sequence[str] = (),
    mkdirs: Sequence[str] = (),
    symlinks: Mapping[str, str] | None = None,
    modes: Mapping[str, int] | None = None,
    owners: Mapping[str, tuple[int, int] | int] | None = None,
    uses: Sequence[str] = (),
    seconds: float = 0.0,
    seed: int = 0,
) -> Effect:
    """Declare what a command does, so that a build can go on without running it.

    Parameters
    ----------
    writes : mapping of str to bytes, str or int, optional
        Files by path. Bytes are their content. A number, or a text that is nothing but a number and a unit (``"40MB"``,
        decimal as Docker prints; ``"40MiB"``, binary), is a size, and the bytes are synthetic. Any other text is the
        content in UTF-8.
    files : mapping of str to (int, int or str), optional
        Directories that get many synthetic files: how many, and the size of all of them together. They lie in
        sub-directories of 64.
    removes : sequence of str
        Paths or globs to remove first, with all that is in them; what is not there is no error.
    mkdirs : sequence of str
        Directories, those above them included.
    symlinks : mapping of str to str, optional
        Links by path, and their targets.
    modes : mapping of str to int, optional
        Permission bits by path or glob, set last.
    owners : mapping of str to (int, int) or int, optional
        Uid and gid by path or glob; one number stands for both.
    uses : sequence of str
        Paths or globs of what the command reads. Synthetic bytes follow from their content too, so that they change
        with it; one that is not there lets the step fail, as it would fail the command.
    seconds : float
        How long the command takes.
    seed : int
        Another one gives other synthetic bytes.

    Returns
    -------
    Effect
        A value, to be given to `runs`.

    Raises
    ------
    TypeError
        For a text where a sequence of paths is expected.
    ValueError
        For a size, a mode, an owner or a duration that cannot be.

    Notes
    -----
    Paths are absolute or start at the step's working directory. Globs know ``*``, ``?`` and ``[ab]`` within one
    component, and ``**`` for any number of them. Directories on the way are made. Nothing is drawn: the same
    effect for the same command makes the same bytes.

    Examples
    --------
    >>> import layersim as ls
    >>> install = ls.effect(writes={"/usr/bin/node": "40MB"}, modes={"/usr/bin/node": 0o755}, seconds=12.5)
    >>> install.writes, install.seconds
    ((('/usr/bin/node', 40000000),), 12.5)
    """
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"expected a duration in seconds, got {seconds}")
    return Effect(
        removes=_words("removes", removes),
        mkdirs=_words("mkdirs", mkdirs),
        writes=tuple((path, _content(value)) for path, value in (writes or {}).items()),
        files=tuple((path, _count(number), _size(total)) for path, (number, total) in (files or {}).items()),
        symlinks=tuple((symlinks or {}).items()),
        owners=tuple((path, _owner(path, ids)) for path, ids in (owners or {}).items()),
        modes=tuple((path, _mode(path, mode)) for path, mode in (modes or {}).items()),
        uses=_words("uses", uses),
        seconds=float(seconds),
        seed=seed,
    )


def _words(name: str, paths: Sequence[str]) -> tuple[str, ...]:
    if isinstance(paths, str):
        raise TypeError(f"{name}: expected a sequence of paths, got the text {paths!r}")
    return tuple(paths)


def _content(value: bytes | str | int) -> bytes | int:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        size = parse_size(value)
        return value.encode("utf-8", "surrogateescape") if size is None else size
    return _size(value)


def _size(value: int | str) -> int:
    size = parse_size(value) if isinstance(value, str) else value
    if size is None or size < 0:
        raise ValueError(f'expected a size such as 4096 or "40MB", got {value!r}')
    return size


def _count(number: int) -> int:
    if number < 1:
        raise ValueError(f"expected at least one file, got {number}")
    return number


def _mode(path: str, mode: int) -> int:
    if not 0 <= mode <= _PERMISSIONS:
        raise ValueError(f"{path}: expected permission bits of 0 to 0o7777, got {mode:#o}")
    return mode


def _owner(path: str, ids: tuple[int, int] | int) -> tuple[int, int]:
    uid, gid = ids if isinstance(ids, tuple) else (ids, ids)
    if not (0 <= uid <= _ID_MAX and 0 <= gid <= _ID_MAX):
        raise ValueError(f"{path}: expected a uid and a gid of 0 to {_ID_MAX}, got {ids}")
    return uid, gid
