"""fsspec's own tests of copying to the disk, on an image that they fill first."""

from __future__ import annotations

from posixpath import dirname
from typing import TYPE_CHECKING

import pytest
from fsspec.implementations.local import LocalFileSystem, make_path_posix
from fsspec.tests.abstract import AbstractFixtures, AbstractGetTests

import layersim as ls
from layersim.filesystem import ImageFileSystem

if TYPE_CHECKING:
    from pathlib import Path

    from fsspec import AbstractFileSystem


class Filled(ImageFileSystem):
    """A container's files, and beside them a way in for those who prepare a test."""

    def __init__(self, container: ls.Overlay) -> None:
        super().__init__(view=container)
        self.container = container

    def makedirs(self, path: str, *_: object, **__: object) -> None:
        self.container.make_directories(path)

    def mkdir(self, path: str, *_: object, **__: object) -> None:
        self.makedirs(path)

    def touch(self, path: str, *_: object, **__: object) -> None:
        self.pipe(path, b"")

    def pipe(self, path: str, value: bytes) -> None:
        self.makedirs(dirname(path))
        self.container.write_bytes(path, value)

    def rm(self, path: str | list[str], *_: object, **__: object) -> None:
        """Leave it: each test has a container of its own."""


class TestGet(AbstractFixtures, AbstractGetTests):
    @pytest.fixture
    def fs(self) -> AbstractFileSystem:
        return Filled(ls.Overlay([]))

    @pytest.fixture
    def fs_path(self) -> str:
        return "/data"

    @pytest.fixture
    def local_fs(self) -> AbstractFileSystem:
        return LocalFileSystem(auto_mkdir=True)

    @pytest.fixture
    def local_path(self, tmp_path: Path) -> str:
        return str(make_path_posix(str(tmp_path)))
