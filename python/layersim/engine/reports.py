"""What an engine tells of itself: images, histories, containers, disk usage."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from layersim.engine.disk_usage import DiskUsage
from layersim.engine.state import State
from layersim.errors import ImageNotFoundError
from layersim.history import history_rows
from layersim.table import Table
from layersim.usage import ImageUsages, SummaryRow, container_row, container_summary, image_rows

if TYPE_CHECKING:
    from layersim.container import Container
    from layersim.history import HistoryRow
    from layersim.usage import ContainerRow, ImageRow


class Reports(State):
    """The tables of an engine: rows of values, whose `str` is what Docker prints."""

    def images(self, all: bool = False) -> Table[ImageRow]:
        """Return the images, newest first, as `docker images`.

        Parameters
        ----------
        all : bool, default False
            Also untagged images that others were made from.
        """
        with self._lock:
            return Table(image_rows(self._images, hidden=all), self.profile.forms.images, self._style())

    def history(self, ref: str) -> Table[HistoryRow]:
        """Return the steps of an image, newest first, as `docker history`.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to `ref`.
        """
        with self._lock:
            return Table(history_rows(self._images.find(ref)), self.profile.forms.history, self._style())

    def containers(self, all: bool = False, *, size: bool = False) -> Table[ContainerRow]:
        """Return the containers, newest first, as `docker ps`.

        Parameters
        ----------
        all : bool, default False
            Also those that do not run.
        size : bool, default False
            Print sizes too, as `docker ps -s`.
        """
        with self._lock:
            shown = [container for container in self._containers if all or container.is_active]
            forms = self.profile.forms
            form = forms.containers_with_size if size else forms.containers
            return Table(self._container_rows(shown), form, self._style())

    def df(self, verbose: bool = False) -> DiskUsage:
        """Return what is held on disk, as `docker system df`.

        Parameters
        ----------
        verbose : bool, default False
            Whether its text is that of `docker system df -v`.
        """
        with self._lock:
            usages = ImageUsages(
                self._images,
                self._layers.sizes,
                self._containers.by_image,
                counts_hidden=self.profile.counts_hidden,
            )
            return self._disk_usage(usages, list(self._containers), is_verbose=verbose)

    def _disk_usage(self, usages: ImageUsages, containers: list[Container], *, is_verbose: bool) -> DiskUsage:
        forms, style = self.profile.forms, self._style()
        reclaimable = self.profile.reclaimable(usages)
        summary = [
            SummaryRow("Images", len(usages), usages.active, usages.layers_size, reclaimable),
            container_summary(containers),
            SummaryRow("Local Volumes", 0, 0, 0, 0),
            SummaryRow("Build Cache", 0, 0, 0, 0),
        ]
        return DiskUsage(
            summary=Table(summary, forms.summary, style),
            images=Table(usages, forms.image_usage, style),
            containers=Table(self._container_rows(containers), forms.container_usage, style),
            volumes=Table((), forms.volume_usage, style),
            build_cache=Table((), forms.build_cache_usage, style),
            layers_size=usages.layers_size,
            is_verbose=is_verbose,
        )

    def _container_rows(self, containers: list[Container]) -> list[ContainerRow]:
        newest_first = sorted(containers, key=lambda container: (container.created_ns, container.number), reverse=True)
        return [container_row(container, self._image_name(container)) for container in newest_first]

    def _image_name(self, container: Container) -> str:
        """Return the name a container was created with, or its image's id where that means another image by now."""
        with suppress(ImageNotFoundError):
            if self._images.find(container.image_name).id == container.image.id:
                return container.image_name
        return container.image.id
