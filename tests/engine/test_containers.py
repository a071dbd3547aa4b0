"""Containers: what `docker diff`, `ps --size` and `commit` say after the same work in both engines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.archives import ImageSpec, docker_archive
from tests.engine.compare import (
    assert_same_images,
    assert_same_refusal,
    assert_same_table,
    assert_same_usage,
    new_engine,
    utc_now,
)
from tests.engine.rootfs import busybox_tar
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.daemon import Daemon

BIG = 1_000_000


def work_layer() -> bytes:
    """Return what the containers work on: a large file, a link to it, and a directory."""
    files = [Entry("w/big", content=bytes(BIG)), symlink("w/link", "big"), directory("w/d"), directory("w/d/sub")]
    return layer_tar([directory("w"), *files, Entry("w/d/one", content=b"one"), Entry("w/d/sub/two", content=b"two")])


@dataclass(frozen=True)
class Work:
    """One shell command, and the same through `Container.fs`."""

    shell: str
    ours: Callable[[ls.Overlay], object]


def _append(fs: ls.Overlay, path: str, data: bytes) -> None:
    fs.write_bytes(path, fs.read_bytes(path) + data)


def _write_one_byte(fs: ls.Overlay) -> None:
    with fs.open("/w/big", 1) as file:
        file.pwrite(b"x", 5)


def _remove_d(fs: ls.Overlay) -> None:
    for path in ("/w/d/sub/two", "/w/d/one"):
        fs.unlink(path)
    for path in ("/w/d/sub", "/w/d"):
        fs.rmdir(path)


def _move_d_to_e(fs: ls.Overlay) -> None:
    """Copy and delete, as `mv` does where the kernel says EXDEV."""
    for path in ("/w/e", "/w/e/sub"):
        fs.mkdir(path, 0o755)
    fs.write_bytes("/w/e/one", b"one")
    fs.write_bytes("/w/e/sub/two", b"two")
    _remove_d(fs)


def _renew_d(fs: ls.Overlay) -> None:
    _remove_d(fs)
    fs.mkdir("/w/d", 0o755)
    fs.write_bytes("/w/d/new", b"n")


def _flatten_d(fs: ls.Overlay) -> None:
    _remove_d(fs)
    fs.write_bytes("/w/d", b"f")


def _make_and_remove(fs: ls.Overlay) -> None:
    fs.write_bytes("/w/c", b"1")
    fs.unlink("/w/c")


def _replace(fs: ls.Overlay, path: str, data: bytes) -> None:
    fs.unlink(path)
    fs.write_bytes(path, data)


def _sparse(fs: ls.Overlay) -> None:
    fs.write_bytes("/w/sparse", b"")
    fs.truncate("/w/sparse", BIG)


def _deep(fs: ls.Overlay) -> None:
    for path in ("/n", "/n/a", "/n/a/b"):
        fs.mkdir(path, 0o755)
    fs.write_bytes("/n/a/b/c", b"1")


WORKS = {
    "read": Work("cat /w/big > /dev/null; ls -lR /w > /dev/null", lambda fs: fs.read_bytes("/w/big")),
    "write one byte": Work("printf x | dd of=/w/big bs=1 seek=5 conv=notrunc", _write_one_byte),
    "append through a link": Work("printf x >> /w/link", lambda fs: _append(fs, "/w/link", b"x")),
    "chmod": Work("chmod 600 /w/big", lambda fs: fs.chmod("/w/big", 0o600)),
    "touch": Work("touch /w/big", lambda fs: fs.utime("/w/big")),
    "chmod to the mode it has": Work("chmod 644 /w/big", lambda fs: fs.chmod("/w/big", 0o644)),
    "chown to its owner": Work("chown 0:0 /w/big", lambda fs: fs.chown("/w/big", 0, 0)),
    "open for writing and close": Work(": >> /w/big", lambda fs: fs.open("/w/big", 2).close()),
    "rename": Work("mv /w/big /w/big2", lambda fs: fs.rename("/w/big", "/w/big2")),
    "link": Work("ln /w/big /w/hl", lambda fs: fs.link("/w/big", "/w/hl")),
    "remove": Work("rm /w/big", lambda fs: fs.unlink("/w/big")),
    "truncate": Work("truncate -s 5 /w/big", lambda fs: fs.truncate("/w/big", 5)),
    "empty": Work(": > /w/big", lambda fs: fs.truncate("/w/big", 0)),
    "copy and remove the copy": Work("cp /w/big /w/c && rm /w/c", _make_and_remove),
    "remove and create": Work("rm /w/big; printf abc > /w/big", lambda fs: _replace(fs, "/w/big", b"abc")),
    "move a directory": Work("mv /w/d /w/e", _move_d_to_e),
    "remove a directory": Work("rm -rf /w/d", _remove_d),
    "replace a directory": Work("rm -rf /w/d; mkdir /w/d; printf n > /w/d/new", _renew_d),
    "directory replaced by a file": Work("rm -rf /w/d; printf f > /w/d", _flatten_d),
    "sparse": Work("truncate -s 1000000 /w/sparse", _sparse),
    "symlink": Work("ln -s 0123456789 /w/s", lambda fs: fs.symlink("0123456789", "/w/s")),
    "a name like a whiteout": Work("printf 1 > /w/.wh.foo", lambda fs: fs.write_bytes("/w/.wh.foo", b"1")),
    "deep new tree": Work("mkdir -p /n/a/b; printf 1 > /n/a/b/c", _deep),
    "change far below": Work("printf 2 > /w/d/sub/two", lambda fs: fs.write_bytes("/w/d/sub/two", b"2")),
}


@dataclass(frozen=True)
class Hosts:
    """The image `work:1`, loaded into both engines."""

    daemon: Daemon
    engine: ls.Engine


@pytest.fixture
def hosts(daemon: Daemon, tmp_path: Path) -> Hosts:
    archive = docker_archive([ImageSpec((busybox_tar(), work_layer()), ("work:1",), utc_now())])
    (tmp_path / "work.tar").write_bytes(archive)
    daemon.docker("load", stdin=archive)
    engine = new_engine(daemon)
    engine.load(tmp_path / "work.tar")
    return Hosts(daemon, engine)


def run_both(hosts: Hosts, work: Work) -> ls.Container:
    """Do the work in a container of each engine, under one name."""
    hosts.daemon.docker("run", "--network=none", "--name=worker", "work:1", "sh", "-c", work.shell)
    container = hosts.engine.run("work:1", name="worker")
    work.ours(container.fs)
    container.stop()
    return container


@pytest.mark.parametrize("name", WORKS)
def test_diff_and_sizes(name: str, hosts: Hosts) -> None:
    container = run_both(hosts, WORKS[name])
    expected = sorted(hosts.daemon.lines("diff", "worker"))
    assert sorted(f"{change.kind} {change.path}" for change in container.changes()) == expected
    found = hosts.daemon.inspect("worker", "container")
    assert (container.size_rw, container.size_root_fs) == (found["SizeRw"], found["SizeRootFs"])
    assert_same_usage(hosts.daemon, hosts.engine)


@pytest.mark.parametrize("name", WORKS)
def test_commit(name: str, hosts: Hosts) -> None:
    """A committed container: the size of the new image, and what its own layer holds."""
    container = run_both(hosts, WORKS[name])
    hosts.daemon.docker("commit", "worker", "done:1")
    image = container.commit(tag="done:1")
    expected = hosts.daemon.inspect("done:1")
    assert image.size == expected["Size"]
    assert len(image.diff_ids) == len(expected["RootFS"]["Layers"])


def test_a_container_that_did_nothing_commits_no_layer(hosts: Hosts) -> None:
    container = run_both(hosts, Work("true", lambda fs: fs.exists("/w")))
    hosts.daemon.docker("commit", "worker", "same:1")
    image = container.commit(tag="same:1")
    assert list(image.diff_ids) == hosts.daemon.inspect("same:1")["RootFS"]["Layers"]


NAMELESS = (71_234, 71_235)
"""Ids without a name on the engine's machine: 20.10 writes the names that it finds there."""


