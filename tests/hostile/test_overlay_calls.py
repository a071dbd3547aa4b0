"""Calls on a file system with arguments that make no sense: what `os` raises, or an error of a fitting type."""

from __future__ import annotations

import array
import errno
import inspect
import os
import pathlib
import resource
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import layersim as ls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TIB = 1 << 40
NUMBERS = [-1, 0, 1, True, 2**31, 2**32, 2**44, 2**62, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**64), 10**30, np.int64(3)]
TEXTS = ["", "/", "/\udcff", "/\ud800", "/a\0b", "../../..", "/" * (1 << 20), "/a" * (1 << 19), "/" + "x" * 300]
ODD = [
    *(None, 1.5, float("nan"), np.float64(1), object(), [], {}, (), bytearray(b"/f"), memoryview(b"/f")),
    *(array.array("H", [1]), np.str_("/f"), np.uint64(2**64 - 1), pathlib.PurePosixPath("/f"), b"/f", b"\0", len),
    *((1, 2), (1.5, float("inf")), (2**80, -(2**80)), ("a", 1)),
]
LAYER = ls.Layer.from_changes([ls.write("/f", b"file"), ls.mkdir("/d"), ls.symlink("/l", "f"), ls.symlink("/o", "o")])
GOOD: dict[str, Any] = {
    "path": "/f",
    "src": "/f",
    "dst": "/n",
    "mode": 0o644,
    "length": 3,
    "uid": 1,
    "gid": 1,
    "attribute": "user.a",
    "value": b"v",
    "data": b"x",
    "snapshot": None,
}
TYPED = (OSError, TypeError, ValueError, OverflowError, MemoryError)


def overlay() -> ls.Overlay:
    return ls.Overlay([LAYER])


def outcome(call: Callable[[], object]) -> tuple[str, int | None]:
    """Return what a call raised; what is not one of the types above ends the test."""
    try:
        call()
    except TYPED as error:
        kind = next(kind for kind in TYPED if isinstance(error, kind))
        return kind.__name__, error.errno if isinstance(error, OSError) else None
    return "returned", None


def methods(owner: type) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("_") and callable(getattr(owner, name))]


def calls(owner: type) -> list[tuple[str, str]]:
    """Return each method with each of its arguments, those aside that are places of the host."""
    found = []
    for name in methods(owner):
        words = inspect.signature(getattr(owner, name)).parameters
        found += [(name, word) for word in words if word not in {"self", "target", "directory"}]
    return found


def given_to(owner: type, name: str, word: str, value: object) -> tuple[list[object], dict[str, object]]:
    """Return the arguments of a call of which one is odd."""
    parameters = inspect.signature(getattr(owner, name)).parameters
    given = {other: GOOD[other] for other in parameters if other in GOOD} | {word: value}
    named = [other for other in given if parameters[other].kind is inspect.Parameter.KEYWORD_ONLY]
    return [given[other] for other in parameters if other in given and other not in named], {
        other: given[other] for other in named
    }


@pytest.mark.parametrize(
    ("owner", "name", "word"), [(owner, *call) for owner in (ls.Overlay, ls.View) for call in calls(owner)]
)
def test_whatever_a_method_is_given_its_error_is_typed(owner: type, name: str, word: str) -> None:
    refused = 0
    for value in (*NUMBERS, *TEXTS, *ODD):
        target = owner([LAYER])
        positional, named = given_to(owner, name, word, value)
        refused += outcome(partial(getattr(target, name), *positional, **named))[0] != "returned"
        assert target.exists("/d") or (name, word) in {("rmdir", "path"), ("rename", "src")}
    assert refused > 0 or name in {"exists", "walk"}


@pytest.mark.parametrize("name", ["read", "write", "pread", "pwrite", "seek", "truncate"])
def test_whatever_an_open_file_is_given_its_error_is_typed(name: str) -> None:
    count = len(inspect.signature(getattr(ls.File, name)).parameters) - 1
    for first in (*NUMBERS, *TEXTS[:3], *ODD):
        for second in (*NUMBERS, *ODD) if count > 1 else [None]:
            with overlay().open("/f", os.O_RDWR) as file:
                outcome(partial(getattr(file, name), *(first, second)[:count]))


