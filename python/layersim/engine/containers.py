"""What an engine does with containers: make them, find them, commit them, remove them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.container import Container, Wishes, check_mount_path, check_volume_name, container_view
from layersim.engine.images import ImageCommands
from layersim.engine.volumes import VolumeCommands
from layersim.errors import ContainerStateError, ImageNotFoundError
from layersim.profiles.commit import EMPTY_LAYER, Commit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layersim._core import View
    from layersim.image import Image
    from layersim.image.document import Json
    from layersim.store import StoredImage

_CREATED, _RUN = Wishes(), Wishes(is_attached=False)


class ContainerCommands(ImageCommands, VolumeCommands):
    """The container half of an engine."""

    def create(
        self,
        ref: str,
        name: str | None = None,
        *,
        command: Sequence[str] | None = None,
        volumes: Mapping[str, str] | None = None,
    ) -> Container:
        """Make a container, as `docker create`; it costs a few words until its file system is looked into.

        Parameters
        ----------
        ref : str
            Tag, id, or prefix of an id of its image.
        name : str, optional
            By default one is generated; ``/web`` is ``web``, as engines show it.
        command : sequence of str, optional
            In place of the image's.
        volumes : mapping of str to str, optional
            Path to the name of the volume that is mounted there; volumes that are not there yet are made. Each path
            that the image declares and that is not in it gets a volume of its own.

        Returns
        -------
        Container
            In the state ``created``.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to `ref`.
        NameInUseError, ValueError
            The name is taken, or not a name; so of a volume.
        InvalidPathError, OSError
            A volume cannot be mounted where it is wanted: over a file, or under a name that no directory can have.

        Notes
        -----
        Docker refuses an image without a command where none is given; here such a container just runs nothing.
        """
        return self._create(ref, _wishes(_CREATED, name, command, volumes))

    def run(
        self,
        ref: str,
        name: str | None = None,
        *,
        command: Sequence[str] | None = None,
        volumes: Mapping[str, str] | None = None,
    ) -> Container:
        """Make a container and start it, as `docker run -d`; parameters and errors as for `create`.

        Returns
        -------
        Container
            In the state ``running``.
        """
        return self._create(ref, _wishes(_RUN, name, command, volumes)).start()

    def get_container(self, ref: str | Container) -> Container:
        """Return the container of a name, an id, or a prefix of an id.

        Parameters
        ----------
        ref : str or Container
            What it is called; a container stands for itself while the engine has it.

        Returns
        -------
        Container
            The one that answers.

        Raises
        ------
        ContainerNotFoundError
            There is none, or a prefix fits several.
        """
        with self._lock:
            return self._containers.find(ref)

    def remove_container(self, ref: str | Container, *, force: bool = False, volumes: bool = False) -> None:
        """Take a container away, as `docker rm`.

        Parameters
        ----------
        ref : str or Container
            What it is called.
        force : bool, default False
            Even if it runs.
        volumes : bool, default False
            With the volumes that it has without a name, unless others mount them, as ``-v``.

        Raises
        ------
        ContainerStateError
            It runs, and `force` is not given; the message is the engine's.
        ContainerNotFoundError
            There is none.
        """
        with self._lock:
            container = self._containers.find(ref)
            if container.is_active and not force:
                way_out = "Stop the container before attempting removal or force remove"
                if container.state == "paused":
                    way_out = f"Unpause and then {way_out[0].lower()}{way_out[1:]}"
                message = f"You cannot remove a {container.state} container {container.id}. {way_out}"
                raise ContainerStateError(message, container.state, "created or exited")
            self._containers.remove(container)
            self._unmount(container, drops_anonymous=volumes)
            self._layers.release(container.image.top)
            if not self._containers.using(container.image):
                self._views.pop(container.image.id, None)

    def commit(
        self, container: Container, tag: str | None = None, message: str | None = None, author: str | None = None
    ) -> Image:
        """Make an image of a container; `Container.commit` is the short way here.

        Parameters
        ----------
        container : Container
            One of this engine.
        tag : str, optional
            What to call the image.
        message, author : str, optional
            What its history says.

        Returns
        -------
        Image
            The new one.

        Raises
        ------
        ImageNotFoundError
            Its image was removed by force.
        ContainerNotFoundError
            It is none of this engine's, or was removed.
        InvalidReferenceError
            The tag is none.
        """
        reference = self._new_tag(tag)
        with self._lock:
            self._containers.find(container)
            origin = self._images.lookup(container.image.id)
            if origin is None:
                raise ImageNotFoundError(f"failed to get digest {container.image.id}: the image was removed")
            parent = origin.value()
            layer = container.written().to_layer(dialect=self.profile.layer_dialect)
            added = [] if layer.diff_id == EMPTY_LAYER else [layer]
            raw = self.profile.makes.committed(
                self.profile,
                parent,
                Commit(
                    container_id=container.id,
                    own_config=self._own_config(container),
                    diff_id=layer.diff_id if added else None,
                    created_ns=self.now(),
                    message=message,
                    author=author,
                ),
            )
            image = self._keep(raw, [*parent.layers, *added], reference, "commit", origin)
            self._images.set_parent(image, origin)
            return image.value()

    def view_of(self, image: StoredImage) -> View:
        """Return what lies below the writes of an image's containers: its layers and the engine's mount points.

        Raises
        ------
        ContentMissingError
            The image has layers known by digest and size alone.
        """
        with self._lock:
            if image.id not in self._views:
                layers = [place.layer for place in image.chain]
                self._views[image.id] = container_view(layers, max(0, image.created_s) * 10**9)
            return self._views[image.id]

    def _create(self, ref: str, wishes: Wishes) -> Container:
        with self._lock:
            image = self._images.find(ref)
            container = self._containers.create(self, image, ref, wishes)
            if image.top is not None:
                image.top.references += 1
            if wishes.volumes or image.config.run_config.volumes:
                try:
                    self._mount(container, lambda: self.view_of(image))
                except BaseException:
                    self.remove_container(container, volumes=True)
                    raise
            return container

    def _own_config(self, container: Container) -> dict[str, Json]:
        """Return what moby records of a container beside its image's config."""
        command, is_attached = container.wishes.command, container.wishes.is_attached
        own: dict[str, Json] = {
            "Hostname": container.id[:12],
            "AttachStdout": is_attached,
            "AttachStderr": is_attached,
            "Image": container.image_name,
            "Cmd": list(command) if command is not None else None,
            "NetworkDisabled": self.profile.network_disabled and container.was_started,
        }
        return own


def _wishes(
    usual: Wishes, name: str | None, command: Sequence[str] | None, volumes: Mapping[str, str] | None
) -> Wishes:
    if name is None and command is None and not volumes:
        return usual
    for path, volume in (volumes or {}).items():
        check_mount_path(path)
        check_volume_name(volume)
    words = None if command is None else _words(command)
    return Wishes(name, words, usual.is_attached, tuple((volumes or {}).items()))


def _words(command: Sequence[str]) -> tuple[str, ...]:
    """Return a command as its words; a text alone would be taken for a word a letter."""
    if isinstance(command, str) or not all(isinstance(word, str) for word in command):
        raise TypeError(f"expected a sequence of str, got {command!r:.80}")
    return tuple(command)
