"""Keeping an engine: all of it as one file or as a directory store, and back."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layersim._core import Packed
from layersim.build.saved import restore_builds, restore_sent, saved_builds
from layersim.engine.containers import ContainerCommands
from layersim.errors import StateError
from layersim.profiles import find_profile
from layersim.state import (
    StoreLock,
    Stores,
    abandon,
    demand_store,
    document_of,
    prepare,
    read_directory,
    read_file,
    restore,
    write_directory,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from os import PathLike
    from typing import Self, TypeAlias

    from layersim._core import Blobs
    from layersim.state.document import Document
    from layersim.state.writing import Shelf

    StrOrBytesPath: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]


class Saving(ContainerCommands):
    """The half of an engine that survives its process."""

    _store: StoreLock | None = None

    def save_state(
        self, path: StrOrBytesPath, *, layout: Literal["file", "directory"] | None = None, verify: bool = False
    ) -> int:
        """Save the whole engine: images, tags, layers, containers with what they have written, and its counters.

        Parameters
        ----------
        path : path
            Where to.
        layout : {"file", "directory"}, optional
            By default a directory store where `path` is a directory or ends in a slash, and otherwise one file.
        verify : bool, default False
            Hash every blob that a directory store has already. Otherwise those alone are hashed, once, that this engine
            has read or made itself; a broken one is written again.

        Returns
        -------
        int
            Bytes written. A directory store does not write a blob again that it has.

        Raises
        ------
        ValueError
            There is no such layout.
        StateError
            The directory holds something else, or the profile is none of `layersim.profiles`.
        StoreLockedError
            Another engine has the directory store open.
        DigestMismatchError, ContentMissingError
            A layer that was to be copied from another state was changed there, or is gone.

        Notes
        -----
        A first save into a directory that fails leaves no store there. Killed at any point, the target has the old
        state or the new one. Files that are open in a container are not saved; what it wrote so far is.
        """
        if layout not in {None, "file", "directory"}:
            raise ValueError(f"expected 'file' or 'directory', got {layout!r}")
        with self._lock:
            self._demand_known_profile()
            builds = saved_builds(self._step_cache, self._sources, self._build_cache, self._synced)
            document, shelf = document_of(self.profile.name, self._stores(), self._cache_records, builds)
            if layout == "file" or (layout is None and not _names_directory(path)):
                return write_file(_as_path(path), document, shelf)
            return self._write_directory(_as_path(path), document, shelf, verify=verify)

    @classmethod
    def open(
        cls,
        path: StrOrBytesPath,
        *,
        clock: Callable[[], int | datetime] = time.time_ns,
        verify: bool = False,
    ) -> Self:
        """Open a saved engine; what its layers hold is read and verified when it is first wanted.

        Parameters
        ----------
        path : path
            A file or a directory store, which nobody else can open until `close`.
        clock : callable, default `time.time_ns`
            As for the engine.
        verify : bool, default False
            Read and verify every layer and every container's writes now.

        Returns
        -------
        Engine
            With the profile it was saved with.

        Raises
        ------
        StateError
            It is no saved engine, cut short, or was changed.
        StateVersionError
            It was saved by a version that knows more.
        StoreLockedError
            Another engine has the directory store open; the message says which process.
        DigestMismatchError, ContentMissingError
            With `verify`: a blob was changed or is gone.
        """
        folder = _as_path(path)
        if not folder.is_dir():
            return cls._opened(*read_file(folder), clock, None, verify=verify)
        demand_store(folder)
        lock = StoreLock(folder)
        try:
            return cls._opened(*read_directory(folder), clock, lock, verify=verify)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let others open the directory store that this engine was opened from.

        The engine goes on living in memory; layers that it has not read yet stay in the store.
        """
        if self._store is not None:
            self._store.release()
            self._store = None

    def __enter__(self) -> Self:
        """Be closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @classmethod
    def _opened(
        cls,
        document: Document,
        blobs: Blobs,
        clock: Callable[[], int | datetime],
        store: StoreLock | None,
        *,
        verify: bool,
    ) -> Self:
        try:
            profile = find_profile(document.profile)
        except ValueError as error:
            raise StateError(f"the engine was saved with a profile that is not known here: {error}") from error
        engine = cls(profile, clock=clock)
        restore(document, blobs, engine._stores(), engine)
        engine._cache_records = document.counters.cache_records
        engine._sources = restore_builds(document.builds, engine._build_cache, engine._step_cache)
        engine._synced = restore_sent(document.builds, engine._sources)
        if verify:
            engine._verify()
        engine._store = store
        return engine

    def _write_directory(self, folder: Path, document: Document, shelf: Shelf, *, verify: bool) -> int:
        is_new = prepare(folder)
        is_ours = self._store is not None and self._store.covers(folder)
        with nullcontext() if is_ours else StoreLock(folder):
            try:
                return write_directory(folder, document, shelf, self._known, verify=verify)
            except BaseException:
                abandon(folder, is_new=is_new)
                raise

    def _stores(self) -> Stores:
        return Stores(self._layers, self._contents, self._images, self._volumes, self._containers, self._build_cache)

    def _verify(self) -> None:
        """Read all layers, side by side, and prove what containers have written and what images came as."""
        layers = {place.layer.diff_id: place.layer for place in self._layers if not place.layer.is_synthetic}
        holders = [*self._containers, *self._volumes]
        uppers = [upper for holder in holders if (upper := holder.upper()) is not None]
        packed = [blob.payload for blob in self._contents if isinstance(blob.payload, Packed)]
        works = [layer.read for layer in layers.values()] + [one.verify for one in (*uppers, *packed)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for done in [pool.submit(work) for work in works]:
                done.result()

    def _demand_known_profile(self) -> None:
        """Refuse to save what could not be opened again."""
        try:
            is_known = find_profile(self.profile.name) is self.profile
        except ValueError:
            is_known = False
        if not is_known:
            raise StateError(f"an engine of a profile of one's own cannot be saved: {self.profile.name!r}")


def _as_path(path: StrOrBytesPath) -> Path:
    return Path(os.fsdecode(path))


def _names_directory(path: StrOrBytesPath) -> bool:
    return os.fsdecode(path).endswith(os.sep) or _as_path(path).is_dir()
