"""accounting.md sections 1 to 5 and 10, number by number, under the profile that each is measured on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.profiles import PROFILE_NAMES
from tests.tars import Entry, directory, hardlink, layer_tar, symlink
from tests.test_usage import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2024, 5, 1, tzinfo=UTC)
BIG = 10_000_000
ROOT = 4096
"""What a snapshot takes before it holds anything."""


def new_engine(profile: str) -> ls.Engine:
    return ls.Engine(profile=profile, clock=lambda: NOW)


def d(profile: str, way: str, layer: ls.Layer) -> int:
    """Return D(L): what the store writes down for a layer that comes in on this way."""
    engine = new_engine(profile)
    image = engine.add_image([layer], "x:1", way=way)
    return engine.history(image.id)[0].size


# Section 1: entries, INODE, TAR, allocated blocks without those of the root.
ENTRIES = {
    "a file": ([Entry("f", content=b"x" * 5000)], 5000, 5000, 8192),
    "a file of whole blocks": ([Entry("f", content=b"x" * 8192)], 8192, 8192, 8192),
    "an empty file": ([Entry("f")], 0, 0, 0),
    "hard links": ([Entry("f", content=b"x" * 10), hardlink("g", "f"), hardlink("h", "f")], 10, 10, 4096),
    "a symlink": ([symlink("s", "0123456789")], 10, 0, 0),
    "a symlink of 59 bytes": ([symlink("s", "t" * 59)], 59, 0, 0),
    "a symlink of 60 bytes": ([symlink("s", "t" * 60)], 60, 0, 4096),
    "a directory": ([directory("d")], 0, 0, 4096),
    "a whiteout": ([Entry(".wh.f")], 0, 0, 0),
    "an opaque marker": ([directory("d"), Entry("d/.wh..wh..opq")], 0, 0, 4096),
    "a fifo": ([Entry("p", b"6")], 0, 0, 0),
    "a device": ([Entry("c", b"3", device=(1, 3))], 0, 0, 0),
    "zeros": ([Entry("f", content=bytes(100_000))], 100_000, 100_000, 25 * 4096),
    "attributes in the inode": ([Entry("f", xattrs=(("user.a", b"v" * 10),))], 0, 0, 0),
    "attributes beside the inode": ([Entry("f", xattrs=(("user.a", b"v" * 100),))], 0, 0, 4096),
}
INCOMING = ("load", "import", "commit")


@pytest.mark.parametrize("name", ENTRIES)
def test_the_size_of_one_layer(name: str) -> None:
    entries, by_inode, by_tar, by_blocks = ENTRIES[name]
    layer = ls.Layer.from_tar(layer_tar(entries))
    for profile in ("docker20", "overlay2"):
        assert [d(profile, way, layer) for way in INCOMING] == [by_inode] * 3
        assert d(profile, "build", layer) == by_tar
    assert [d("containerd", way, layer) for way in (*INCOMING, "build")] == [ROOT + by_blocks] * 4


def test_a_layer_of_links() -> None:
    """Built by BuildKit 3 bytes, 300 after save and load into an empty store: links count where files are counted."""
    links = [symlink(f"link{number}", "t" * 33) for number in range(9)]
    layer = ls.Layer.from_tar(layer_tar([*links, Entry("f", content=b"abc"), hardlink("g", "f")]))
    for profile in ("docker20", "overlay2"):
        assert d(profile, "build", layer) == 3
        assert d(profile, "load", layer) == 300


def test_the_first_way_in_decides() -> None:
    layer = ls.Layer.from_tar(layer_tar([symlink("s", "0123456789")]))
    for first, second, size in (("build", "load", 0), ("load", "build", 10)):
        engine = new_engine("overlay2")
        engine.add_image([layer], "a:1", way=first)
        again = engine.add_image([layer], "b:1", way=second, config={"User": "b"})
        assert (again.size, engine.df().layers_size) == (size, size)


@pytest.mark.parametrize(("profile", "size"), [("docker20", 2_000_000), ("overlay2", 2_000_000)])
def test_every_position_counts(profile: str, size: int) -> None:
    """Section 2: an image that holds one layer twice counts it twice; nothing is ever subtracted."""
    engine, one = new_engine(profile), synthetic("a", 1_000_000)
    engine.add_image([one], "a:1")
    assert engine.add_image([one, one], "aa:1").size == size
    rows = {row.tags: (row.size, row.shared_size, row.unique_size) for row in engine.df().images}
    assert rows["aa:1",] == (2_000_000, 1_000_000, 1_000_000)


def test_an_imported_file_and_its_snapshot() -> None:
    """Section 2: 1 000 000 bytes unpacked are the root and 245 blocks; the rest of SIZE is content."""
    engine = new_engine("containerd")
    engine.import_tar(layer_tar([Entry("r", content=b"r" * 1_000_000)]), tag="a:1")
    (row,) = engine.images()
    assert row.size - row.content_size == 1_007_616
    assert engine.history("a:1")[0].size == 1_007_616


def family(profile: str) -> ls.Engine:
    """Give a of 1 000 000 bytes; b and c made from it, d from b, each through an image without a name."""
    engine = new_engine(profile)
    a, b, c, d = (
        synthetic(name, size) for name, size in {"a": 1_000_000, "b": 500_000, "c": 300_000, "d": 100_000}.items()
    )
    engine.add_image([a], "a:1")
    for name, chain, parent in (("b", [a, b], "a:1"), ("c", [a, c], "a:1"), ("d", [a, b, d], "b:1")):
        step = engine.add_image(chain, parent=parent, config={"User": f"step of {name}"})
        engine.add_image(chain, f"{name}:1", parent=step.id, config={"Labels": {"l": name}})
    return engine


SHARES = {
    "docker20": {"a:1": (10, 10, 0), "b:1": (15, 15, 0), "c:1": (13, 10, 3), "d:1": (16, 15, 1)},
    "overlay2": {"a:1": (10, 10, 0), "b:1": (15, 15, 0), "c:1": (13, 13, 0), "d:1": (16, 16, 0)},
}


@pytest.mark.parametrize("profile", SHARES)
def test_who_shares_what(profile: str) -> None:
    """Section 3, in units of 100 000 bytes."""
    rows = {row.tags[0]: (row.size, row.shared_size, row.unique_size) for row in family(profile).df().images}
    assert {tag: tuple(size // 10**5 for size in sizes) for tag, sizes in rows.items()} == SHARES[profile]


@pytest.mark.parametrize(
    ("profile", "lines"),
    [
        ("docker20", ["4 0 1.9MB 1.9MB (100%)", "4 1 1.9MB 1.9MB (100%)", "4 2 1.9MB 1.6MB (84%)"]),
        ("overlay2", ["4 0 1.9MB 0B (0%)", "4 1 1.9MB 0B (0%)", "4 2 1.9MB 0B (0%)"]),
    ],
)
def test_what_could_be_freed(profile: str, lines: list[str]) -> None:
    """Section 4: without a container, with one of b, with one of c as well."""
    engine = family(profile)
    said = []
    for tag in (None, "b:1", "c:1"):
        if tag is not None:
            engine.create(tag)
        said.append(" ".join(str(engine.df()).splitlines()[1].split()[1:]))
    assert said == lines


@pytest.mark.parametrize(("profile", "freed"), [("docker20", "1.3MB (72%)"), ("overlay2", "300kB (16%)")])
def test_what_could_be_freed_beside_an_image_in_use(profile: str, freed: str) -> None:
    """Section 4: all but what b in use holds alone, or what c without a container holds alone."""
    engine, base = new_engine(profile), synthetic("base", 1_000_000)
    for name, size in (("b", 500_000), ("c", 300_000)):
        engine.add_image([base, synthetic(name, size)], f"{name}:1")
    engine.create("b:1")
    assert str(engine.df()).splitlines()[1].split(maxsplit=4)[3:] == ["1.8MB", freed]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_without_hidden_images_nobody_disagrees_on_sharing(profile: str) -> None:
    engine, base = new_engine(profile), synthetic("base", 1_000_000)
    for name in "bc":
        engine.add_image([base, synthetic(name, 500_000)], f"{name}:1")
    # Where blobs are kept, too, that of the base is shared as well as its unpacked layer.
    shared = 2_000_000 if profile == "containerd" else 1_000_000
    assert {row.shared_size for row in engine.df().images} == {shared}


def test_a_created_container() -> None:
    """Section 5: nothing written, but the root directory of a snapshot and the mount points below it."""
    for profile, written, below in (("docker20", 0, 0), ("overlay2", 0, 0), ("containerd", ROOT, 7 * 4096)):
        engine = new_engine(profile)
        engine.add_image([ls.Layer.from_changes([ls.write("/f", b"x" * 100)])], "x:1", way="load")
        container, unpacked = engine.create("x:1"), engine.history("x:1")[0].size
        assert (container.size_rw, container.size_root_fs) == (written, unpacked + written + below)


def _write_one(fs: ls.Overlay) -> None:
    with fs.open("/big", 1) as file:
        file.pwrite(b"x", 5)


def _append_through_link(fs: ls.Overlay) -> None:
    with fs.open("/link", 0o2001) as file:
        file.write(b"x")


def _sparse(fs: ls.Overlay) -> None:
    fs.write_bytes("/sparse", b"")
    fs.truncate("/sparse", 1_000_000)


def _copy_and_remove(fs: ls.Overlay) -> None:
    fs.write_bytes("/copy", fs.read_bytes("/big"))
    fs.unlink("/copy")


def _remove_and_create(fs: ls.Overlay) -> None:
    fs.unlink("/big")
    fs.write_bytes("/big", bytes(3000))


def _rename(fs: ls.Overlay) -> None:
    fs.rename("/big", "/big2")


# Section 5: what is done to a lower file of 10 000 000 bytes, what it costs by the INODE rule, and `docker diff`.
TOUCHES: dict[str, tuple[Callable[[ls.Overlay], object], int, str]] = {
    "read": (lambda fs: (fs.read_bytes("/big"), fs.stat("/big"), fs.listdir("/")), 0, ""),
    "write one byte": (_write_one, BIG, "C /big"),
    "append through a link": (_append_through_link, BIG + 1, "C /big"),
    "chmod": (lambda fs: fs.chmod("/big", 0o600), BIG, "C /big"),
    "touch": (lambda fs: fs.utime("/big"), BIG, "C /big"),
    "chmod to the mode it has": (lambda fs: fs.chmod("/big", 0o644), BIG, ""),
    "chown to its owner": (lambda fs: fs.chown("/big", 0, 0), BIG, ""),
    "open for both and close": (lambda fs: fs.open("/big", 2).close(), BIG, ""),
    "rename": (_rename, BIG, "A /big2, D /big"),
    "link": (lambda fs: fs.link("/big", "/hl"), BIG, "A /hl"),
    "remove": (lambda fs: fs.unlink("/big"), 0, "D /big"),
    "truncate": (lambda fs: fs.truncate("/big", 5), 5, "C /big"),
    "empty": (lambda fs: fs.truncate("/big", 0), 0, "C /big"),
    "copy and remove the copy": (_copy_and_remove, 0, ""),
    "remove and create": (_remove_and_create, 3000, "C /big"),
    "sparse": (_sparse, 1_000_000, "A /sparse"),
}


@pytest.mark.parametrize("name", TOUCHES)
def test_what_touching_costs(name: str) -> None:
    touch, written, changes = TOUCHES[name]
    base = ls.Layer.from_changes([ls.write("/big", bytes(BIG)), ls.symlink("/link", "big")])
    for profile in ("docker20", "overlay2"):
        engine = new_engine(profile)
        engine.add_image([base], "x:1")
        container = engine.run("x:1")
        touch(container.fs)
        assert container.size_rw == written
        assert ", ".join(f"{change.kind} {change.path}" for change in container.changes()) == changes


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_volumes(profile: str) -> None:
    """Section 4: 12 345 bytes in a volume that a container mounts, 6 in one that nobody does."""
    engine = new_engine(profile)
    engine.add_image([synthetic("a", 1)], "a:1")
    for name, size in (("used", 12_345), ("idle", 6)):
        engine.create_volume(name).fs.write_bytes("/f", bytes(size))
    engine.create("a:1", volumes={"/data": "used"})
    line = str(engine.df()).splitlines()[3].split()
    assert line == ["Local", "Volumes", "2", "1", "12.35kB", "6B", "(0%)"]
    assert [(row.name, row.links, row.size) for row in engine.df().volumes] == [("idle", 0, 6), ("used", 1, 12_345)]


@pytest.mark.parametrize(
    ("profile", "held", "without_images"),
    [("docker20", "3 0 500kB 500kB", "3 0 1MB 1MB"), ("overlay2", "3 0 1MB 500kB", "3 0 1MB 1MB")],
)
def test_build_cache(profile: str, held: str, without_images: str) -> None:
    """Section 4: a context and a step of 500 000 bytes each, the base's record counts nothing; then the images go."""
    engine, base, step = new_engine(profile), synthetic("base", 1_000_000), synthetic("step", 500_000)
    engine.add_image([base], "a:1")
    engine.add_image([base, step], "b:1", way="build")
    engine.add_cache_record(500_000, type="source.local")
    engine.add_cache_record(0, layers=[base])
    engine.add_cache_record(500_000, layers=[base, step])
    assert " ".join(str(engine.df()).splitlines()[4].split()[2:]) == held
    for tag in ("a:1", "b:1"):
        engine.remove_image(tag)
    said = str(engine.df()).splitlines()
    assert said[1].split()[1:4] == ["0", "0", "0B"]
    assert " ".join(said[4].split()[2:]) == without_images
    assert engine.prune("build cache").freed == 1_000_000


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_a_root_that_is_imported_again(profile: str) -> None:
    """Section 10: two imports at different times are two images of one layer; the first loses its name."""
    times = iter(range(10**9, 10**12, 10**9))
    engine, root = ls.Engine(profile=profile, clock=lambda: next(times)), layer_tar([Entry("f", content=b"x" * 100)])
    first, second = engine.import_tar(root, tag="a:1"), engine.import_tar(root, tag="a:1")
    assert first.id != second.id
    assert first.diff_ids == second.diff_ids
    assert {row.id: row.tags for row in engine.df().images} == {first.id: (), second.id: ("a:1",)}
    if profile != "containerd":
        assert {row.unique_size for row in engine.df().images} == {0}
