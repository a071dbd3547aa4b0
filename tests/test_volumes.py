"""Volumes: what containers mount, what `df` counts of it, and that nothing of it is in a layer."""

from __future__ import annotations

import os
from typing import cast

import pytest

import layersim as ls
from layersim.errors import InvalidPathError, PathNotDirectoryError, VolumeInUseError, VolumeNotFoundError

NANOSECONDS = 1_700_000_000 * 10**9


@pytest.fixture
def engine() -> ls.Engine:
    engine = ls.Engine(clock=lambda: NANOSECONDS)
    layer = ls.Layer.from_changes(
        [
            ls.mkdir("/data", mode=0o700, uid=7),
            ls.write("/data/seed", b"123456", mode=0o600, uid=7),
            ls.hardlink("/data/again", "/data/seed"),
            ls.symlink("/data/link", "seed"),
            ls.write("/f", b"x"),
        ]
    )
    engine.add_image([layer], tag="v:1", config={"Volumes": {"/data": {}}})
    engine.add_image([ls.Layer.from_changes([ls.write("/g", b"xy")])], tag="plain:1")
    return engine


def rows(engine: ls.Engine) -> list[tuple[str, int, int]]:
    return [(row.name, row.links, row.size) for row in engine.df().volumes]


def test_the_worked_example_of_the_specification(engine: ls.Engine) -> None:
    container = engine.create("plain:1", volumes={"/d": "named"})
    engine.create("plain:1", volumes={"/d": "named"})
    container.fs.write_bytes("/d/blob", bytes(12345))
    engine.create_volume("idle").fs.write_bytes("/six", b"123456")
    summary = engine.df().summary[2]
    assert (summary.total, summary.active, summary.size, summary.reclaimable) == (2, 1, 12351, 6)
    assert str(engine.df()).splitlines()[3].split() == ["Local", "Volumes", "2", "1", "12.35kB", "6B", "(0%)"]
    assert rows(engine) == [("idle", 0, 6), ("named", 2, 12345)]


def test_a_declared_path_gets_a_volume_of_its_own_filled_from_the_image(engine: ls.Engine) -> None:
    container = engine.create("v:1")
    (volume,) = container.volumes.values()
    assert len(volume.name) == 64
    assert sorted(volume.fs.listdir("/")) == ["again", "link", "seed"]
    assert volume.size == len("123456") + len("seed")
    status = volume.fs.lstat("/seed")
    assert (status.st_uid, status.st_mode & 0o777, status.st_nlink) == (7, 0o600, 2)
    assert container.size_rw == 0


def test_a_volume_that_holds_something_is_not_filled(engine: ls.Engine) -> None:
    engine.create_volume("mine").fs.write_bytes("/own", b"1")
    container = engine.create("v:1", volumes={"/data": "mine"})
    assert container.fs.listdir("/data") == ["own"]
    assert len(container.volumes) == 1


def test_what_is_written_below_a_volume_is_no_change_of_the_container(engine: ls.Engine) -> None:
    one, two = (engine.run("v:1", volumes={"/cache/deep": "shared"}) for _ in range(2))
    one.fs.write_bytes("/cache/deep/x", b"abc")
    with two.fs.open("/cache/deep/x", os.O_WRONLY | os.O_APPEND) as file:
        file.write(b"def")
    assert one.fs.read_bytes("/cache/deep/x") == b"abcdef"
    assert one.size_rw == 0
    assert [(change.kind, change.path) for change in one.changes()] == [("A", "/cache"), ("A", "/cache/deep")]
    assert "x" not in {entry.path.rpartition("/")[2] for entry in one.commit("c:1").layers[-1]}


def test_names_do_not_cross_the_edge_of_a_volume(engine: ls.Engine) -> None:
    container = engine.run("v:1")
    for move in (container.fs.rename, container.fs.link):
        with pytest.raises(OSError, match="cross-device") as caught:
            move("/f", "/data/f")
        assert (caught.value.filename, caught.value.filename2) == ("/f", "/data/f")
    with pytest.raises(OSError, match="busy"):
        container.fs.rmdir("/data")
    with pytest.raises(FileNotFoundError) as missing:
        container.fs.unlink("/data/none")
    assert missing.value.filename == "/data/none"


