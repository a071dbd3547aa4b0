"""Containers: states, names, ids, mount points, and what touching files costs (accounting.md sections 5 and 6)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.container.identity import container_id, container_name, number_of_name
from layersim.errors import ContainerNotFoundError, ContainerStateError, ContentMissingError, NameInUseError
from tests.test_usage import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

BIG = 10_000_000
BORN = 10**18


@pytest.fixture
def engine() -> ls.Engine:
    """Give the image of the table in section 5: a large file, a link to it, and a directory."""
    engine = ls.Engine(clock=lambda: 2 * BORN)
    edits = [ls.write("/big", bytes(BIG), mtime_ns=BORN), ls.symlink("/link", "big", mtime_ns=BORN)]
    edits += [
        ls.mkdir("/d", mtime_ns=BORN),
        ls.write("/d/a", b"a", mtime_ns=BORN),
        ls.write("/d/b", b"b", mtime_ns=BORN),
    ]
    engine.add_image([ls.Layer.from_changes(edits)], "big:1", config={"Cmd": ["sleep", "1 0"]})
    return engine


def _write_one_byte(fs: ls.Overlay) -> None:
    with fs.open("/big", os.O_WRONLY) as file:
        file.pwrite(b"x", 0)


def _append_through_the_link(fs: ls.Overlay) -> None:
    with fs.open("/link", os.O_WRONLY | os.O_APPEND) as file:
        file.write(b"x")


def _open_and_close(fs: ls.Overlay) -> None:
    fs.open("/big", os.O_RDWR).close()


def _restore(fs: ls.Overlay) -> None:
    fs.write_bytes("/big", bytes(BIG))
    fs.utime("/big", ns=(BORN, BORN))


def _copy_and_remove(fs: ls.Overlay) -> None:
    fs.write_bytes("/copy", fs.read_bytes("/big"))
    fs.unlink("/copy")


def _remove_and_create(fs: ls.Overlay) -> None:
    fs.unlink("/big")
    fs.write_bytes("/big", bytes(3000))


def _replace_directory(fs: ls.Overlay) -> None:
    for name in ("a", "b"):
        fs.unlink(f"/d/{name}")
    fs.rmdir("/d")
    fs.mkdir("/d", 0o755)
    fs.write_bytes("/d/new", b"new")


def _sparse(fs: ls.Overlay) -> None:
    fs.open("/sparse", os.O_CREAT | os.O_WRONLY).close()
    fs.truncate("/sparse", 1_000_000)


COSTS: dict[str, tuple[Callable[[ls.Overlay], object], int, list[str]]] = {
    "read": (lambda fs: fs.read_bytes("/big"), 0, []),
    "stat": (lambda fs: fs.stat("/big"), 0, []),
    "list": (lambda fs: fs.listdir("/"), 0, []),
    "write 1 byte": (_write_one_byte, BIG, ["C /big"]),
    "append 1 byte via a symlink": (_append_through_the_link, BIG + 1, ["C /big"]),
    "chmod": (lambda fs: fs.chmod("/big", 0o600), BIG, ["C /big"]),
    "touch": (lambda fs: fs.utime("/big", ns=(3 * BORN, 3 * BORN)), BIG, ["C /big"]),
    "chmod to the mode it has": (lambda fs: fs.chmod("/big", 0o644), BIG, []),
    "chown to its owner": (lambda fs: fs.chown("/big", 0, 0), BIG, []),
    "open for writing and close": (_open_and_close, BIG, []),
    "rewrite and restore the time": (_restore, BIG, []),
    "rename": (lambda fs: fs.rename("/big", "/big2"), BIG, ["A /big2", "D /big"]),
    "link": (lambda fs: fs.link("/big", "/hl"), BIG, ["A /hl"]),
    "remove": (lambda fs: fs.unlink("/big"), 0, ["D /big"]),
    "truncate": (lambda fs: fs.truncate("/big", 5), 5, ["C /big"]),
    "empty": (lambda fs: fs.truncate("/big", 0), 0, ["C /big"]),
    "copy and remove the copy": (_copy_and_remove, 0, []),
    "remove and create": (_remove_and_create, 3000, ["C /big"]),
    "replace a directory": (_replace_directory, 3, ["C /d", "A /d/new", "D /d/a", "D /d/b"]),
    "sparse": (_sparse, 1_000_000, ["A /sparse"]),
}


@pytest.mark.parametrize("action", COSTS)
def test_what_touching_a_file_costs(engine: ls.Engine, action: str) -> None:
    do, size_rw, changes = COSTS[action]
    container = engine.create("big:1")
    do(container.fs)
    assert container.size_rw == size_rw
    assert sorted(f"{change.kind} {change.path}" for change in container.changes()) == sorted(changes)
    assert container.size_root_fs == size_rw + engine.get_image("big:1").size


def test_containers_do_not_see_each_other(engine: ls.Engine) -> None:
    first, second = engine.run("big:1"), engine.run("big:1")
    first.fs.write_bytes("/d/a", b"changed")
    assert second.fs.read_bytes("/d/a") == b"a"
    assert (first.size_rw, second.size_rw) == (7, 0)


def test_mount_points_are_seen_but_are_no_changes(engine: ls.Engine) -> None:
    container = engine.create("big:1")
    fs = container.fs
    assert (fs.read_bytes("/etc/hosts"), fs.readlink("/etc/mtab")) == (b"", "/proc/mounts")
    for path in ("/dev/pts", "/proc", "/sys"):
        assert fs.stat(path).st_mode == 0o40755
    assert fs.listdir("/dev") == ["console", "pts", "shm"]
    for path in ("/.dockerenv", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/dev/console"):
        assert (fs.stat(path).st_mode, fs.stat(path).st_size) == (0o100755, 0)
    assert (container.changes(), container.size_rw) == ([], 0)


def test_mount_points_replace_files_and_links_of_the_image_but_not_directories() -> None:
    engine = ls.Engine(clock=lambda: 0)
    edits = [ls.write("/etc/hosts", b"own"), ls.write("/proc", b"file"), ls.symlink("/dev", "/nowhere")]
    edits += [ls.mkdir("/etc/hostname"), ls.mkdir("/sys", mode=0o700)]
    image = engine.add_image([ls.Layer.from_changes(edits)], "x")
    fs = engine.create("x").fs
    assert fs.read_bytes("/etc/hosts") == b""
    assert [fs.lstat(path).st_mode for path in ("/proc", "/dev", "/etc/hostname", "/sys")] == [
        0o40755,
        0o40755,
        0o40755,
        0o40700,
    ]
    assert ls.View(image.layers).read_bytes("/etc/hosts") == b"own"


def test_a_missing_workdir_and_volumes_show_up_as_changes() -> None:
    engine = ls.Engine(clock=lambda: 0)
    layer = ls.Layer.from_changes([ls.mkdir("/there")])
    engine.add_image([layer], "x", config={"WorkingDir": "/nw/x", "Volumes": {"/data": {}, "/there": {}}})
    container = engine.create("x")
    assert [f"{change.kind} {change.path}" for change in container.changes()] == ["A /nw", "A /nw/x"]
    container.start()
    assert [change.path for change in container.changes()] == ["/data", "/nw", "/nw/x"]
    assert container.size_rw == 0


def test_states(engine: ls.Engine) -> None:
    container = engine.create("big:1")
    assert (container.state, container.is_active) == ("created", False)
    assert container.stop().state == "created"
    with pytest.raises(ContainerStateError) as caught:
        container.pause()
    assert (caught.value.state, caught.value.wanted) == ("created", "running")
    assert container.start().start().state == "running"
    container.pause()
    assert (container.state, container.is_active) == ("paused", True)
    with pytest.raises(ContainerStateError, match="unpause"):
        container.start()
    container.unpause()
    assert container.stop(exit_code=3).life.exit_code == 3
    assert container.start().state == "running"


def test_a_running_container_is_removed_by_force_only(engine: ls.Engine) -> None:
    container = engine.run("big:1")
    with pytest.raises(ContainerStateError, match=f"You cannot remove a running container {container.id}. Stop"):
        container.remove()
    container.remove(force=True)
    with pytest.raises(ContainerNotFoundError):
        container.remove()


def test_the_words_of_the_engine_on_states(engine: ls.Engine) -> None:
    container = engine.create("big:1")
    for act, fault in ((container.pause, "is not running"), (container.unpause, "is not paused")):
        with pytest.raises(ContainerStateError, match=f"^Container {container.id} {fault}$"):
            act()
    container.start().pause()
    with pytest.raises(ContainerStateError, match=f"^Container {container.id} is already paused$"):
        container.pause()
    with pytest.raises(ContainerStateError, match="Unpause and then stop the container before attempting removal or"):
        container.remove()


def test_a_removed_container_does_nothing_any_more(engine: ls.Engine) -> None:
    container = engine.run("big:1", name="web")
    container.remove(force=True)
    successor = engine.create("big:1", name="web")
    for act in (container.start, container.stop, container.pause, container.unpause, container.commit):
        with pytest.raises(ContainerNotFoundError, match="No such container: web"):
            act()
    assert successor.state == "created"


def test_names_and_ids_find_a_container(engine: ls.Engine) -> None:
    first, named = engine.create("big:1"), engine.create("big:1", name="my-name")
    for ref in (first.name, first.id, first.id[:12]):
        assert engine.get_container(ref) is first
    assert engine.get_container("my-name") is named
    for ref in ("nobody", "", container_name(99), "my-nam"):
        with pytest.raises(ContainerNotFoundError, match="No such container"):
            engine.get_container(ref)


def test_a_name_is_taken_once(engine: ls.Engine) -> None:
    engine.create("big:1", name="web")
    with pytest.raises(NameInUseError, match='The container name "/web" is already in use'):
        engine.create("big:1", name="web")
    engine.get_container("web").remove()
    assert engine.create("big:1", name="web").name == "web"
    with pytest.raises(ValueError, match="Invalid container name"):
        engine.create("big:1", name="-")


def test_a_slash_before_a_name_is_not_part_of_it(engine: ls.Engine) -> None:
    container = engine.create("big:1", name="/web")
    assert container.name == "web"
    assert engine.get_container("/web") is engine.get_container("web") is container
    assert engine.get_container(f"/{engine.create('big:1').name}").number == container.number + 1
    with pytest.raises(NameInUseError, match=f'"/web" is already in use by container "{container.id}". You have to'):
        engine.create("big:1", name="/web")
    for bad in ("/", "//web", "x", "a b"):
        with pytest.raises(ValueError, match=r"^Invalid container name \(.*\), only \[a-zA-Z0-9\]\[.*\] are allowed$"):
            engine.create("big:1", name=bad)
    assert engine.create("big:1", name="").name


def test_a_given_name_is_never_generated_again(engine: ls.Engine) -> None:
    taken = container_name(3)
    engine.create("big:1", name=taken)
    names = [engine.create("big:1").name for _ in range(5)]
    assert taken not in names
    with pytest.raises(NameInUseError):
        engine.create("big:1", name=names[0])


def test_names_are_unlike_and_lead_back_to_their_numbers() -> None:
    numbers = [*range(1, 20_000), 10**9]
    assert len({container_name(number) for number in numbers}) == len(numbers)
    assert all(number_of_name(container_name(number)) == number for number in numbers[::97])
    for name in ("", "happy", "happy_", "_bell", "happy_bell01", "happy_bell" + "9" * 99, "HAPPY_bell"):
        assert number_of_name(name) is None
    assert len(container_id(1)) == 64


def test_the_text_of_ps(engine: ls.Engine) -> None:
    container = engine.run("big:1", name="cc")
    container.fs.unlink("/d/a")
    container.fs.write_bytes("/n", b"12345")
    assert str(engine.containers(size=True)).splitlines()[1] == (
        f"{container.id[:12]}   big:1     \"sleep '1 0'\"   Less than a second ago   "
        "Up Less than a second             cc        5B (virtual 10MB)"
    )
    container.stop()
    assert len(engine.containers()) == 0
    assert "Exited (137) Less than a second ago" in str(engine.containers(all=True))


def test_an_image_that_has_lost_its_name_is_shown_by_its_id(engine: ls.Engine) -> None:
    engine.create("big:1")
    image = engine.get_image("big:1")
    engine.add_image([synthetic("other", 1)], "big:1")
    (row,) = engine.containers(all=True)
    assert row.image == image.id
    assert f"   {image.id[7:19]}   " in str(engine.containers(all=True))


def test_the_image_of_ps_is_shortened_as_docker_shortens_it(engine: ls.Engine) -> None:
    """Ids of the image to twelve digits, names to their familiar form; in full all is as it was given."""
    engine.tag("big:1", "latest-one")
    engine.tag("big:1", "h.com:5000/p/q:2")
    image_id = engine.get_image("big:1").id
    digits = image_id[7:]
    given = {
        "docker.io/library/big:1": "big:1",
        "index.docker.io/library/big:1": "big:1",
        "docker.io/latest-one": "latest-one",
        "h.com:5000/p/q:2": "h.com:5000/p/q:2",
        image_id: digits[:12],
        digits: digits[:12],
        digits[:20]: digits[:12],
        digits[:11]: digits[:11],
        f"sha256:{digits[:12]}": digits[:12],
    }
    for ref in given:
        engine.create(ref)
    for lines in (str(engine.containers(all=True)).splitlines()[1:], str(engine.df().containers).splitlines()[1:]):
        assert [line.split()[1] for line in lines] == list(given.values())[::-1]
    full = engine.containers(all=True).text(no_trunc=True).splitlines()[1:]
    assert [line.split()[1] for line in full] == list(given)[::-1]


def test_containers_of_images_without_content_count_but_cannot_be_looked_into() -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([synthetic("a", 5)], "a")
    container = engine.run("a")
    assert (container.size_rw, container.size_root_fs) == (0, 5)
    with pytest.raises(ContentMissingError):
        _ = container.fs


def test_a_container_that_was_never_looked_into_is_a_few_words(engine: ls.Engine) -> None:
    container = engine.create("big:1")
    assert sys.getsizeof(container) + sys.getsizeof(container.created_ns) < 200
    assert not hasattr(container, "__dict__")


@pytest.mark.parametrize("path", ["/data", "//data/", "/d/../data"])
def test_a_volume_is_mounted_at_one_path_however_it_is_spelled(path: str, engine: ls.Engine) -> None:
    container = engine.create("big:1", volumes={path: "kept"})
    assert dict(container.volumes) == {"/data": engine.get_volume("kept")}
    container.start().fs.write_bytes("/data/f", b"123")
    assert (engine.get_volume("kept").size, container.size_rw) == (3, 0)
