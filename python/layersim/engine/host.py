"""One simulated host: a Docker engine with its images, layers and containers, and nothing global."""

from __future__ import annotations

from typing import Literal

from layersim.engine.containers import ContainerCommands
from layersim.engine.pruning import Pruned, prune_images
from layersim.engine.removal import Removed, Remover
from layersim.engine.reports import Reports
from layersim.engine.saving import Saving


class Engine(Saving, ContainerCommands, Reports):
    """A Docker engine in memory. Two engines never see each other.

    Parameters
    ----------
    profile : str or Profile, default "docker20"
        Which real engine it equals; see `layersim.profiles`.
    clock : callable, default `time.time_ns`
        Gives nanoseconds since 1970, or aware datetimes. With a clock of one's own, the same calls
        give the same ids, names and bytes.

    Examples
    --------
    >>> from layersim import Engine, Layer, write
    >>> engine = Engine(clock=lambda: 0)
    >>> base = Layer.from_changes([write("/etc/motd", b"hello")])
    >>> image = engine.add_image([base], tag="base:1")
    >>> container = engine.run("base:1", name="first")
    >>> _ = container.fs.write_bytes("/etc/motd", b"bye")
    >>> container.size_rw, engine.get_image("base:1").size
    (3, 5)
    """

    def prune(
        self, what: Literal["system", "containers", "images"] = "system", *, unused_images: bool = False
    ) -> Pruned:
        """Remove what nobody uses, as `docker system prune`, `container prune` or `image prune`.

        Parameters
        ----------
        what : {"system", "containers", "images"}
            Containers that do not run, untagged images without children, or first the ones, then the others.
        unused_images : bool, default False
            Also tagged images without a container, as with ``-a``.

        Returns
        -------
        Pruned
            What went; its `str` is what Docker prints.
        """
        if what not in {"system", "containers", "images"}:
            raise ValueError(f"expected 'system', 'containers' or 'images', got {what!r}")
        with self._lock:
            gone, written = ((), 0) if what == "images" else self._prune_containers()
            remover = Remover(self._images, self._layers, self._containers)
            images = Removed() if what == "containers" else prune_images(remover, unused=unused_images)
            return Pruned(gone, images, written + images.freed)

    def __repr__(self) -> str:
        """Say what it is and how much it holds."""
        held = f"{len(self._images)} images, {len(self._layers)} layers, {len(self._containers)} containers"
        return f"<Engine {self.profile.name}: {held}>"

    def _prune_containers(self) -> tuple[tuple[str, ...], int]:
        idle = [container for container in self._containers if not container.is_active]
        written = sum(container.size_rw for container in idle)
        for container in idle:
            self.remove_container(container)
        return tuple(container.id for container in idle), written
