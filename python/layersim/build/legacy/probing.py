"""How the legacy builder looks for a step that was done before: among the images made from the one below."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from layersim.build.cache import digest
from layersim.build.legacy.histories import Histories
from layersim.build.named import Named, named_images
from layersim.image.document import decode_untyped
from layersim.image.instant import unix_seconds

if TYPE_CHECKING:
    from layersim.build.request import Host, Request
    from layersim.image import Image
    from layersim.image.document import Json

STEP_FIELDS = (
    *("Cmd", "Env", "Entrypoint"),
    *("Labels", "ExposedPorts", "Volumes"),
    *("AttachStdout", "AttachStderr", "Tty", "User"),
)
"""The fields of a container's config that steps are compared by."""

NEWER_FIELDS = ("WorkingDir", "Shell", "StopSignal", "Healthcheck", "OnBuild")
"""What 20.10 does not look at."""


class Prober:
    """Finds steps; after the first that is not found it looks no further until the next ``FROM``.

    Attributes
    ----------
    missed_at : int or None
        The step that was not found; 0 where none is looked for.
    missing : list of str
        Names of images to look at that the engine does not have.
    """

    def __init__(self, host: Host, request: Request) -> None:
        self._host, self._request = host, request
        self._images, self.missing = named_images(host, request.cache_from)
        self._histories: Histories | None = None
        self.missed_at: int | None = None
        self.reset()

    def reset(self) -> None:
        """Begin a stage."""
        self.missed_at = 0 if self._request.no_cache else None
        if self._request.cache_from:
            self._histories = Histories(self._host, self._request, self._images)

    def probe(self, parent: Image | None, step_config: dict[str, Json]) -> Named | None:
        """Return the image of this very step upon `parent`; its name is empty unless it is from an image with one."""
        if self.missed_at is not None:
            return None
        own = self._made_here(parent, step_config)
        if self._histories is not None:
            return self._histories.find(parent, step_config, own)
        return Named("", own) if own is not None else None

    def _made_here(self, parent: Image | None, step_config: dict[str, Json]) -> Image | None:
        """Return the newest image that was made from `parent` by this step; newer engines want it made by a build."""
        is_old = self._request.dialect.is_old
        fitting = [
            child
            for child in self._host.images_upon(parent.id if parent is not None else None)
            if (is_old or self._host.steps.has_made(child.id)) and self._is_of(child, step_config)
        ]
        return max(fitting, key=lambda child: unix_seconds(child.config.created), default=None)

    def _is_of(self, child: Image, step_config: dict[str, Json]) -> bool:
        """Tell whether an image was made by this step; those of OCI do not tell, and the engine remembers it."""
        is_old = self._request.dialect.is_old
        if self._host.profile.keeps_blobs:
            return self._host.steps.container_of(child.id) == fingerprint(step_config)
        return compared(_step_config(child), is_old=is_old) == compared(step_config, is_old=is_old)


def compared(step_config: dict[str, Json], *, is_old: bool) -> dict[str, Json]:
    """Return of the config of a step's container what an engine compares."""
    names = (*STEP_FIELDS, *(() if is_old else NEWER_FIELDS))
    return {name: step_config.get(name) or None for name in names}


def fingerprint(step_config: dict[str, Json]) -> str:
    """Return what stands for the config of a step's container, as newer engines compare it."""
    return digest(json.dumps(compared(step_config, is_old=False), sort_keys=True))


def _step_config(image: Image) -> dict[str, Json]:
    found = decode_untyped(image.raw_config, image.id).get("container_config")
    return found if isinstance(found, dict) else {}