def test_links_follow_the_containers(engine: ls.Engine) -> None:
    container = engine.create("plain:1", volumes={"/a": "one", "/b": "one"})
    assert rows(engine) == [("one", 1, 0)]
    with pytest.raises(VolumeInUseError, match=rf"^remove one: volume is in use - \[{container.id}\]$"):
        engine.remove_volume("one")
    container.remove()
    engine.remove_volume("one")
    with pytest.raises(VolumeNotFoundError, match=r"^get one: no such volume$"):
        engine.get_volume("one")


def test_a_container_takes_its_nameless_volumes_along_if_asked(engine: ls.Engine) -> None:
    kept, gone = engine.create("v:1", volumes={"/x": "named"}), engine.create("v:1")
    engine.remove_container(gone, volumes=True)
    assert len(rows(engine)) == 2
    engine.remove_container(kept, volumes=True)
    assert rows(engine) == [("named", 0, 0)]


@pytest.mark.parametrize(("profile", "left"), [("docker20", []), ("overlay2", ["named"]), ("containerd", ["named"])])
def test_pruning_takes_names_where_the_engine_does(profile: str, left: list[str]) -> None:
    engine = ls.Engine(profile, clock=lambda: NANOSECONDS)
    engine.add_image([ls.Layer.from_changes([ls.write("/f", b"x")])], tag="v:1", config={"Volumes": {"/data": {}}})
    container = engine.create("v:1", volumes={"/named": "named"})
    container.fs.write_bytes("/data/x", b"12345")
    assert engine.prune("volumes").freed == 0
    container.remove()
    pruned = engine.prune("volumes")
    assert pruned.freed == 5
    assert str(pruned).startswith("Deleted Volumes:\n")
    assert [row.name for row in engine.df().volumes] == left


def test_the_whole_system_keeps_volumes_unless_told(engine: ls.Engine) -> None:
    engine.create_volume("data")
    engine.prune()
    assert rows(engine) == [("data", 0, 0)]
    engine.prune(volumes=True)
    assert rows(engine) == []


@pytest.mark.parametrize("name", ["", "a", "/etc", "a b", "ä"])
def test_what_no_volume_may_be_called_makes_nothing(engine: ls.Engine, name: str) -> None:
    with pytest.raises(ValueError, match="includes invalid characters for a local volume name"):
        engine.create("plain:1", volumes={"/d": name})
    assert len(engine.containers(all=True)) == 0
    assert rows(engine) == []


def test_the_place_of_a_volume_cannot_be_moved(engine: ls.Engine) -> None:
    container = engine.run("v:1")
    container.fs.mkdir("/dir")
    for move in (("/data", "/elsewhere"), ("/dir", "/data")):
        with pytest.raises(OSError, match="busy"):
            container.fs.rename(*move)


def test_a_container_that_cannot_be_made_leaves_nothing(engine: ls.Engine) -> None:
    with pytest.raises(TypeError):
        engine.create("plain:1", volumes=cast("dict[str, str]", {5: "named"}))
    assert len(engine.containers(all=True)) == 0
    assert all(row.links == 0 for row in engine.df().volumes)


