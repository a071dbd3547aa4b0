"""What one engine holds: its profile, its clock, and its stores."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from layersim.container import ContainerStore
from layersim.image.instant import to_datetime
from layersim.profiles import find_profile
from layersim.profiles.form import Style
from layersim.store import ImageStore, LayerStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from layersim._core import View
    from layersim.profiles import Profile


class State:
    """The ground that an engine's commands stand on."""

    def __init__(
        self, profile: str | Profile = "docker20", *, clock: Callable[[], int | datetime] = time.time_ns
    ) -> None:
        self.profile = find_profile(profile)
        self._clock = clock
        self._lock = threading.RLock()
        self._layers = LayerStore(self.profile.deepest_chain)
        self._images = ImageStore()
        self._containers = ContainerStore()
        self._views: dict[str, View] = {}

    @property
    def lock(self) -> AbstractContextManager[object]:
        """What is held while something of the engine changes; the same thread may take it again."""
        return self._lock

    def now(self) -> int:
        """Return the clock's time, in nanoseconds since 1970."""
        moment = self._clock()
        return moment if isinstance(moment, int) else round(moment.timestamp() * 10**6) * 1000

    def _style(self) -> Style:
        return Style(now=to_datetime(self.now()))
