"""`layersim://` against fsspec's own file system of the disk, and with the libraries that read through it."""

from __future__ import annotations

import asyncio
import doctest
import errno
import io
import itertools
import os
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from hypothesis import given, settings

import layersim as ls
from layersim.demo import write_archives
from layersim.errors import ImageNotFoundError
from layersim.filesystem import ImageFileSystem
from layersim.testing import stacks
from tests.chrooted import Chroots, answers_of
from tests.oracles import require_root
from tests.test_documents import NOW, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fsspec import AbstractFileSystem

CSV = b"name,size\nbase,5\napp,7\n"
TREE = [
    ls.mkdir("/srv/empty", mode=0o700, uid=3, gid=4, mtime_ns=10**18),
    ls.write("/srv/sizes.csv", CSV, mode=0o640, uid=1, gid=2, mtime_ns=123 * 10**9),
    ls.hardlink("/srv/again.csv", "/srv/sizes.csv"),
    ls.write(b"/srv/\xff\n", b"no text"),
    ls.write("/srv/b[a]*?.txt", b""),
    ls.symlink("/etc", "srv"),
    ls.symlink("/srv/up", "../srv/empty/../sizes.csv"),
    ls.symlink("/srv/out", "/../../srv/./sizes.csv"),
    ls.symlink("/srv/nowhere", "/none"),
    ls.symlink("/srv/circle", "circle"),
    ls.symlink("/srv/root", "/"),
]
BASE = ls.Layer.from_changes(TREE)
VIEW = ls.View([BASE])


@pytest.fixture
def fs() -> AbstractFileSystem:
    return ImageFileSystem(view=VIEW)


@pytest.fixture(scope="module")
def chroots() -> Iterator[Chroots]:
    require_root()
    with Chroots() as started:
        yield started


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([BASE], "app:1")
    engine.save(["app:1"], tmp_path / "app.tar")
    return tmp_path / "app.tar"


def test_it_answers_as_the_disk_does(chroots: Chroots, fs: AbstractFileSystem, tmp_path: Path) -> None:
    VIEW.extract(tmp_path / "root")
    assert answers_of(fs) == chroots.answers(tmp_path / "root")


COUNT = itertools.count()


@given(stacks())
@settings(max_examples=25)
def test_whatever_the_layers_it_answers_as_the_disk_does(
    chroots: Chroots, tmp_path_factory: pytest.TempPathFactory, stack: list[ls.Layer]
) -> None:
    root = tmp_path_factory.mktemp(f"root{next(COUNT)}")
    view = ls.View(stack)
    view.extract(root)
    expected = chroots.answers(root)
    assert answers_of(ImageFileSystem(view=view)) == expected
    assert answers_of(ImageFileSystem(view=ls.Overlay(stack))) == expected


@pytest.mark.parametrize(
    "path", ["/srv/sizes.csv", "srv//sizes.csv", "layersim://srv/./sizes.csv", "layersim:///etc/up"]
)
def test_one_file_has_many_spellings(fs: AbstractFileSystem, path: str) -> None:
    assert fs.cat(path) == CSV


@pytest.mark.parametrize("start", [None, 0, 3, 22, 23, 99, -1, -23, -99])
@pytest.mark.parametrize("end", [None, 0, 3, 22, 23, 99, -1, -23, -99])
def test_a_part_of_a_file_is_a_slice(fs: AbstractFileSystem, start: int | None, end: int | None) -> None:
    assert fs.cat_file("/srv/sizes.csv", start, end) == CSV[start:end]


def test_an_open_file_is_one_of_pythons_own(fs: AbstractFileSystem) -> None:
    with fs.open("/srv/sizes.csv", "rb") as file:
        assert issubclass(type(file), io.BufferedIOBase)
        assert (file.seek(-6, os.SEEK_END), file.tell(), file.read()) == (17, 17, b"app,7\n")
        assert (file.seek(0), file.readline(), file.peek(3)[:3], file.size) == (0, b"name,size\n", b"bas", len(CSV))
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.closed
    with fs.open("/srv/sizes.csv", "rt", newline="") as text:
        assert text.read().splitlines() == CSV.decode().splitlines()


def test_several_files_and_ranges_at_once(fs: AbstractFileSystem) -> None:
    paths = ["/srv/sizes.csv", "/srv/again.csv"]
    assert fs.cat(paths) == dict.fromkeys(paths, CSV)
    assert fs.cat_ranges(paths, [0, -6], [4, None]) == [b"name", b"app,7\n"]
    assert fs.read_block("/srv/sizes.csv", 3, 10, b"\n") == b"base,5\n"
    assert fs.du("/srv") == sum(fs.du("/srv", total=False).values()) == 4 * len(CSV) + 7 + fs.info("/srv/root")["size"]
    assert {name: fs.info(name)["layer"] for name in paths} == dict.fromkeys(paths, 0)