def _stamped(fs: ls.Overlay) -> None:
    fs.write_bytes("/w/new", b"new")
    fs.mkdir("/w/k")
    fs.write_bytes("/w/k/f", b"1")
    fs.link("/w/k/f", "/w/k/g")
    fs.symlink("new", "/w/sym")
    fs.chmod("/w/big", 0o600)
    fs.chown("/w/d/one", *NAMELESS)
    fs.unlink("/w/d/sub/two")
    fs.rmdir("/w/d/sub")
    fs.mkdir("/w/d/sub")
    fs.write_bytes("/w/d/sub/three", b"3")
    for path in ("new", "k/f", "sym", "big", "d/one", "d/sub/three", "k", "d/sub", "d", "."):
        fs.utime(f"/w/{path}", ns=(14 * 10**17, 14 * 10**17), follow_symlinks=False)


STAMPED = Work(
    f"""umask 0; cd /w; printf new > new; mkdir k; printf 1 > k/f; ln k/f k/g; ln -s new sym; chmod 600 big
    chown {NAMELESS[0]}:{NAMELESS[1]} d/one
    rm -rf d/sub; mkdir d/sub; printf 3 > d/sub/three
    touch -h -d @1400000000 new k/f sym big d/one d/sub/three k d/sub d . ; cd /; touch -d @1400000000 /""",
    _stamped,
)


