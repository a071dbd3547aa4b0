"""Synthetic bytes in an overlay: they follow from a seed, and are a file like any other."""

from __future__ import annotations

import errno
import os

import pytest

import layersim as ls

LARGEST = 0xFFFFFFFF << 12


def fs() -> ls.Overlay:
    lower = ls.Layer.from_changes([ls.write("/f", b"lower", mode=0o4600), ls.mkdir("/d"), ls.symlink("/s", "f")])
    return ls.Overlay([lower], clock=lambda: 7)


def splitmix(seed: int, size: int) -> bytes:
    """Return the bytes by the definition of SplitMix64 (Steele, Lea, Flood 2014), words in little endian."""
    words, mask = [], 2**64 - 1
    for number in range(1, size // 8 + 2):
        word = (seed + number * 0x9E3779B97F4A7C15) & mask
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
        words.append((word ^ (word >> 31)).to_bytes(8, "little"))
    return b"".join(words)[:size]


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_the_bytes_follow_from_the_seed(seed: int) -> None:
    top = fs()
    top.write_seeded("/new", 1003, seed=seed)
    assert top.read_bytes("/new") == splitmix(seed, 1003)


def test_a_file_is_rewritten_as_by_write_bytes() -> None:
    ours, theirs = fs(), fs()
    ours.write_seeded("/s", 100, seed=3)
    theirs.write_bytes("/s", splitmix(3, 100))
    assert ours.to_layer() == theirs.to_layer()
    assert ours.changes() == theirs.changes()
    assert ls.View(ours.lower.layers).read_bytes("/f") == b"lower"


def test_an_open_file_sees_them_and_can_change_them() -> None:
    top = fs()
    with top.open("/f", os.O_RDWR) as file:
        top.write_seeded("/f", 2**43)
        file.pwrite(b"mine", 2**42)
        assert file.pread(6, 2**42 - 1)[1:5] == b"mine"
    assert top.size_rw == 2**43


@pytest.mark.parametrize(
    ("path", "size", "number"), [("/d", 1, errno.EISDIR), ("/no/f", 1, errno.ENOENT), ("/n", LARGEST + 1, errno.EFBIG)]
)
def test_what_cannot_be_written_says_why(path: str, size: int, number: int) -> None:
    top = fs()
    with pytest.raises(OSError, match=path) as caught:
        top.write_seeded(path, size)
    assert caught.value.errno == number
    assert top.changes() == []
