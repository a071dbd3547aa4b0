"""What one engine holds: its profile, its clock, and its stores."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from layersim.build.cache import StepCache
from layersim.container import ContainerStore, VolumeStore
from layersim.engine.loading import Registrar
from layersim.engine.removal import Remover
from layersim.image import parse_new_tag
from layersim.image.instant import from_clock, to_datetime
from layersim.profiles import find_profile
from layersim.profiles.form import Style
from layersim.state import KnownBlobs
from layersim.store import BuildCache, ContentStore, ImageStore, LayerStore, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from layersim._core import View
    from layersim.build.context import Synced
    from layersim.image import Reference
    from layersim.profiles import Profile


class State:
    """The ground that an engine's commands stand on."""

    def __init__(
        self, profile: str | Profile = "docker20", *, clock: Callable[[], int | datetime] = time.time_ns
    ) -> None:
        self.profile = find_profile(profile)
        self._clock = clock
        self._lock = threading.RLock()
        self._ledger = Ledger()
        self._layers = LayerStore(self.profile.deepest_chain, self._ledger)
        self._contents = ContentStore(self._ledger, is_shared=self.profile.shares_content)
        self._images = ImageStore(self.profile.naming)
        self._containers = ContainerStore()
        self._volumes = VolumeStore(self.now)
        self._build_cache = BuildCache(self._layers)
        self._cache_records = 0
        self._step_cache = StepCache()
        self._sources: dict[str, str] = {}
        self._synced: dict[str, Synced] = {}
        self._known = KnownBlobs()
        self._views: dict[str, View] = {}
        self._registrar = Registrar(self.profile, self._images, self._layers, self._contents)

    @property
    def lock(self) -> AbstractContextManager[object]:
        """What is held while something of the engine changes; the same thread may take it again."""
        return self._lock

    def now(self) -> int:
        """Return the clock's time, in nanoseconds since 1970."""
        return from_clock(self._clock())

    def _new_tag(self, text: str | None) -> Reference | None:
        """Return what a new tag is to be, by this engine's grammar."""
        return None if text is None else parse_new_tag(text, self.profile.naming.grammar)

    def _remover(self) -> Remover:
        return Remover(self.profile.removal, self._images, self._layers, self._contents, self._containers)

    def _style(self) -> Style:
        return Style(now=to_datetime(self.now()))
