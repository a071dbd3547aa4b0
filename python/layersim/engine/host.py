"""One simulated host: a Docker engine with its images, layers and containers, and nothing global."""

from __future__ import annotations

from typing import Literal

from layersim.engine.building import BuildCommands
from layersim.engine.checking import Checking
from layersim.engine.containers import ContainerCommands
from layersim.engine.pruning import Pruned, prune_images
from layersim.engine.reports import Reports
from layersim.engine.sharing import SharingReport

_PRUNABLE = ("system", "containers", "images", "volumes", "build cache")


class Engine(Checking, ContainerCommands, BuildCommands, Reports, SharingReport):
    """A Docker engine in memory. Two engines never see each other.

    Parameters
    ----------
    profile : str or Profile, default "docker20"
        Which real engine it equals; see `layersim.profiles`.
    clock : callable, default `time.time_ns`
        Gives nanoseconds since 1970, or aware datetimes, of the years 1 to 9999. With a clock of one's own, the
        same calls give the same ids, names and bytes.

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
        self,
        what: Literal["system", "containers", "images", "volumes", "build cache"] = "system",
        *,
        unused_images: bool = False,
        volumes: bool = False,
    ) -> Pruned:
        """Remove what nobody uses, as `docker system prune` and the prune commands of each kind.

        Parameters
        ----------
        what : {"system", "containers", "images", "volumes", "build cache"}
            Containers that do not run, untagged images without children, volumes that no container mounts, records
            that no build runs on; or all of these, volumes only if `volumes` says so.
        unused_images : bool, default False
            Also tagged images without a container, and build cache that images share, as with ``-a``.
        volumes : bool, default False
            Whether the whole system's volumes go too, as with ``--volumes``; of one kind alone: whether those with a
            name go where the engine leaves them, as with ``volume prune -a``.

        Returns
        -------
        Pruned
            What went; its `str` is what Docker prints.
        """
        if what not in _PRUNABLE:
            raise ValueError(f"expected one of {', '.join(map(repr, _PRUNABLE))}, got {what!r}")
        with self._lock:
            nothing: tuple[tuple[str, ...], int] = ((), 0)
            is_all = what == "system"
            containers = self._prune_containers() if what == "containers" or is_all else nothing
            gone = nothing
            if what == "volumes" or (is_all and volumes):
                gone = self._prune_volumes(named=self.profile.prunes_named_volumes or (volumes and not is_all))
            remover = self._remover()
            if what == "images" or is_all:
                prune_images(remover, unused=unused_images)
            cache = nothing
            if what == "build cache" or is_all:
                cache = self._prune_build_cache(shared_too=unused_images)
            freed = remover.freed + sum(size for _, size in (containers, gone, cache))
            return Pruned(containers[0], gone[0], remover.result, cache[0], freed)

    def __repr__(self) -> str:
        """Say what it is and how much it holds."""
        held = f"{len(self._images)} images, {len(self._layers)} layers, {len(self._containers)} containers"
        return f"<Engine {self.profile.name}: {held}>"

    def _prune_volumes(self, *, named: bool) -> tuple[tuple[str, ...], int]:
        idle = [volume for volume in self._volumes if not volume.links and (named or volume.is_anonymous)]
        held = sum(volume.size for volume in idle)
        for volume in idle:
            self._volumes.remove(volume)
        return tuple(volume.name for volume in idle), held

    def _prune_containers(self) -> tuple[tuple[str, ...], int]:
        idle = [container for container in self._containers if not container.is_active]
        written = sum(container.size_rw for container in idle)
        for container in idle:
            self.remove_container(container)
        return tuple(container.id for container in idle), written
