"""Overlays mounted in one another, the same on the kernel's and on ours: every path that leads in, out or across."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.kernel.agreement import Pair
from tests.kernel.operations import Session
from tests.kernel.random_operations import Sequence, lower_layers
from tests.kernel.user_operations import Users, opened_root, owned_layers
from tests.oracles import require_program
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

    Mount = Callable[[list[bytes]], KernelOverlay]
    Mounted = Callable[[list[bytes], Mapping[str, bytes]], Pair]

CREATE = os.O_CREAT | os.O_WRONLY
LONG = "n" * 256

VOLUME = layer_tar(
    [
        Entry("a", content=b"volume a"),
        directory("d"),
        Entry("d/a", content=b"deep in the volume"),
        Entry("b", content=b"b"),
        symlink("s", "/d"),
        symlink("sd", "../d"),
        symlink("up", ".."),
        symlink("e", "/c/d"),
        symlink("loop", "/loop"),
        symlink("out", "../../../f"),
        symlink("new", "/made-by-link"),
    ]
)


@pytest.fixture
def mounted(overlay_mount: Mount) -> Iterator[Mounted]:
    """Mount the root from layers, and volumes in it by path; equal tars are one volume."""
    roots: list[Path] = []

    def mount(layers: list[bytes], volumes: Mapping[str, bytes]) -> Pair:
        kernel = overlay_mount(layers)
        roots.append(kernel.merged)
        theirs = {tar: overlay_mount([tar]) for tar in set(volumes.values())}
        ours = {tar: ls.Overlay([ls.Layer.from_tar(tar)]) for tar in theirs}
        for path, tar in volumes.items():
            place = f"{kernel.merged}{path}"
            os.makedirs(place, exist_ok=True)
            bind = [require_program("mount", "mount"), "--bind", str(theirs[tar].merged), place]
            subprocess.run(bind, check=True)
        mounts = {path: ours[tar] for path, tar in volumes.items()}
        fs = ls.Overlay([ls.Layer.from_tar(tar) for tar in layers], mounts=mounts)
        fs.make_mountpoints()
        return Pair(kernel, fs, Session(fs))

    yield mount
    for place in sorted(filter(lambda place: not {*roots}.isdisjoint(place.parents), _mount_points()), reverse=True):
        subprocess.run([require_program("umount", "mount"), "--lazy", str(place)], check=True)


def _mount_points() -> list[Path]:
    """Return where something is mounted now: mounts move with their directories."""
    return [Path(line.split()[1]) for line in Path("/proc/self/mounts").read_text().splitlines()]


def lower() -> bytes:
    hops = [symlink(f"hop{n}", f"hop{n - 1}" if n > 1 else "v/hop40") for n in range(1, 43)]
    plain = [Entry("f", content=b"file"), Entry("same", content=b"2"), directory("d"), Entry("d/a", content=b"a")]
    links = [
        symlink("into", "v/d"),
        symlink("absolute", "/v"),
        symlink("file", "/v/a"),
        symlink("dangling", "/v/nothing"),
        symlink("loop", "v/loop"),
    ]
    return layer_tar([*plain, *links, *hops, directory("c"), directory("v"), Entry("v/hidden", content=b"h")])


def hopping_volume() -> bytes:
    """Return links in the volume that lead on to those of the root, so that only the whole way is too long."""
    return layer_tar([symlink(f"hop{n}", f"hop{n - 1}" if n > 1 else "../d") for n in range(1, 42)])


QUESTIONS = ("lstat", "stat", "read", "readlink", "listdir")
PATHS = (
    *(
        "/v",
        "/v/",
        "/v/.",
        "/v/..",
        "/v/../f",
        "/v/../v/a",
        "/v/hidden",
        "/v/none",
        "/v/a/",
        "/v/a/x",
        "/v/d/../../d/a",
    ),
    *(
        "/into",
        "/into/",
        "/into/a",
        "/into/..",
        "/into/../..",
        "/absolute",
        "/absolute/a",
        "/file",
        "/file/",
        "/dangling",
    ),
    *("/v/s", "/v/s/", "/v/s/a", "/v/sd/a", "/v/up", "/v/up/f", "/v/up/v/a", "/v/e", "/v/e/a", "/v/out", "/v/loop"),
    *("/loop", f"/v/{LONG}", f"/v/up/{LONG}", "/v/new", "/v/d/../..", "/v/../..", "/w/a", "/w/up/v/a", "/v/in/a"),
)

ROWS: dict[str, list[Operation]] = {
    "asking": [(name, path) for path in PATHS for name in QUESTIONS],
    "walking": [("walk", path) for path in ("/", "/v", "/v/d", "/absolute", "/into", "/v/up", "/v/..")],
    "mount points": [
        (name, path)
        for path in ("/v", "/v/", "/absolute", "/v/in", "/v/.", "/v/..", "/w")
        for name in ("rmdir", "unlink", "mkdir", "mkfifo")
    ],
    "moving mount points": [
        ("rename", source, target)
        for source, target in (
            ("/v", "/n"),
            ("/v", "/v"),
            ("/v", "/d"),
            ("/v", "/f"),
            ("/d", "/v"),
            ("/f", "/v"),
            ("/none", "/v"),
            ("/v", "/none/x"),
            ("/v", f"/{LONG}"),
            ("/v/in", "/v/n"),
            ("/v/.", "/n"),
            ("/v", "/w"),
        )
    ],
    "across": [
        (name, source, target)
        for name in ("rename", "link")
        for source, target in (
            ("/f", "/v/f"),
            ("/v/a", "/n"),
            ("/v/a", "/f"),
            ("/v/none", "/n"),
            ("/none", "/v/n"),
            ("/none/x", "/v/n"),
            ("/f", "/v/none/x"),
            ("/f", "/v/a/x"),
            ("/f", "/v/a"),
            ("/f", f"/v/{LONG}"),
            ("/v/d", "/n"),
            ("/v", "/v/n"),
            ("/v/a", "/w/n"),
            ("/v/a", "/v/in/n"),
            ("/f", "/v/n/"),
            ("/f", "/v/up/n"),
            ("/v/.", "/f"),
            ("/f", "/v/d/."),
            ("/v/b", "/into/b"),
            ("/file", "/v/n2"),
        )
    ],
    "through links": [
        ("write", "/file", 0, b"1"),
        ("read", "/v/a"),
        ("write", "/dangling", os.O_CREAT, b"22"),
        ("read", "/v/nothing"),
        ("write", "/v/new", os.O_CREAT, b"333"),
        ("read", "/made-by-link"),
        ("open", "/v/new", CREATE | os.O_EXCL),
        ("open", "/v/new", CREATE | os.O_NOFOLLOW),
        ("open", "/v", CREATE),
        ("open", "/v/", CREATE),
        ("open", "/v/in", os.O_DIRECTORY),
        ("open", "/absolute", os.O_NOFOLLOW),
        ("open", "/v/up", os.O_DIRECTORY | os.O_NOFOLLOW),
        ("mkdir", "/into/m"),
        ("listdir", "/v/d"),
        ("rmdir", "/v/sd"),
        ("unlink", "/v/sd"),
        ("symlink", "t", "/v/s/t"),
        ("symlink", "t", "/into"),
        ("readlink", "/d/t"),
        ("chmod", "/absolute", 0o700),
        ("lstat", "/v"),
        ("chmod", "/v/up/v/s", 0o710),
        ("lstat", "/d"),
        ("lchown", "/v/up", 3, 4),
        ("chown", "/v/up", 5, 6),
        ("lstat", "/"),
        ("truncate", "/v/out", 1),
        ("utime", "/into", 5),
        ("setxattr", "/into/a", "user.k", b"v"),
        ("listxattr", "/v/d/a"),
        ("truncate", "/v/none/x", -1),
        ("mknod", "/v/none/x", 0o030000, 0),
    ],
    "removing": [
        ("unlink", "/v/up/f"),
        ("rename", "/v/d", "/v/in2"),
        ("lstat", "/into"),
        ("rename", "/into", "/v/up/d/into"),
        ("readlink", "/d/into"),
        ("rmdir", "/c"),
        ("unlink", "/v/d/../a"),
        ("listdir", "/v"),
        ("listdir", "/"),
    ],
}


@pytest.mark.parametrize("row", ROWS)
def test_a_mounted_root_is_what_the_kernel_shows(row: str, mounted: Mounted) -> None:
    inner = layer_tar([Entry("a", content=b"inner"), symlink("up", "..")])
    pair = mounted([lower()], {"/v": VOLUME, "/w": VOLUME, "/v/in": inner})
    pair.agree(ROWS[row])
    pair.same_end()


def test_links_are_counted_over_the_whole_way(mounted: Mounted) -> None:
    pair = mounted([lower()], {"/v": hopping_volume()})
    ways = (
        [f"/v/hop{n}" for n in (1, 39, 40, 41)] + [f"/hop{n}" for n in (1, 2)] + ["/v/../v/hop20/../v/hop20", "/hop1/a"]
    )
    ways += ["/v/hop20/../v/hop21", "/v/hop20/../v/hop20/a", "/v/hop20/../hop1"]
    pair.agree([(name, way) for way in ways for name in ("stat", "lstat", "listdir")])


def test_a_mount_goes_along_with_a_directory_above_it(mounted: Mounted) -> None:
    pair = mounted([lower()], {"/new/deep/m": VOLUME, "/d/m": layer_tar([Entry("a", content=b"2")])})
    pair.agree(
        [
            ("rename", "/new/deep", "/new/moved"),
            ("read", "/new/moved/m/a"),
            ("lstat", "/new/moved/m/up/m/a"),
            ("lstat", "/new/deep/m"),
            ("rename", "/new", "/c"),
            ("read", "/c/moved/m/a"),
            ("read", "/c/moved/m/../../../f"),
            ("rmdir", "/c/moved/m"),
            ("rmdir", "/c/moved"),
            ("mkdir", "/new"),
            ("mkdir", "/new/deep"),
            ("mkdir", "/new/deep/m"),
            ("listdir", "/new/deep/m"),
            ("rename", "/d", "/moved"),
            ("read", "/d/m/a"),
        ]
    )
    pair.same_end()


@pytest.mark.parametrize("seed", range(200, 225))
def test_random_paths(seed: int, mounted: Mounted) -> None:
    source = Sequence(seed)
    pair = mounted(lower_layers(), {"/c": VOLUME, "/d/e": VOLUME, "/c/d": layer_tar([Entry("a", content=b"in")])})
    for _ in range(5):
        pair.agree([*(source.operation() for _ in range(60)), ("walk", "/")])
        pair.same_end()


@pytest.mark.parametrize("seed", range(300, 308))
def test_random_paths_of_several_users(seed: int, mounted: Mounted) -> None:
    source = Users(seed)
    [volume, _], inner = owned_layers(seed + 1000), owned_layers(seed + 2000)[0]
    pair = mounted(owned_layers(seed), {"/c": volume, "/d/e": volume, "/c/d": inner})
    pair.agree([*opened_root(), ("chmod", "/c", 0o777), ("chmod", "/c/d", 0o3777)])
    for _ in range(4):
        pair.agree([source.user_operation() for _ in range(80)])
        pair.same_end()
