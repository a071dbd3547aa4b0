"""What an engine does with its build cache: keep records, tell of them, prune them."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING

from layersim._core import Layer, sha256
from layersim.engine.state import State
from layersim.store import CacheRecord
from layersim.table import Table
from layersim.usage import CacheRow, CacheUsages

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID_LENGTH = 25
_TOO_LARGE = 2**63
_MOUNTED = "exec.cachemount"


class CacheCommands(State):
    """The build cache part of an engine."""

    @property
    def build_cache(self) -> Table[CacheRow]:
        """The records, least recently used first, as `docker system df -v` lists them."""
        with self._lock:
            rows = CacheUsages(self._build_cache, self._images).rows
            return Table(rows, self.profile.forms.build_cache_usage, self._style(), kind=CacheRow)

    def add_cache_record(
        self,
        size: int,
        *,
        type: str = "regular",
        layers: Sequence[Layer] = (),
        description: str = "",
        in_use: bool = False,
    ) -> CacheRow:
        """Keep a record of a build, which holds layers until it is pruned.

        Parameters
        ----------
        size : int
            Bytes that the record counts itself: those of the step's layer or of the context that was sent; 0 for the
            record of a base image.
        type : str, default "regular"
            ``regular``, ``source.local``, ``internal``, ``frontend``, ``exec.cachemount``.
        layers : sequence of Layer
            The stack that it holds, base first.
        description : str
            What it is a record of.
        in_use : bool, default False
            Whether a build runs on it.

        Returns
        -------
        CacheRow
            As `df` tells of it.

        Raises
        ------
        ChainTooDeepError
            There are more layers than the engine allows.
        ValueError
            `size` is negative, or more than 63 bits hold.
        """
        if not 0 <= (size := index(size)) < _TOO_LARGE:
            raise ValueError(f"expected 0 to 2**63 - 1 bytes, got {size}")
        with self._lock:
            top = self._layers.hold(layers, self.profile.layer_sizes["build"])
            self._cache_records += 1
            record = CacheRecord(
                id=sha256(f"build cache {self._cache_records}".encode())[7:][:_ID_LENGTH],
                type=type,
                size=size,
                top=top,
                created_ns=self.now(),
                last_used_ns=self.now(),
                in_use=in_use,
                description=description,
            )
            self._build_cache.add(record)
            rows = CacheUsages([record], self._images).rows
            return rows[0]

    def _find_cache_mount(self, name: str) -> Layer | None:
        """Return what a cache of RUN steps holds, or None where it is not there."""
        record = self._build_cache.find(self._sources.get(f"{_MOUNTED} {name}", ""))
        if record is None:
            return None
        return Layer.from_changes([]) if record.top is None else record.top.layer

    def _keep_cache_mount(self, name: str, layer: Layer, size: int, description: str) -> None:
        """Keep what a step left in a cache, and count one more use of it."""
        name = f"{_MOUNTED} {name}"
        held = [layer] if len(layer) else []
        record = self._build_cache.find(self._sources.get(name, ""))
        if record is None:
            added = self.add_cache_record(size, type=_MOUNTED, layers=held, description=description)
            self._sources[name] = added.id
            return
        top = self._layers.hold(held, lambda _layer: size)
        self._build_cache.fill(record.id, size, top)
        self._build_cache.use(record.id, self.now())

    def _prune_build_cache(self, *, shared_too: bool) -> tuple[tuple[str, ...], int]:
        """Drop records that no build runs on; those that images share only if asked to. Return ids and bytes."""
        rows = {row.id: row for row in CacheUsages(self._build_cache, self._images).rows}
        idle = [record for record in self._build_cache if not record.in_use]
        gone = [record for record in idle if shared_too or not rows[record.id].shared]
        for record in gone:
            self._build_cache.drop(record)
            self._step_cache.drop(record.id)
        ids = {record.id for record in gone}
        self._synced = {place: one for place, one in self._synced.items() if one.records.isdisjoint(ids)}
        return tuple(record.id for record in gone), sum(record.size for record in gone)
