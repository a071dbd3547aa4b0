"""A container: an image, an empty writable top over it, and a state."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from layersim._core import Overlay
from layersim.container.filesystem import fs_over, make_working_dir
from layersim.container.identity import container_id, container_name
from layersim.errors import ContainerStateError
from layersim.image.instant import to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from typing import Protocol

    from layersim._core import Change, Upper, View
    from layersim.container.volumes import Volume
    from layersim.image import Image
    from layersim.profiles import Profile
    from layersim.store import StoredImage

    class Host(Protocol):
        """What a container needs of its engine."""

        @property
        def profile(self) -> Profile:
            """The rules of the engine."""
            ...

        @property
        def lock(self) -> AbstractContextManager[object]:
            """What is held while something of the engine changes."""
            ...

        def now(self) -> int:
            """Nanoseconds since 1970."""
            ...

        def view_of(self, image: StoredImage) -> View:
            """Return what lies below a container's own writes."""
            ...

        def get_container(self, ref: str | Container) -> Container:
            """Return the container that is meant; raise where there is none."""
            ...

        def commit(self, container: Container, tag: str | None, message: str | None, author: str | None) -> Image:
            """Make an image of a container."""
            ...

        def remove_container(self, ref: Container, *, force: bool = ...) -> None:
            """Take a container away."""
            ...


_ACTIVE = {"running", "paused", "restarting"}


class Life(NamedTuple):
    """What a container is, since when (nanoseconds since 1970), and how it ended."""

    state: str
    since_ns: int
    exit_code: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it runs, be it paused."""
        return self.state in _ACTIVE


class Wishes(NamedTuple):
    """What was asked for when a container was made; most containers share one of these.

    `is_attached` is whether a terminal waits for its output, which commits record; `volumes` are pairs of a path and
    the name of what is mounted there.
    """

    name: str | None = None
    command: tuple[str, ...] | None = None
    is_attached: bool = True
    volumes: tuple[tuple[str, str], ...] = ()


Made: TypeAlias = "tuple[int, StoredImage, str, Wishes, int]"
"""What a container was made of, and when: number, image, image name, wishes, nanoseconds since 1970.