def test_a_commit_has_the_very_diff_id_of_the_engine(hosts: Hosts) -> None:
    """With equal times, the new layer's tar is equal to the last byte."""
    container = run_both(hosts, STAMPED)
    hosts.daemon.docker("commit", "worker", "done:1")
    theirs = hosts.daemon.inspect("done:1")["RootFS"]["Layers"][-1]
    assert container.commit(tag="done:1").diff_ids[-1] == theirs


@pytest.mark.parametrize("name", ["replace a directory", "link", "remove a directory", "deep new tree", "symlink"])
def test_a_committed_layer_is_read_back_to_its_size(name: str, hosts: Hosts, tmp_path: Path) -> None:
    """The engine's own layer, saved and loaded by us: same diff id, same size, same image."""
    hosts.daemon.docker("run", "--network=none", "--name=worker", "work:1", "sh", "-c", WORKS[name].shell)
    hosts.daemon.docker("commit", "--message", "by hand", "worker", "done:1")
    hosts.daemon.docker("save", "--output", str(tmp_path / "done.tar"), "done:1")
    (image,) = hosts.engine.load(tmp_path / "done.tar")
    expected = hosts.daemon.inspect("done:1")
    assert (image.id, list(image.diff_ids)) == (expected["Id"], expected["RootFS"]["Layers"])
    assert image.size == expected["Size"]
    hosts.daemon.docker("rm", "worker")
    assert_same_images(hosts.daemon, hosts.engine)
    assert_same_usage(hosts.daemon, hosts.engine)


TAGS = ("web:1", "web-ping:1", "a/b:1", "a-b:1", "a.b:1", "a1:1", "a:1-x", "h.com/x:1", "h.com:5000/x:1", "z:0")


def load_both(daemon: Daemon, engine: ls.Engine, *images: ImageSpec) -> None:
    """Load images into both engines, which must say the same."""
    archive = docker_archive(images)
    assert str(engine.load(archive)) == daemon.docker("load", stdin=archive).rstrip("\n")


def layer(size: int) -> bytes:
    return layer_tar([Entry("f", content=bytes(size))])


def test_tags_are_in_the_order_of_the_engine(daemon: Daemon) -> None:
    engine, image = new_engine(daemon), ImageSpec((layer(9),), TAGS, utc_now() - timedelta(days=9))
    load_both(daemon, engine, image)
    assert list(engine.get_image("web:1").tags) == daemon.inspect("web:1")["RepoTags"]
    assert_same_table(daemon, lambda: engine.df(verbose=True), "system", "df", "--verbose")
    removed = daemon.docker("rmi", "--force", image.image_id).rstrip("\n")
    assert str(engine.remove_image(image.image_id, force=True)) == removed
    load_both(daemon, engine, image)
    pruned = daemon.docker("image", "prune", "--all", "--force").rstrip("\n")
    assert str(engine.prune("images", unused_images=True)) == pruned


def test_a_tag_of_two_spellings_is_one_tag(daemon: Daemon) -> None:
    engine, made = new_engine(daemon), utc_now() - timedelta(days=9)
    load_both(daemon, engine, ImageSpec((layer(1),), ("a:1",), made), ImageSpec((layer(2),), ("b:1",), made))
    for image, tag in (("a:1", "docker.io/foo.com/x:1"), ("b:1", "foo.com/x:1"), ("a:1", "docker.io/library/x.y/z:1")):
        daemon.docker("tag", image, tag)
        engine.tag(image, tag)
        assert_same_images(daemon, engine)
    assert str(engine.remove_image("docker.io/foo.com/x:1")) == daemon.docker("rmi", "docker.io/foo.com/x:1").rstrip()
    assert_same_images(daemon, engine)


@pytest.mark.parametrize("tag", ["sha256:abc", "library/sha256:abc", "a" * 64 + ":1", "x@sha256:" + "0" * 64])
def test_what_is_no_new_tag(tag: str, daemon: Daemon) -> None:
    engine = new_engine(daemon)
    load_both(daemon, engine, ImageSpec((layer(1),), ("a:1",)))
    assert_same_refusal(daemon, lambda: engine.tag("a:1", tag), "tag", "a:1", tag)
    assert_same_images(daemon, engine)


