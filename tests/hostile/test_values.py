"""Arguments that make no sense, and targets that fail: an error that says so, the one that Python's own `os` raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

import layersim as ls

if TYPE_CHECKING:
    import io
    from pathlib import Path


def test_what_a_target_raises_reaches_the_caller() -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        ls.Layer.from_changes([]).write_tar(cast("io.BytesIO", Full()))


def test_a_directory_is_no_tar(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        ls.Layer.from_tar(tmp_path)


def test_one_path_is_not_many() -> None:
    view = ls.View([ls.Layer.from_changes([ls.mkdir("/d")])])
    for one in ("/d", b"/d"):
        with pytest.raises(TypeError, match="put it into a list"):
            view.lookup(cast("list[str]", one))


def test_times_that_no_disk_keeps() -> None:
    fs = ls.Overlay([ls.Layer.from_changes([ls.write("/f", b"")])])
    fs.utime("/f", ns=(2**80, -(2**80)))
    assert (fs.stat("/f").st_atime, fs.stat("/f").st_mtime) == (15032385535, -(2**31))
    for odd in (float("nan"), float("inf"), 1e300):
        with pytest.raises(ValueError, match="finite"):
            fs.utime("/f", (odd, 0))