@pytest.mark.parametrize(
    ("path", "why"), [("data", "must be absolute"), ("", "must be absolute"), ("//", "destination can't be '/'")]
)
def test_where_no_volume_can_be_mounted(engine: ls.Engine, path: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        engine.create("plain:1", volumes={path: "named"})
    assert rows(engine) == []


def test_volumes_are_counted_where_layers_are_known_by_size_alone(engine: ls.Engine) -> None:
    layer = ls.Layer.synthetic(diff_id=f"sha256:{'7' * 64}", size=1000)
    engine.add_image([layer], tag="model:1", config={"Volumes": {"/data": {}}})
    container = engine.run("model:1", volumes={"/cache": "named"})
    assert (container.state, container.size_rw) == ("running", 0)
    assert sorted(row.links for row in engine.df().volumes) == [1, 1]


def test_a_volume_is_there_before_the_container_runs_and_so_is_all_above_it(engine: ls.Engine) -> None:
    container = engine.create("plain:1", volumes={"/nope/deep": "named"})
    assert container.changes() == []
    assert [container.fs.exists(path) for path in ("/nope", "/nope/deep", "/nope/none")] == [True, True, False]
    assert [(change.kind, change.path) for change in container.changes()] == [("A", "/nope"), ("A", "/nope/deep")]


def test_a_walk_goes_through_volumes(engine: ls.Engine) -> None:
    container = engine.run("plain:1", volumes={"/d": "named"})
    container.fs.mkdir("/d/sub")
    container.fs.symlink("/d/sub", "/link")
    container.fs.write_bytes("/link/x", b"1")
    assert list(container.fs.walk("/d")) == [("/d", ["sub"], []), ("/d/sub", [], ["x"])]
    assert "link" in next(iter(container.fs.walk("/")))[1]


def test_a_fork_shares_what_is_mounted(engine: ls.Engine) -> None:
    fs = engine.run("plain:1", volumes={"/d/m": "named"}).fs
    fork = fs.fork()
    fork.write_bytes("/d/m/x", b"both")
    fork.write_bytes("/y", b"one")
    fork.rename("/d", "/moved")
    assert fs.read_bytes("/d/m/x") == fork.read_bytes("/moved/m/x") == b"both"
    assert (fs.exists("/y"), fs.exists("/moved"), fork.exists("/d")) == (False, False, False)
    bare = fs.fork(mounts={})
    assert bare.listdir("/d/m") == []


@pytest.mark.parametrize("path", ["/a\0b", f"/{'n' * 256}", f"/{'é' * 128}/x", "/x" * 2048])
def test_a_path_that_no_directory_can_have_makes_nothing(engine: ls.Engine, path: str) -> None:
    with pytest.raises(InvalidPathError, match="invalid mount path"):
        engine.create("plain:1", volumes={path: "named"})
    for layer in (ls.Layer.from_changes([]), ls.Layer.synthetic(diff_id=f"sha256:{'7' * 64}", size=1000)):
        engine.add_image([layer], tag="odd:1", config={"Volumes": {path: {}}})
        with pytest.raises(InvalidPathError, match="invalid mount path"):
            engine.create("odd:1")
    assert len(engine.containers(all=True)) == len(engine.df().volumes) == 0


def test_no_volume_is_mounted_over_a_file(engine: ls.Engine) -> None:
    with pytest.raises(PathNotDirectoryError, match="cannot mount volume over existing file") as caught:
        engine.create("v:1", volumes={"/f": "named"})
    assert caught.value.filename == "/f"
    with pytest.raises(PathNotDirectoryError):
        engine.create("v:1", volumes={"/data/seed/x": "named"})
    assert rows(engine) == []


@pytest.mark.parametrize("directory", ["/data/seed", "/data/seed/y", "/a\0b", f"/new/{'n' * 256}"])
def test_a_working_directory_that_cannot_be_is_told_by_the_start(engine: ls.Engine, directory: str) -> None:
    layer = ls.Layer.from_changes([ls.write("/data/seed", b"1")])
    engine.add_image([layer], tag="w:1", config={"WorkingDir": directory})
    container = engine.create("w:1")
    with pytest.raises((OSError, InvalidPathError)) as caught:
        container.start()
    assert directory[-3:].replace("\0", "\\0") in str(caught.value)
    assert container.state == "created"
    assert (container.fs.read_bytes("/data/seed"), container.fs.exists("/new")) == (b"1", False)


def test_a_file_in_a_volume_is_in_the_way_of_another_one(engine: ls.Engine) -> None:
    engine.create_volume("outer").fs.write_bytes("/in", b"1")
    container = engine.create("plain:1", volumes={"/a": "outer", "/a/in": "inner"})
    with pytest.raises(PathNotDirectoryError, match="/a/in"):
        container.start()
    assert container.fs.read_bytes("/a/in") == b"1"
