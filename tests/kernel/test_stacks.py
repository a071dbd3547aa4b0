"""overlay.md sections 1 and 7: what several layers show together, and what the upper keeps."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.testing import differences
from tests.kernel.agreement import Pair
from tests.tars import Entry, directory, layer_tar, symlink
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

CREATE = os.O_CREAT | os.O_EXCL
OPAQUE = ".wh..wh..opq"


def file(path: str, content: str) -> Entry:
    return Entry(path, content=content.encode())


@dataclass(frozen=True)
class Case:
    """Layers base first, and what is done above them."""

    layers: tuple[tuple[Entry, ...], ...]
    operations: tuple[Operation, ...] = ()


D = directory("d")
CASES: dict[str, Case] = {
    "files and a whiteout": Case(
        ((D, file("d/a", "1"), file("d/b", "1")), (D, file("d/b", "2"), file("d/c", "2"), Entry("d/.wh.a"))),
        (("listdir", "/d"), ("read", "/d/b"), ("read", "/d/a")),
    ),
    "directory, file, directory": Case(((D, file("d/a", "1")), (file("d", "file"),), (D, file("d/u", "3")))),
    "directory, opaque, directory": Case(
        ((D, file("d/a", "1")), (D, Entry(f"d/{OPAQUE}"), file("d/b", "2")), (D, file("d/u", "3")))
    ),
    "create over a lower whiteout, and unlink": Case(
        ((file("x", "1"),), (Entry(".wh.x"),)), (("write", "/x", CREATE, b"new"), ("unlink", "/x"))
    ),
    "mkdir over a lower whiteout": Case(((file("x", "1"),), (Entry(".wh.x"),)), (("mkdir", "/x"),)),
    "metadata of the topmost": Case(
        (
            (Entry("d", tarfile.DIRTYPE, mode=0o700, mtime=1), file("d/a", "1")),
            (Entry("d", tarfile.DIRTYPE, mode=0o755, mtime=2), file("d/b", "2")),
        ),
        (("lstat", "/d"),),
    ),
    "mkdir below an opaque directory": Case(
        ((D, directory("d/k"), file("d/k/a", "1")),),
        (
            ("unlink", "/d/k/a"),
            ("rmdir", "/d/k"),
            ("rmdir", "/d"),
            ("mkdir", "/d"),
            ("mkdir", "/d/k"),
            ("listdir", "/d/k"),
        ),
    ),
    "rename there and back over another": Case(
        ((file("a", "1"), file("b", "2")),), (("rename", "/a", "/b"), ("rename", "/b", "/a"))
    ),
    "rename there and back": Case(((D, file("d/x", "1")),), (("rename", "/d/x", "/d/x2"), ("rename", "/d/x2", "/d/x"))),
    "rename over a removed directory": Case(
        ((D, file("d/a", "1")),),
        (
            ("mkdir", "/n"),
            ("write", "/n/f", CREATE, b"n"),
            ("unlink", "/d/a"),
            ("rmdir", "/d"),
            ("rename", "/n", "/d"),
            ("listdir", "/d"),
        ),
    ),
    "unlink far below": Case(
        ((directory("p"), directory("p/q"), directory("p/q/r"), file("p/q/r/f", "1")),), (("unlink", "/p/q/r/f"),)
    ),
    "create through a link": Case(((symlink("s", "d"), D, file("d/a", "1")),), (("write", "/s/n", CREATE, b"new"),)),
    "opaque at the root": Case(((file("a", "1"),), (Entry(OPAQUE), file("b", "2"))), (("listdir", "/"),)),
    "link hides a directory": Case(
        ((D, file("d/a", "1"), directory("e")), (symlink("d", "e"),)), (("listdir", "/d"), ("lstat", "/d"))
    ),
    "directory hides a link": Case(
        ((D, file("d/a", "1"), symlink("s", "d")), (directory("s"), file("s/n", "2"))), (("listdir", "/s"),)
    ),
    "the same layer twice": Case(
        ((D, file("d/a", "1")), (Entry("d/.wh.a"),), (D, file("d/a", "1"))), (("read", "/d/a"), ("unlink", "/d/a"))
    ),
    "implied parents": Case(
        ((Entry("d", tarfile.DIRTYPE, mode=0o700, uid=5, gid=6), file("d/a", "1")), (file("d/n", "2"),)),
        (("lstat", "/d"),),
    ),
    "links of a lower inode break": Case(
        ((file("a", "1"), Entry("b", tarfile.LNKTYPE, target="a")),),
        (
            ("write", "/a", os.O_APPEND, b"+"),
            ("lstat", "/a"),
            ("lstat", "/b"),
            ("read", "/b"),
            ("link", "/b", "/c"),
            ("lstat", "/c"),
        ),
    ),
    "a sparse copy-up": Case(
        ((file("x", ""),),), (("truncate", "/x", 10_000_000), ("lstat", "/x"), ("chmod", "/x", 0o600))
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_stack_shows_and_keeps_what_the_kernel_does(
    name: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]
) -> None:
    case = CASES[name]
    pair = Pair.over(overlay_mount([layer_tar(entries) for entries in case.layers]))
    pair.agree(case.operations)
    pair.same_end()


@pytest.mark.parametrize("name", CASES)
def test_a_view_shows_what_the_kernel_shows(name: str, overlay_mount: Callable[[list[bytes]], KernelOverlay]) -> None:
    layers = [layer_tar(entries) for entries in CASES[name].layers]
    mounted = overlay_mount(layers)
    view = ls.View([ls.Layer.from_tar(layer) for layer in layers])
    assert differences(snapshot(Disk(mounted.merged)), snapshot(view)) == []
