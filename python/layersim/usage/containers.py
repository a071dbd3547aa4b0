"""What containers take (accounting.md section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, overload

from layersim.image.instant import to_datetime
from layersim.usage.rows import ContainerRow, SummaryRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layersim.container import Container
    from layersim.container.value import Life
    from layersim.store import StoredImage


class ContainerUsages(Sequence[ContainerRow]):
    """Containers newest first; a row is made when it is looked at.

    What may change in an engine is taken down at once, so that rows tell of one moment, whenever they are made.

    Parameters
    ----------
    containers : iterable of Container
        Oldest first.
    name_of : callable
        What a container was created with, and its image, to what the image is called now.
    """

    def __init__(self, containers: Iterable[Container], name_of: Callable[[str, StoredImage], str]) -> None:
        newest_first = list(containers)[::-1]
        # Sorting in reverse leaves those of one moment in the order that they are in.
        newest_first.sort(key=attrgetter("created_ns"), reverse=True)
        self._containers = newest_first
        self._lives = [container.life for container in newest_first]
        self._written = [container.size_rw for container in newest_first]
        made_with = {(container.image_name, container.image) for container in newest_first}
        self._names = {(name, image): name_of(name, image) for name, image in made_with}

    def __len__(self) -> int:
        """Return how many containers there are."""
        return len(self._containers)

    @overload
    def __getitem__(self, index: int) -> ContainerRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ContainerRow]: ...
    def __getitem__(self, index: int | slice) -> ContainerRow | list[ContainerRow]:
        """Return one row, or several."""
        if isinstance(index, slice):
            return list(map(self._row, self._containers[index], self._lives[index], self._written[index]))
        return self._row(self._containers[index], self._lives[index], self._written[index])

    @cached_property
    def summary(self) -> SummaryRow:
        """The line of the containers: what those that do not run have written could be freed."""
        active = sum(life.is_active for life in self._lives)
        in_use = sum(size for size, life in zip(self._written, self._lives, strict=True) if size and life.is_active)
        size = sum(self._written)
        return SummaryRow("Containers", len(self), active, size, size - in_use)

    def _row(self, container: Container, life: Life, size_rw: int) -> ContainerRow:
        image = container.image
        run_config = image.config.run_config
        test = run_config.healthcheck.test if run_config.healthcheck else None
        return ContainerRow(
            id=container.id,
            name=container.name,
            image=self._names[container.image_name, image],
            image_id=image.id,
            command=container.command,
            created=container.created,
            state=life.state,
            since=to_datetime(life.since_ns or container.created_ns),
            exit_code=life.exit_code,
            size_rw=size_rw,
            size_root_fs=size_rw + container.below_size,
            volumes=len(container.volumes),
            has_healthcheck=bool(test) and test != ("NONE",),
        )