def test_a_tree_is_copied_to_the_disk(fs: AbstractFileSystem, tmp_path: Path) -> None:
    fs.get("/srv/*.csv", f"{tmp_path}/")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"sizes.csv": CSV, "again.csv": CSV}
    fs.get("/srv/empty", f"{tmp_path}/new", recursive=True)
    assert (tmp_path / "new").is_dir()


REFUSED: list[Callable[[AbstractFileSystem], object]] = [
    lambda fs: fs.open("/new", "wb"),
    lambda fs: fs.open("/srv/sizes.csv", "r+b"),
    lambda fs: fs.open("/srv/sizes.csv", "ab"),
    lambda fs: fs.pipe("/new", b""),
    lambda fs: fs.write_text("/new", ""),
    lambda fs: fs.put(__file__, "/srv/new"),
    lambda fs: fs.touch("/srv/sizes.csv"),
    lambda fs: fs.touch("/new", truncate=False),
    lambda fs: fs.mkdir("/new"),
    lambda fs: fs.makedirs("/new/newer", exist_ok=True),
    lambda fs: fs.rmdir("/srv/empty"),
    lambda fs: fs.rm("/srv", recursive=True),
    lambda fs: fs.rm_file("/srv/sizes.csv"),
    lambda fs: fs.delete("/srv/nowhere"),
    lambda fs: fs.cp_file("/srv/sizes.csv", "/new"),
    lambda fs: fs.mv("/srv/sizes.csv", "/new"),
]


@pytest.mark.parametrize("call", REFUSED)
@pytest.mark.parametrize("source", [VIEW, ls.Overlay(VIEW)], ids=["view", "overlay"])
def test_it_cannot_be_written(call: Callable[[AbstractFileSystem], object], source: ls.View | ls.Overlay) -> None:
    with pytest.raises(OSError, match="Read-only file system") as caught:
        call(ImageFileSystem(view=source))
    assert caught.value.errno == errno.EROFS
    assert not isinstance(source, ls.Overlay) or source.changes() == []


def test_what_is_there_may_be_wanted_again(fs: AbstractFileSystem) -> None:
    fs.makedirs("/srv", exist_ok=True)
    for call in (fs.mkdir, fs.makedirs):
        with pytest.raises(FileExistsError):
            call("/srv")
    for call in (fs.rm, fs.rmdir, fs.rm_file, fs.open, fs.cat, fs.info, fs.ls, fs.modified, fs.ukey):
        with pytest.raises(FileNotFoundError):
            call("/new")
    for call in (fs.open, fs.cat_file):
        with pytest.raises(IsADirectoryError):
            call("/srv")


def test_a_view_of_a_container_is_as_the_container_is() -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([BASE], "app:1")
    container = engine.run("app:1")
    fs = fsspec.filesystem("layersim", view=container.fs)
    before = fs.ukey("/srv/sizes.csv"), fs.checksum("/srv/sizes.csv")
    container.fs.write_bytes("/srv/sizes.csv", CSV[::-1])
    assert (fs.cat("/srv/sizes.csv"), fs.ukey("/srv/sizes.csv") == before[0]) == (CSV[::-1], False)
    assert fs.checksum("/srv/sizes.csv") == int(ls.sha256(CSV[::-1]).removeprefix("sha256:"), 16) != before[1]
    assert fs.modified("/srv/sizes.csv").timestamp() == 0
    assert fs.ukey("/srv") == fs.ukey("/srv/")


def test_file_systems_are_equal_when_their_layers_are(archive: Path) -> None:
    other = ls.View([ls.Layer.from_changes([*TREE[:-1], ls.symlink("/srv/root", "/x")])])
    assert len(other) == len(VIEW)
    one, same = ImageFileSystem(view=VIEW), fsspec.filesystem("layersim", archive=archive)
    assert (one == same, hash(one) == hash(same), one.fsid == same.fsid) == (True, True, True)
    assert one != ImageFileSystem(view=other)
    overlay = ls.Overlay(VIEW)
    assert ImageFileSystem(view=overlay) == ImageFileSystem(view=overlay) != ImageFileSystem(view=overlay.fork())


