"""All containers of one engine: made, found by name or id, counted by image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.container.identity import NAME, NAME_CHARACTERS, container_id, number_of_name
from layersim.container.value import Container
from layersim.errors import ContainerNotFoundError, NameInUseError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from layersim.container.value import Host, Wishes
    from layersim.store import StoredImage


class ContainerStore:
    """The containers of one engine, oldest first."""

    def __init__(self) -> None:
        self._containers: dict[int, Container] = {}
        self._named: dict[str, int] = {}
        self._reserved: set[int] = set()
        self._ids: dict[str, int] = {}
        self._next = 1
        self._indexed = 1
        # By image id, then by number; images without containers are not in it.
        self._by_image: dict[str, dict[int, Container]] = {}

    def __len__(self) -> int:
        """Return how many containers there are."""
        return len(self._containers)

    def __iter__(self) -> Iterator[Container]:
        """Iterate over all, oldest first."""
        return iter(self._containers.values())

    def __contains__(self, container: object) -> bool:
        """Whether a container is one of these."""
        return isinstance(container, Container) and self._containers.get(container.number) is container

    def create(self, host: Host, image: StoredImage, image_name: str, wishes: Wishes) -> Container:
        """Add a container in the state ``created``.

        Parameters
        ----------
        host : Host
            The engine that it lives in.
        image : StoredImage
            What it is made from.
        image_name : str
            What the image was called.
        wishes : Wishes
            Its name, which may start with a slash, and its command.

        Returns
        -------
        Container
            The newest one.

        Raises
        ------
        NameInUseError, ValueError
            The name is taken, or not a name; the message is the engine's own.
        """
        number = self._next
        while number in self._reserved:
            number += 1
        if wishes.name:
            wishes = wishes._replace(name=self._claim(wishes.name, number))
        container = Container(host, (number, image, image_name, wishes, host.now()))
        self._next = number + 1
        self._keep(container)
        return container

    @property
    def next_number(self) -> int:
        """The number that the next container has, unless it is reserved."""
        return self._next

    @property
    def reserved(self) -> tuple[int, ...]:
        """Numbers that no container gets: the names that belong to them were given to others."""
        return tuple(sorted(self._reserved))

    def restore(self, containers: Iterable[Container], next_number: int, reserved: Iterable[int]) -> None:
        """Take in what was saved of another store, oldest first; this one must be empty."""
        for container in containers:
            self._keep(container)
            if container.wishes.name:
                self._named[container.wishes.name] = container.number
        self._reserved.update(reserved)
        self._next = next_number

    def _keep(self, container: Container) -> None:
        number, image_id = container.number, container.image.id
        self._containers[number] = container
        if image_id not in self._by_image:
            self._by_image[image_id] = {}
        self._by_image[image_id][number] = container

    def remove(self, container: Container) -> None:
        """Drop a container."""
        del self._containers[container.number]
        self._named.pop(container.name, None)
        image_id = container.image.id
        del self._by_image[image_id][container.number]
        if not self._by_image[image_id]:
            del self._by_image[image_id]

    def find(self, ref: str | Container) -> Container:
        """Return the container of a name, an id, or a prefix of an id.

        Returns
        -------
        Container
            The one of this name, be it written with a slash before it, or else of this id; a container is itself.

        Raises
        ------
        ContainerNotFoundError
            There is none, or a prefix fits several.
        """
        if isinstance(ref, Container):
            if ref in self:
                return ref
            raise ContainerNotFoundError(f"No such container: {ref.name}")
        name = ref.removeprefix("/")
        number = self._named.get(name) or number_of_name(name)
        found = self._containers.get(number) if number is not None else None
        return found if found is not None and found.name == name else self._find_id(ref)

    def using(self, image: StoredImage) -> Collection[Container]:
        """Return the containers of exactly this image, oldest first; a view that follows what happens."""
        return self._by_image.get(image.id, {}).values()

    def images(self) -> list[StoredImage]:
        """Return the images that containers were made from, each id once, removed ones included."""
        return [next(iter(containers.values())).image for containers in self._by_image.values()]

    def count_by_image(self) -> dict[str, int]:
        """Return how many containers each image id has now; images without are not in it."""
        return {image_id: len(containers) for image_id, containers in self._by_image.items()}

    def _claim(self, text: str, number: int) -> str:
        """Take a name for a number, and return it without the slash before it."""
        name = text.removeprefix("/")
        if not NAME.fullmatch(name):
            raise ValueError(f"Invalid container name ({text[:80]}), only {NAME_CHARACTERS} are allowed")
        generated = number_of_name(name)
        holder = self._named.get(name) or generated
        if holder is not None and holder in self._containers and self._containers[holder].name == name:
            user = f'already in use by container "{container_id(holder)}"'
            way_out = "You have to remove (or rename) that container to be able to reuse that name."
            raise NameInUseError(f'Conflict. The container name "/{name}" is {user}. {way_out}')
        if generated is not None:
            self._reserved.add(generated)
        self._named[name] = number
        return name

    def _find_id(self, prefix: str) -> Container:
        for number in range(self._indexed, self._next):
            self._ids[container_id(number)] = number
        self._indexed = self._next
        exact = self._ids.get(prefix)
        numbers = [exact] if exact else [number for known, number in self._ids.items() if known.startswith(prefix)]
        found = [self._containers[number] for number in numbers if number in self._containers]
        if len(found) != 1 or not prefix:
            ambiguous = ": several ids start so" if found and prefix else ""
            raise ContainerNotFoundError(f"No such container: {prefix}{ambiguous}")
        return found[0]