THEIRS: dict[str, Callable[..., object]] = {
    "pread": os.pread,
    "pwrite": os.pwrite,
    "seek": os.lseek,
    "truncate": os.ftruncate,
    "write": os.write,
}
OFFSETS = [number for number in NUMBERS if number is not True]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(("pread", (3, offset)) for offset in OFFSETS),
        *(("pread", (size, 0)) for size in (-1, -(2**63), 2**64, 10**30)),
        *(("pwrite", (data, offset)) for data in (b"x", b"") for offset in OFFSETS if offset not in {2**44, 2**62}),
        *(("seek", (offset, whence)) for offset in OFFSETS for whence in (-1, *range(7), 2**31)),
        *(("truncate", (length,)) for length in OFFSETS if length != 2**62),
        *(("write", (data,)) for data in (b"x", "x", None, 3, bytearray(b"y"), np.zeros(3))),
    ],
)
def test_an_open_file_refuses_what_the_kernel_refuses(name: str, arguments: tuple[object, ...], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"file")
    descriptor = os.open(tmp_path / "f", os.O_RDWR)
    try:
        expected = outcome(partial(THEIRS[name], descriptor, *arguments))
    finally:
        os.close(descriptor)
    with overlay().open("/f", os.O_RDWR) as file:
        assert outcome(partial(getattr(file, name), *arguments)) == expected


def test_a_closed_file_says_so_whatever_it_is_asked() -> None:
    file = overlay().open("/f", os.O_RDWR)
    file.close()
    file.close()
    asked: list[Callable[[], object]] = [
        file.read,
        file.tell,
        file.stat,
        file.truncate,
        *(partial(file.truncate, length) for length in (0, -1)),
        *(partial(file.pread, 1, offset) for offset in (0, -1)),
        *(partial(file.pwrite, b"x", offset) for offset in (0, -1)),
        *(partial(file.seek, 0, whence) for whence in (0, 9)),
        partial(file.write, b""),
    ]
    for call in asked:
        with pytest.raises(ValueError, match="I/O operation on closed file"):
            call()


def test_a_file_of_a_tebibyte_takes_no_memory() -> None:
    fs = overlay()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fs.truncate("/f", TIB)
    copy, snapshot = fs.fork(), fs.snapshot()
    with copy.open("/f", os.O_RDWR) as file:
        assert file.pwrite(b"end", TIB - 3) == 3
        assert (file.pread(2**62, TIB - 4), file.pread(9, TIB // 2)) == (b"\0end", bytes(9))
        ends = file.seek(0, os.SEEK_DATA), file.seek(0, os.SEEK_HOLE), file.seek(4096, os.SEEK_DATA)
        assert ends == (0, 4096, TIB - 4096)
    assert [one.stat("/f").st_size for one in (fs, copy)] == [fs.size_rw, copy.size_rw] == [TIB, TIB]
    assert copy.changes() == fs.changes() == [ls.Change("C", "/f")]
    fs.rollback(snapshot)
    assert fs.stat("/f").st_size == TIB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10


def test_longer_than_a_file_can_be() -> None:
    fs = overlay()
    with fs.open("/f", os.O_RDWR) as file:
        for call in (
            partial(file.truncate, 2**62),
            partial(file.pwrite, b"x", 2**62),
            partial(fs.truncate, "/f", 2**62),
        ):
            assert outcome(call) == ("OSError", errno.EFBIG)
    assert fs.read_bytes("/f") == b"file"


@pytest.mark.parametrize("device", [2**32, 2**63, 2**64 - 1])
def test_a_device_number_has_32_bits(device: int, tmp_path: Path) -> None:
    assert outcome(partial(os.mknod, tmp_path / "n", 0o600, 2**32)) == ("OSError", errno.EINVAL)
    assert outcome(partial(overlay().mknod, "/n", 0o600, device)) == ("OSError", errno.EINVAL)
