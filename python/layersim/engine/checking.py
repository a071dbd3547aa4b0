"""Checking a saved engine without working with it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from layersim.engine.saving import Saving
from layersim.errors import LayerSimError, StateError
from layersim.layout import Breach
from layersim.state import (
    StoreLock,
    breaches_of,
    demand_store,
    differing,
    members_of_file,
    read_directory,
    read_file,
    unnamed_in_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from layersim._core import Blobs
    from layersim.container import Container, Volume
    from layersim.state.document import Document


class Checking(Saving):
    """The part of an engine that looks at others."""

    @classmethod
    def check_state(cls, path: str | bytes | PathLike[str] | PathLike[bytes]) -> list[Breach]:
        """Check all that a saved engine says of itself.

        Parameters
        ----------
        path : path
            A file or a directory store; nobody else can open a store meanwhile.

        Returns
        -------
        list of Breach
            All that is wrong, in the order in which it was found; empty for a saved engine in order.

        Raises
        ------
        StoreLockedError
            An engine has the directory store open.
        OSError
            It cannot be read.

        Notes
        -----
        The seal, the digest and length of every blob, sizes and numbers of entries of layers, what containers and
        volumes have written, chain ids, the layers of each config, and every reference. Blobs that a killed save left
        in a store are no breach, unless their bytes are not what their names say.

        Examples
        --------
        >>> import tempfile
        >>> from layersim import Engine
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Engine().save_state(f"{folder}/host.lsim")
        ...     Engine.check_state(f"{folder}/host.lsim")
        []
        """
        target = Path(os.fsdecode(path))
        try:
            return cls._in_directory(target) if target.is_dir() else cls._in_file(target)
        except StateError as error:
            return [Breach("", str(error))]

    @classmethod
    def _in_directory(cls, folder: Path) -> list[Breach]:
        demand_store(folder)
        with StoreLock(folder):
            document, blobs = read_directory(folder)
            return [*cls._found(document, blobs), *unnamed_in_folder(folder, document)]

    @classmethod
    def _in_file(cls, path: Path) -> list[Breach]:
        document, blobs = read_file(path)
        return [*cls._found(document, blobs), *members_of_file(path, document)]

    @classmethod
    def _found(cls, document: Document, blobs: Blobs) -> list[Breach]:
        """Return what is wrong with a document, and why no engine can be made of it."""
        found = list(breaches_of(document, blobs))
        try:
            engine = cls._opened(document, blobs, time.time_ns, None, verify=False)
        except StateError as error:
            return [*found, Breach("", str(error))]
        return [*found, *cls._of_uppers(engine)]

    def _of_uppers(self) -> Iterator[Breach]:
        holders: dict[str, Container | Volume] = {}
        holders |= {f"volumes[{position}]": volume for position, volume in enumerate(self._volumes)}
        holders |= {f"containers[{position}]": container for position, container in enumerate(self._containers)}
        for where, holder in holders.items():
            yield from _of_upper(f"{where}.upper", holder)


def _of_upper(where: str, holder: Container | Volume) -> Iterator[Breach]:
    """Yield what is said wrongly of the writes of a container or a volume; what they take depends on what is below."""
    upper = holder.upper()
    if upper is None:
        return
    said = {"size_rw": upper.size_rw, "allocated_rw": upper.allocated_rw}
    # What cannot be read is told where it is; layers that are known by their sizes alone never can.
    with suppress(LayerSimError):
        fs = holder.fs
        yield from differing(where, said, {"size_rw": fs.size_rw, "allocated_rw": fs.allocated_rw})
