"""What makes an overlay feel like `os`: names of arguments, errors with their paths, handles that let go."""

from __future__ import annotations

import array
import errno
import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import InvalidPathError

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = ls.Layer.from_changes([ls.write("/f", b"file"), ls.mkdir("/d")])


@pytest.fixture
def fs() -> ls.Overlay:
    return ls.Overlay([BASE])


NAMES = (
    "rename link symlink readlink unlink rmdir mkdir chmod chown truncate setxattr getxattr removexattr listxattr"
    " listdir mknod stat lstat"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_arguments_have_the_names_of_os(name: str) -> None:
    theirs = {name for name in inspect.signature(getattr(os, name)).parameters if "dir_fd" not in name}
    assert set(inspect.signature(getattr(ls.Overlay, name)).parameters) - {"self"} == theirs


@pytest.mark.parametrize("call", [ls.Overlay.rename, ls.Overlay.link])
def test_an_error_about_two_paths_names_both(fs: ls.Overlay, call: Callable[[ls.Overlay, str, str], None]) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        call(fs, "/none", "/new")
    assert (caught.value.filename, caught.value.filename2) == ("/none", "/new")


def test_a_link_names_what_it_says_and_where(fs: ls.Overlay) -> None:
    with pytest.raises(FileExistsError) as caught:
        fs.symlink("target", "/f", target_is_directory=True)
    assert (caught.value.filename, caught.value.filename2) == ("target", "/f")


@pytest.mark.parametrize(
    ("name", "arguments", "number"),
    [
        ("write", (b"x",), errno.EBADF),
        ("pread", (-1, 0), errno.EINVAL),
        ("pread", (1, -1), errno.EINVAL),
        ("pwrite", (b"", -1), errno.EINVAL),
        ("seek", (0, 9), errno.EINVAL),
        ("seek", (-1,), errno.EINVAL),
        ("truncate", (-1,), errno.EINVAL),
    ],
)
def test_an_error_of_an_open_file_names_no_path(
    fs: ls.Overlay, name: str, arguments: tuple[object, ...], number: int
) -> None:
    with fs.open("/f") as file:
        work: Callable[..., object] = getattr(file, name)
        with pytest.raises(OSError, match=r"\[Errno") as caught:
            work(*arguments)
    assert (caught.value.errno, caught.value.filename) == (number, None)


def test_a_text_with_a_nul_byte_is_refused_at_the_call(fs: ls.Overlay) -> None:
    calls: list[Callable[[], None]] = [
        lambda: fs.symlink("a\0b", "/new"),
        lambda: fs.rename("/f", "/a\0b"),
        lambda: fs.link("/f", "/a\0b"),
        lambda: fs.setxattr("/f", "user.a\0b", b""),
    ]
    for call in calls:
        with pytest.raises(InvalidPathError):
            call()
    assert fs.changes() == []


def test_attributes_that_no_tar_can_say_do_not_get_into_a_layer(fs: ls.Overlay) -> None:
    with pytest.raises(ValueError, match=r"no tar can say the attribute 'user\.a=b' of 'x'"):
        ls.Layer.from_changes([ls.write("/x", b"", xattrs={"user.a=b": b"v"})])
    fs.setxattr("/f", "user.a=b", b"v")
    with pytest.raises(ValueError, match="no tar can say"):
        fs.to_layer(dialect="canonical")
    assert fs.to_layer().size == 4


def test_anything_with_bytes_can_be_written(fs: ls.Overlay) -> None:
    with fs.open("/f", os.O_RDWR | os.O_TRUNC) as file:
        assert file.write(array.array("H", [0x4141, 0x4242])) == 4
        assert file.pread(10, 0) == b"AABB"
        text: Any = "text"
        with pytest.raises(TypeError):
            file.write(text)


def test_no_owner_keeps_the_owner(fs: ls.Overlay) -> None:
    fs.chown("/f", 7, 8)
    fs.chown("/f", 0xFFFFFFFF, -1)
    assert (fs.stat("/f").st_uid, fs.stat("/f").st_gid) == (7, 8)


def test_a_directory_keeps_the_time_of_access_that_it_was_given(fs: ls.Overlay) -> None:
    fs.utime("/d", ns=(10**9, 2 * 10**9))
    assert (fs.stat("/d").st_atime_ns, fs.stat("/d").st_mtime_ns) == (10**9, 2 * 10**9)


def test_a_file_that_was_opened_before_a_copy_reads_it_to_the_end(fs: ls.Overlay) -> None:
    before, gone = fs.open("/f"), fs.open("/f")
    fs.write_bytes("/f", b"new")
    fs.unlink("/f")
    gone.close()
    assert (before.read(), fs.size_rw, fs.exists("/f")) == (b"new", 0, False)
    del before
    fs.write_bytes("/f", b"another")
    assert fs.read_bytes("/f") == b"another"


def resident_bytes() -> int:
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "dropped"])
def test_bytes_that_nobody_can_reach_are_let_go(*, closes: bool) -> None:
    count, size = 64, 1 << 20
    fs = ls.Overlay([ls.Layer.from_changes([ls.write(f"/f{n}", b"x") for n in range(count)])])
    before = resident_bytes()
    for number in range(count):
        path = f"/f{number}"
        file = fs.open(path)
        fs.write_bytes(path, b"y" * size)
        fs.unlink(path)
        assert len(file.read()) == size
        if closes:
            file.close()
    assert resident_bytes() - before < count * size / 4


class Reluctant:
    """A raw file that takes a little at a time."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: bytes) -> int:
        self.taken += data[:100]
        return min(100, len(data))


def test_a_file_that_takes_a_little_at_a_time_gets_all() -> None:
    target = Reluctant()
    assert BASE.write_tar(target) == len(target.taken)
    assert ls.Layer.from_tar(target.taken) == BASE
