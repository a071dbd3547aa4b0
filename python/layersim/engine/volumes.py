"""What an engine does with volumes: make them, find them, mount them, remove them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from layersim.container import check_destination, demand_directory
from layersim.engine.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim._core import View
    from layersim.container import Container, Volume


class VolumeCommands(State):
    """The volume part of an engine."""

    def create_volume(self, name: str) -> Volume:
        """Make a volume, as `docker volume create`; one that is there already stays as it is.

        Parameters
        ----------
        name : str
            Letters, digits and ``_.-``.

        Returns
        -------
        Volume
            Empty; its `fs` is what containers see under the path that they mount it at.

        Raises
        ------
        ValueError
            It is no name; the message is the engine's.
        """
        with self._lock:
            return self._volumes.ensure(name)

    def get_volume(self, name: str) -> Volume:
        """Return the volume of a name.

        Returns
        -------
        Volume
            The one that answers.

        Raises
        ------
        VolumeNotFoundError
            There is none.
        """
        with self._lock:
            return self._volumes.find(name)

    def remove_volume(self, name: str) -> None:
        """Take a volume away with all it holds, as `docker volume rm`.

        Parameters
        ----------
        name : str
            What it is called.

        Raises
        ------
        VolumeInUseError
            Containers mount it; the message is the engine's.
        VolumeNotFoundError
            There is none.
        """
        with self._lock:
            volume = self._volumes.find(name)
            users = (container for container in self._containers if volume in container.volumes.values())
            self._volumes.remove(volume, tuple(container.id for container in users) if volume.links else ())

    def _mount(self, container: Container, view: Callable[[], View]) -> None:
        """Give a new container the volumes that it asks for, and one for each path that its image declares.

        Parameters
        ----------
        view : callable
            Gives what lies below its writes; empty volumes are filled from there.
        """
        wished = {_path(path): name for path, name in container.wishes.volumes}
        declared = [_path(path) for path in container.image.config.run_config.volumes or ()]
        for path in (*wished, *declared):
            check_destination(path)
            if container.image.has_content:
                demand_directory(view(), path)
        volumes = {path: self._volumes.ensure(name) for path, name in wished.items()}
        for path in declared:
            if path not in volumes:
                volumes[path] = self._volumes.make_anonymous(container.id, path)
        container.mount(volumes)
        if container.image.has_content:
            for path, volume in volumes.items():
                volume.fill(view(), path)

    def _unmount(self, container: Container, *, drops_anonymous: bool) -> None:
        for volume in set(container.volumes.values()):
            volume.links -= 1
            if drops_anonymous and volume.is_anonymous and not volume.links:
                self._volumes.remove(volume)


def _path(text: str) -> str:
    # Two slashes at the beginning, of all places, are kept by `normpath`.
    return posixpath.normpath("/" + text.lstrip("/"))
