"""Distributions of single calls, behaviours and a scenario, each group with its peer: `make bench-stats`.

The rows of `make bench` are the promises; these tables show how even the times are.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from benches.made import base_layer, file_paths, small_layer, tar_of
from layersim import _core

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

FILES = 5_000
CONTENT = bytes(4096)


@pytest.fixture(autouse=True)
def _release_build() -> None:
    assert _core.BUILD_PROFILE == "release", "the core is a debug build: run `make setup`"


@pytest.fixture(scope="module")
def layers() -> list[ls.Layer]:
    return [base_layer(FILES), small_layer(1)]


@pytest.fixture(scope="module")
def on_disk(layers: list[ls.Layer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk")
    ls.View(layers).extract(folder)
    return folder


@pytest.mark.benchmark(group="call: lstat of one path")
class TestLstat:
    def test_view(self, benchmark: BenchmarkFixture, layers: list[ls.Layer]) -> None:
        view, path = ls.View(layers), file_paths(FILES)[-1]
        assert benchmark(view.lstat, path).st_size == len(file_paths(FILES)[-1])

    def test_overlay(self, benchmark: BenchmarkFixture, layers: list[ls.Layer]) -> None:
        fs, path = ls.Overlay(layers), file_paths(FILES)[-1]
        assert benchmark(fs.lstat, path).st_size == len(file_paths(FILES)[-1])

    def test_peer_os(self, benchmark: BenchmarkFixture, on_disk: Path) -> None:
        assert benchmark(os.lstat, f"{on_disk}{file_paths(FILES)[-1]}").st_size == len(file_paths(FILES)[-1])


@pytest.mark.benchmark(group="call: create, write 4 KiB, unlink")
class TestWrite:
    def test_overlay(self, benchmark: BenchmarkFixture, layers: list[ls.Layer]) -> None:
        fs = ls.Overlay(layers)

        def write() -> None:
            fs.write_bytes("/app/new", CONTENT)
            fs.unlink("/app/new")

        benchmark(write)
        assert fs.size_rw == 0

    def test_peer_os(self, benchmark: BenchmarkFixture, on_disk: Path) -> None:
        target = on_disk / "app" / "new"

        def write() -> None:
            target.write_bytes(CONTENT)
            target.unlink()

        benchmark(write)
        assert not target.exists()


@pytest.mark.benchmark(group=f"behaviour: read a tar of {FILES} files")
class TestReadTar:
    def test_layer(self, benchmark: BenchmarkFixture, layers: list[ls.Layer]) -> None:
        tar = tar_of(layers[0])
        assert len(benchmark(ls.Layer.from_tar, tar)) == len(layers[0])

    def test_peer_tarfile(self, benchmark: BenchmarkFixture, layers: list[ls.Layer]) -> None:
        tar = tar_of(layers[0])

        def read() -> list[str]:
            with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
                return archive.getnames()

        assert len(benchmark(read)) == len(layers[0])


@pytest.mark.benchmark(group="scenario: start, write 100 files, commit, read them in the next container")
class TestCommit:
    def test_engine(self, benchmark: BenchmarkFixture, layers: list[ls.Layer]) -> None:
        def story() -> int:
            engine = ls.Engine(clock=lambda: 0)
            container = engine.run(engine.add_image(layers, tag="app:1").id)
            for path in file_paths(100):
                container.fs.write_bytes(path, CONTENT)
            after = engine.run(container.commit(tag="app:2").id)
            return sum(len(after.fs.read_bytes(path)) for path in file_paths(100))

        assert benchmark(story) == 100 * len(CONTENT)

    def test_peer_copied_tree(self, benchmark: BenchmarkFixture, on_disk: Path, tmp_path: Path) -> None:
        def story() -> int:
            with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
                container, after = Path(folder, "container"), Path(folder, "after")
                shutil.copytree(on_disk, container)
                for path in file_paths(100):
                    Path(f"{container}{path}").write_bytes(CONTENT)
                shutil.copytree(container, after)
                return sum(len(Path(f"{after}{path}").read_bytes()) for path in file_paths(100))

        assert benchmark(story) == 100 * len(CONTENT)
