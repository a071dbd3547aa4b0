"""What an engine tells of itself: images, histories, containers, disk usage."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from layersim.engine.disk_usage import DiskUsage
from layersim.engine.state import State
from layersim.errors import ImageNotFoundError
from layersim.history import HistoryRow, history_rows
from layersim.table import Table
from layersim.usage import (
    CacheRow,
    CacheUsages,
    ContainerRow,
    ContainerUsages,
    ImageRow,
    ImageUsageRow,
    ImageUsages,
    SummaryRow,
    VolumeRow,
    image_rows,
    volume_rows,
    volume_summary,
)

if TYPE_CHECKING:
    from layersim.store import StoredImage


class Reports(State):
    """The tables of an engine: rows of values, whose `str` is what Docker prints."""

    def images(self, all: bool = False) -> Table[ImageRow]:
        """Return the images, newest first, as `docker images`.

        Parameters
        ----------
        all : bool, default False
            Also untagged images that others were made from.

        Returns
        -------
        Table of ImageRow
            As they are now; what happens later changes nothing in it.
        """
        with self._lock:
            rows = image_rows(self._images, self._containers.count_by_image(), hidden=all)
            if self.profile.forms.hides_dangling and not all:
                rows = [row for row in rows if row.tags]
            return Table(rows, self.profile.forms.images, self._style(), kind=ImageRow)

    def history(self, ref: str) -> Table[HistoryRow]:
        """Return the steps of an image, newest first, as `docker history`.

        Parameters
        ----------
        ref : str
            Tag, id, or prefix of an id.

        Returns
        -------
        Table of HistoryRow
            As many as its config tells of.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to `ref`.
        """
        with self._lock:
            rows = history_rows(self._images.find(ref))
            return Table(rows, self.profile.forms.history, self._style(), kind=HistoryRow)

    def containers(self, all: bool = False, *, size: bool = False) -> Table[ContainerRow]:
        """Return the containers, newest first, as `docker ps`.

        Parameters
        ----------
        all : bool, default False
            Also those that do not run.
        size : bool, default False
            Print sizes too, as `docker ps -s`.

        Returns
        -------
        Table of ContainerRow
            As they are now; what happens later changes nothing in it.
        """
        with self._lock:
            shown = [container for container in self._containers if all or container.is_active]
            forms = self.profile.forms
            form = forms.containers_with_size if size else forms.containers
            return Table(ContainerUsages(shown, self._image_name), form, self._style(), kind=ContainerRow)

    def df(self, verbose: bool = False) -> DiskUsage:
        """Return what is held on disk, as `docker system df`.

        Parameters
        ----------
        verbose : bool, default False
            Whether its text is that of `docker system df -v`.

        Returns
        -------
        DiskUsage
            As it is now; what happens later changes nothing in it.
        """
        with self._lock:
            images = ImageUsages(
                self._images,
                self._ledger.sizes,
                self._containers.count_by_image(),
                self.profile,
                has_content=len(self._contents) > 0,
            )
            return self._disk_usage(images, ContainerUsages(self._containers, self._image_name), is_verbose=verbose)

    def _disk_usage(self, images: ImageUsages, containers: ContainerUsages, *, is_verbose: bool) -> DiskUsage:
        forms, style = self.profile.forms, self._style()
        reclaimable = self.profile.reclaimable(images)
        volumes, cache = volume_rows(self._volumes), CacheUsages(self._build_cache, self._images)
        summary = [
            SummaryRow("Images", len(images), images.active, images.layers_size, reclaimable),
            containers.summary,
            volume_summary(volumes),
            cache.summary(self.profile.build_cache),
        ]
        return DiskUsage(
            summary=Table(summary, forms.summary, style, kind=SummaryRow),
            images=Table(images, forms.image_usage, style, kind=ImageUsageRow),
            containers=Table(containers, forms.container_usage, style, kind=ContainerRow),
            volumes=Table(volumes, forms.volume_usage, style, kind=VolumeRow),
            build_cache=Table(cache.rows, forms.build_cache_usage, style, kind=CacheRow),
            layers_size=images.layers_size,
            is_verbose=is_verbose,
        )

    def _image_name(self, name: str, image: StoredImage) -> str:
        """Return the name a container was created with, or its image's id where that means another image by now."""
        with suppress(ImageNotFoundError):
            if self._images.find(name).id == image.id:
                return name
        return image.id