def test_odd_tags_of_an_archive(daemon: Daemon) -> None:
    engine = new_engine(daemon)
    load_both(daemon, engine, ImageSpec((layer(1),), ("sha256:1", "a" * 64 + ":1", "docker.io/foo.com/x:1")))
    assert_same_images(daemon, engine)
    for number, tag in enumerate(("t", "x@sha256:" + "0" * 64, "a" * 64), start=2):
        archive = docker_archive([ImageSpec((layer(number),), (tag,))])
        refusal = daemon.run("load", "--quiet", stdin=archive).stderr.decode().strip()
        with pytest.raises(ls.LayerSimError) as caught:
            engine.load(archive)
        assert str(caught.value) == refusal


@pytest.fixture
def sleeper(daemon: Daemon) -> Hosts:
    """The image `sleeper:1` in both engines, which runs for long."""
    engine = new_engine(daemon)
    tags = ("sleeper:1", "sleeper:latest", "h.com:5000/p/q:2")
    load_both(daemon, engine, ImageSpec((busybox_tar(),), tags, utc_now(), config={"Cmd": ["sleep", "1000"]}))
    return Hosts(daemon, engine)


def test_names_of_containers(sleeper: Hosts) -> None:
    daemon, engine = sleeper.daemon, sleeper.engine
    for name in ("/slash", "slash", "/slash", "x", "-a", "a b", "//two", "/", "ok_.-1"):
        done = daemon.run("create", "--name", name, "sleeper:1")
        if done.returncode == 0:
            engine.create("sleeper:1", name=name)
        else:
            create = partial(engine.create, "sleeper:1", name=name)
            assert_same_refusal(daemon, create, "create", "--name", name, "sleeper:1")
    expected = sorted(daemon.lines("ps", "--all", "--format", "{{.Names}}"))
    assert sorted(row.name for row in engine.containers(all=True)) == expected
    assert daemon.inspect("/slash", "container")["Name"] == f"/{engine.get_container('/slash').name}"


def test_what_the_engine_says_of_states(sleeper: Hosts) -> None:
    daemon, engine = sleeper.daemon, sleeper.engine
    daemon.docker("create", "--network=none", "--name=one", "sleeper:1")
    one = engine.create("sleeper:1", name="one")
    for act in ("pause", "unpause"):
        assert_same_refusal(daemon, getattr(one, act), act, "one")
    daemon.docker("start", "one")
    one.start()
    assert_same_refusal(daemon, one.remove, "rm", "one")
    assert_same_refusal(daemon, one.unpause, "unpause", "one")
    daemon.docker("pause", "one")
    one.pause()
    assert_same_refusal(daemon, one.pause, "pause", "one")
    assert_same_refusal(daemon, one.remove, "rm", "one")
    daemon.docker("rm", "--force", "one")
    one.remove(force=True)
    for act in ("start", "stop", "pause", "unpause"):
        assert_same_refusal(daemon, getattr(one, act), act, "one")


def test_the_image_of_a_container_as_ps_and_df_show_it(sleeper: Hosts) -> None:
    daemon, engine = sleeper.daemon, sleeper.engine
    image_id = engine.get_image("sleeper:1").id
    names = ["sleeper", "sleeper:1", "docker.io/library/sleeper:1", "library/sleeper:1", "docker.io/sleeper"]
    names += ["index.docker.io/library/sleeper:1", "h.com:5000/p/q:2", image_id, image_id[7:], image_id[7:19]]
    names += [image_id[7:27], image_id[7:18], image_id[:19]]
    for number, name in enumerate(names):
        daemon.docker("create", "--name", f"c{number}", name)
        engine.create(name, name=f"c{number}")
    for untag in (None, "sleeper:1"):
        if untag is not None:
            daemon.docker("rmi", untag)
            engine.remove_image(untag)
        ours = engine.containers(all=True)
        for table, arguments in (
            (str(ours), ("ps", "--all")),
            (ours.text(no_trunc=True), ("ps", "--all", "--no-trunc")),
            (str(engine.df().containers), ("system", "df", "--verbose")),
        ):
            assert images_by_name(table) == images_by_name(daemon.docker(*arguments))


def images_by_name(text: str) -> dict[str, str]:
    """Return what each container's image is called in a table of containers."""
    words = [line.split() for line in text.splitlines()]
    return {line[-1]: line[1] for line in words if line and line[-1][0] == "c" and line[-1][1:].isdecimal()}