def test_an_archive_is_named_in_many_ways(archive: Path, tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: 0)
    image = engine.load(archive)[0]
    engine.save(["app:1"], tmp_path / "layout", layout="oci-dir")
    engine.save_state(tmp_path / "host.lsim")
    engine.save_state(f"{tmp_path}/store/")
    with fsspec.filesystem("memory").open("/far.tar", "wb") as far:
        far.write(archive.read_bytes())
    url = "layersim://srv/sizes.csv"
    opened = [
        *(fsspec.open(url, archive=tmp_path / name) for name in ("app.tar", "layout", "host.lsim", "store")),
        *(fsspec.open(url, archive=archive, image=image) for image in ("app:1", image.id, image.id[7:19])),
        fsspec.open(f"{url}::file://{archive}"),
        fsspec.open(f"{url}::{archive}", layersim={"image": "app:1"}),
        fsspec.open(f"{url}::memory://far.tar", image="app:1"),
    ]
    for each in opened:
        with each as file:
            assert file.read() == CSV
    again = pickle.loads(pickle.dumps(opened[0]))
    assert (again.fs == opened[0].fs, again.full_name) == (True, "layersim:///srv/sizes.csv")


def test_which_image_is_meant_has_to_be_clear(archive: Path, tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.load(archive)
    engine.add_image([BASE, ls.Layer.from_changes([])], "other:2")
    engine.save(["app:1", "other:2"], tmp_path / "two.tar")
    open_two = partial(fsspec.filesystem, "layersim")
    with pytest.raises(ValueError, match=r"two.tar' holds 2 images: expected image= .* 'app:1', 'other:2'"):
        open_two(archive=tmp_path / "two.tar")
    with pytest.raises(ImageNotFoundError, match=r"two.tar' holds no image 'app:3', but 'app:1', 'other:2'"):
        open_two(archive=tmp_path / "two.tar", image="app:3")
    with pytest.raises(FileNotFoundError):
        open_two(archive=tmp_path / "none.tar")
    for options in ({}, {"archive": archive, "view": VIEW}, {"fo": "x", "view": VIEW}):
        with pytest.raises(ValueError, match="expected one of view="):
            open_two(**options)


def test_an_archive_is_opened_once_and_again_when_it_was_replaced(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    load = ls.Engine.load

    def counted(engine: ls.Engine, archive: Path, *, platform: str | None) -> list[ls.Image]:
        loads.append(archive)
        return load(engine, archive, platform=platform)

    monkeypatch.setattr(ls.Engine, "load", counted)
    for _ in range(3):
        assert pd.read_csv("layersim://srv/sizes.csv", storage_options={"archive": archive})["size"].sum() == 12
    assert len(loads) == 1
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([ls.Layer.from_changes([ls.write("/srv/sizes.csv", b"size\n1\n")])], "app:1")
    engine.save(["app:1"], archive)
    assert pd.read_csv("layersim://srv/sizes.csv", storage_options={"archive": archive})["size"].sum() == 1
    ImageFileSystem.clear_instance_cache()
    assert fsspec.filesystem("layersim", archive=archive).exists("/srv")
    assert len(loads) == 3


def test_libraries_of_tables_read_through_it() -> None:
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"size": [5, 7]}), parquet)
    view = ls.View([BASE, ls.Layer.from_changes([ls.write(f"/t/{n}.parquet", parquet.getvalue()) for n in range(3)])])
    fs = fsspec.filesystem("layersim", view=view)
    assert pd.read_csv("layersim://etc/up", storage_options={"view": view})["size"].tolist() == [5, 7]
    assert pd.read_parquet("layersim://t", storage_options={"view": view})["size"].sum() == 36
    arrow = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(fs))
    assert pyarrow.parquet.read_table("/t/0.parquet", filesystem=arrow).num_rows == 2
    assert pyarrow.dataset.dataset("/t", filesystem=arrow).count_rows() == 6
    selected = arrow.get_file_info(pyarrow.fs.FileSelector("/t", recursive=True))
    assert {info.path: info.size for info in selected if info.is_file}["/t/0.parquet"] == len(parquet.getvalue())
    with duckdb.connect() as database:
        database.register_filesystem(fs)
        assert database.sql("select sum(size) from 'layersim://t/*.parquet'").fetchall() == [(36,)]


def test_libraries_that_wait_for_nothing_read_through_it(fs: AbstractFileSystem) -> None:
    """As zarr does."""
    wrapped: Any = AsyncFileSystemWrapper(fs, asynchronous=True)

    async def read() -> object:
        return await wrapped._cat_file("/srv/sizes.csv", start=0, end=4), await wrapped._exists("/none")

    assert asyncio.run(read()) == (b"name", False)


def test_the_page_shows_what_happens(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archives(tmp_path, NOW)
    monkeypatch.chdir(tmp_path)
    page = repository / "docs" / "filesystem.md"
    session = doctest.DocTestParser().get_doctest("".join(blocks(page, "pycon")), {}, page.name, str(page), 0)
    told: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(session, out=told.append).failed == 0, "".join(told)