A plain tuple, since one with names takes a tenth of the time of a new container.
"""

# A container that never ran has this very value.
CREATED = Life("created", 0)
_NO_VOLUMES: Mapping[str, Volume] = MappingProxyType({})


class Container:
    """One container of an engine; engines make them, with `Engine.create` and `Engine.run`.

    Its file system comes into being when it is first asked for, so a container that has not been
    looked into is a few words.

    Attributes
    ----------
    number : int
        How many containers its engine had made before.
    image : StoredImage
        What it was created from; it holds its layers even when the image is removed.
    image_name : str
        The reference it was created with.
    created_ns : int
        Nanoseconds since 1970.
    life : Life
        State, since when, exit code.
    wishes : Wishes
        What it was created with.
    volumes : mapping of str to Volume
        What it mounts, by path.
    """

    __slots__ = ("_fs", "_host", "_upper", "created_ns", "image", "image_name", "life", "number", "volumes", "wishes")

    def __init__(self, host: Host, made: Made, life: Life = CREATED, upper: Upper | None = None) -> None:
        self._host = host
        self._fs: Overlay | None = None
        # What it had written when it was saved; it is read when the file system is first looked into.
        self._upper = upper
        self.number, self.image, self.image_name, self.wishes, self.created_ns = made
        self.life = life
        self.volumes: Mapping[str, Volume] = _NO_VOLUMES

    @property
    def id(self) -> str:
        """64 hex digits."""
        return container_id(self.number)

    @property
    def name(self) -> str:
        """The name given to it, or a generated one."""
        return self.wishes.name or container_name(self.number)

    @property
    def state(self) -> str:
        """``created``, ``running``, ``paused`` or ``exited``."""
        return self.life.state

    @property
    def is_active(self) -> bool:
        """Whether it runs, be it paused."""
        return self.life.is_active

    @property
    def was_started(self) -> bool:
        """Whether it ever ran."""
        return self.life is not CREATED

    @property
    def fs(self) -> Overlay:
        """What the container sees: its image, the engine's mount points, its volumes, and its own writes on top.

        Volumes are mounted here before it runs, too, as for `docker cp`: directories that they need are made.

        Raises
        ------
        ContentMissingError
            The image has layers known by digest and size alone.
        OSError
            Once: a volume cannot be mounted, because another one holds a file there.
        """
        return self._first_fs() if self._fs is None else self._fs

    def _first_fs(self) -> Overlay:
        """Make the file system; of several threads that ask for it the first does, and all get the same."""
        with self._host.lock:
            if self._fs is None:
                self._fs = self._made_fs()
                if self.volumes:
                    self._fs.make_mountpoints()
            return self._fs

    def _made_fs(self) -> Overlay:
        view = self._host.view_of(self.image)
        return fs_over(view, self._host.now, self.image.config.run_config.working_dir, self.volumes, self._upper)

    def written(self) -> Overlay:
        """Return its file system to read what it has written; looking does not mount anything."""
        return self._made_fs() if self._fs is None else self._fs

    def mount(self, volumes: Mapping[str, Volume]) -> None:
        """Give a container that was not looked into yet what it mounts.

        Parameters
        ----------
        volumes : mapping of str to Volume
            By path.
        """
        self.volumes = MappingProxyType(dict(volumes))
        for volume in set(volumes.values()):
            volume.links += 1

    def upper(self) -> Upper | None:
        """Return what it has written, as one value that can be saved; None for nothing."""
        return self._upper if self._fs is None else self._fs.upper()

    @property
    def size_rw(self) -> int:
        """Bytes of its own writes, a file copied up counting whole."""
        return self._host.profile.written_size(self._fs or self._upper)

    @property
    def size_root_fs(self) -> int:
        """Bytes of its own writes and of what lies below them: what `ps -s` calls virtual."""
        return self.size_rw + self.below_size

    @property
    def below_size(self) -> int:
        """Bytes of what lies below its own writes."""
        image = self.image
        return self._host.profile.below_size(image.size - image.contents.size, image.size)

    def changes(self) -> list[Change]:
        """Return what `docker diff` prints: paths added, changed and deleted."""
        return self.written().changes()

    def start(self) -> Container:
        """Run it; the mount points of its volumes appear. Nothing happens if it runs already.

        Returns
        -------
        Container
            Itself.

        Raises
        ------
        ContainerStateError
            It is paused.
        ContainerNotFoundError
            It was removed.
        InvalidPathError, OSError
            The directory that it works in, or one that a volume needs, cannot be made: the error names it.
        """
        with self._host.lock:
            self._demand_kept()
            if self.state == "paused":
                message = "cannot start a paused container, try unpause instead"
                raise ContainerStateError(message, self.state, "created, exited or running")
            if not self.is_active:
                if self.image.has_content:
                    self._prepare()
                self.life = Life("running", self._host.now())
            return self

    def _prepare(self) -> None:
        """Make the directories that it needs to run."""
        if self.volumes:
            self.fs.make_mountpoints()
        if directory := self.image.config.run_config.working_dir:
            # One that was not looked into stays a few words.
            is_new = self._fs is None and self._upper is None
            make_working_dir(Overlay(self._host.view_of(self.image)) if is_new else self.fs, directory)

    def stop(self, exit_code: int = 137) -> Container:
        """End it. Nothing happens unless it runs.

        Parameters
        ----------
        exit_code : int, default 137
            What its process ends with; 137 is a process that had to be killed.

        Returns
        -------
        Container
            Itself.

        Raises
        ------
        ContainerNotFoundError
            It was removed.
        """
        with self._host.lock:
            self._demand_kept()
            if self.is_active:
                self.life = Life("exited", self._host.now(), exit_code)
            return self

    def pause(self) -> Container:
        """Freeze it.

        Returns
        -------
        Container
            Itself.

        Raises
        ------
        ContainerStateError
            It does not run, or is paused already.
        ContainerNotFoundError
            It was removed.
        """
        with self._host.lock:
            self._demand_kept()
            if self.state != "running":
                fault = "already paused" if self.state == "paused" else "not running"
                raise ContainerStateError(f"Container {self.id} is {fault}", self.state, "running")
            self.life = Life("paused", self.life.since_ns)
            return self

    def unpause(self) -> Container:
        """Let it go on.

        Returns
        -------
        Container
            Itself.

        Raises
        ------
        ContainerStateError
            It is not paused.
        ContainerNotFoundError
            It was removed.
        """
        with self._host.lock:
            self._demand_kept()
            if self.state != "paused":
                raise ContainerStateError(f"Container {self.id} is not paused", self.state, "paused")
            self.life = Life("running", self.life.since_ns)
            return self

    def commit(self, tag: str | None = None, message: str | None = None, *, author: str | None = None) -> Image:
        """Make an image of it: its own writes become one more layer, or none if there are none.

        Parameters
        ----------
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
            It was removed.
        InvalidReferenceError
            The tag is none.
        """
        return self._host.commit(self, tag, message, author)

    def remove(self, *, force: bool = False) -> None:
        """Take it away, its writes included.

        Parameters
        ----------
        force : bool
            Even if it runs.

        Raises
        ------
        ContainerStateError
            It runs, and `force` is not given.
        ContainerNotFoundError
            It was removed before.
        """
        self._host.remove_container(self, force=force)

    def _demand_kept(self) -> None:
        """Raise if it was removed."""
        self._host.get_container(self)

    @property
    def created(self) -> datetime:
        """When it was created."""
        return to_datetime(self.created_ns)

    @property
    def command(self) -> tuple[str, ...]:
        """The words it runs."""
        run_config = self.image.config.run_config
        if self.wishes.command is None:
            return run_config.command
        return (*run_config.entrypoint_words, *self.wishes.command)

    def __repr__(self) -> str:
        """Name it, and say what it is."""
        return f"<Container {self.name} ({self.id[:12]}, {self.state}) of {self.image_name}>"
