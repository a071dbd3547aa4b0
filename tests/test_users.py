"""One overlay seen by several users: what they share, what each may do, and what stays root's."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

import layersim as ls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BASE = ls.Layer.from_changes(
    [ls.mkdir("/home", mode=0o1777), ls.write("/secret", b"lower", mode=0o600), ls.write("/f", b"f", mode=0o644)]
)


@pytest.fixture
def fs() -> ls.Overlay:
    return ls.Overlay([BASE])


def test_all_see_the_same(fs: ls.Overlay) -> None:
    user, other = fs.as_user(1000, 1000), fs.as_user(1001)
    user.write_bytes("/home/f", b"1")
    assert fs.read_bytes("/home/f") == other.read_bytes("/home/f") == b"1"
    fs.write_bytes("/home/f", b"2")
    assert user.read_bytes("/home/f") == b"2"
    assert user.changes() == fs.changes()
    assert user.size_rw == fs.size_rw == 1
    assert user.to_layer() == fs.to_layer()


@pytest.mark.parametrize(
    ("gids", "group"), [((), 0), (7, 7), ([7, 8], 7), ((8, 7), 8), (range(5, 7), 5), ([], 0), (2**32 - 2, 2**32 - 2)]
)
def test_what_is_made_has_the_user_and_the_first_group(fs: ls.Overlay, gids: int | Sequence[int], group: int) -> None:
    for uid in (0, 1000, 2**32 - 2):
        path = f"/home/{uid}"
        fs.as_user(uid, gids).mkdir(path)
        assert (fs.stat(path).st_uid, fs.stat(path).st_gid) == (uid, group)


@pytest.mark.parametrize("bad", [-1, 2**32 - 1, 2**32, 2**70, -(2**70)])
def test_an_id_out_of_range_is_refused(fs: ls.Overlay, bad: int) -> None:
    told = f"expected an id of 0 to 4294967294, got {bad}"
    with pytest.raises(ValueError, match=told):
        fs.as_user(bad)
    for gids in (bad, [2, bad]):
        with pytest.raises(ValueError, match=told):
            fs.as_user(1, gids)


@pytest.mark.parametrize("bad", ["1", None, 1.5, ["1"], [None], {"a": 1}])
def test_what_is_no_id_is_refused(fs: ls.Overlay, bad: object) -> None:
    call: Callable[..., ls.Overlay] = fs.as_user
    for arguments in ((bad,), (1, bad)):
        with pytest.raises(TypeError):
            call(*arguments)


CALLS: list[Callable[[ls.Overlay], object]] = [
    lambda user: user.read_bytes("/secret"),
    lambda user: user.open("/secret"),
    lambda user: user.truncate("/secret", 0),
    lambda user: user.mkdir("/new"),
    lambda user: user.write_bytes("/f", b""),
    lambda user: user.rename("/f", "/g"),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_is_a_permission_error_and_changes_nothing(
    fs: ls.Overlay, call: Callable[[ls.Overlay], object]
) -> None:
    with pytest.raises(PermissionError) as caught:
        call(fs.as_user(1000))
    assert caught.value.errno == errno.EACCES
    assert caught.value.filename in {"/secret", "/new", "/f"}
    assert fs.changes() == []


def test_a_file_stays_open_when_its_mode_changes_and_writes_for_its_user(fs: ls.Overlay) -> None:
    user = fs.as_user(1000, [1000])
    for writer, left in ((fs, 0o6755), (user, 0o755)):
        fs.write_bytes("/home/f", b"")
        fs.chown("/home/f", 1000, 1000)
        fs.chmod("/home/f", 0o600)
        with writer.open("/home/f", os.O_RDWR) as handle:
            fs.chmod("/home/f", 0o6755)
            assert handle.write(b"1") == 1
            assert handle.stat().st_mode & 0o7777 == left
            fs.chmod("/home/f", 0)
            assert handle.pread(1, 0) == b"1"


def test_a_fork_keeps_its_user_and_hands_out_others(fs: ls.Overlay) -> None:
    fork = fs.as_user(1000).fork()
    with pytest.raises(PermissionError):
        fork.read_bytes("/secret")
    fork.as_user(0).write_bytes("/secret", b"fork")
    assert fs.read_bytes("/secret") == b"lower"
    assert fork.as_user(0).read_bytes("/secret") == b"fork"


def test_snapshots_are_of_the_overlay_whoever_takes_them(fs: ls.Overlay) -> None:
    user = fs.as_user(1000)
    before = user.snapshot()
    handle = user.open("/home/f", os.O_CREAT)
    fs.rollback(before)
    assert not user.exists("/home/f")
    with pytest.raises(OSError, match="Stale") as caught:
        handle.read()
    assert caught.value.errno == errno.ESTALE


def test_a_user_goes_on_through_mounts(fs: ls.Overlay) -> None:
    volume = ls.Overlay([ls.Layer.from_changes([ls.write("/v", b"v", mode=0o600)])])
    outer = ls.Overlay([BASE], mounts={"/home/volume": volume.as_user(0)})
    outer.make_mountpoints()
    user = outer.as_user(1000)
    with pytest.raises(PermissionError):
        user.read_bytes("/home/volume/v")
    volume.chmod("/v", 0o6777)
    with user.open("/home/volume/v", os.O_WRONLY) as handle:
        handle.write(b"user")
    assert (volume.read_bytes("/v"), volume.stat("/v").st_mode & 0o7777) == (b"user", 0o777)
    assert user.fork().read_bytes("/home/volume/v") == b"user"
    assert fs.changes() == []


def test_a_container_has_users() -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([BASE], tag="a:1")
    container = engine.create("a:1", volumes={"/data": "data"})
    user = container.fs.as_user(1000)
    with pytest.raises(PermissionError):
        user.write_bytes("/data/f", b"")
    container.fs.chown("/data", 1000, 1000)
    user.write_bytes("/data/f", b"1")
    assert container.fs.read_bytes("/data/f") == b"1"
    assert [str(change.path) for change in container.changes()] == ["/data"]


def test_what_an_engine_does_is_done_by_root() -> None:
    layer = ls.Layer.from_changes([ls.mkdir("/closed", mode=0o700)])
    outer = ls.Overlay([layer], mounts={"/closed/volume": ls.Overlay([])})
    outer.as_user(1000).make_mountpoints()
    assert outer.stat("/closed/volume").st_uid == 0
    with pytest.raises(PermissionError):
        outer.as_user(1000).make_directories("/closed/other")


def test_walking_leaves_out_what_must_not_be_listed(fs: ls.Overlay) -> None:
    for path, mode in (("/home/open", 0o755), ("/home/listed", 0o744), ("/home/closed", 0o711)):
        fs.mkdir(path, mode)
        fs.mkdir(f"{path}/d")
    seen = [(path, dirs) for path, dirs, _ in fs.as_user(1000).walk("/home")]
    names = ["closed", "listed", "open"]
    assert seen == [("/home", names), ("/home/listed", ["d"]), ("/home/open", ["d"]), ("/home/open/d", [])]


def test_a_user_is_shown(fs: ls.Overlay) -> None:
    assert repr(fs.as_user(5, [6, 7])) == "Overlay(1 layers, 0 bytes written, uid 5, gids [6, 7])"
    assert repr(fs.as_user(5).as_user(0)) == "Overlay(1 layers, 0 bytes written, uid 0, gids [0])"
