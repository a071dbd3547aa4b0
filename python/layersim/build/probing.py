"""How the legacy builder looks for a step that was done before: among the images made from the one below."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    """Finds steps; after the first that is not found it looks no further until the next ``FROM``."""

    def __init__(self, host: Host, request: Request) -> None:
        self._host, self._request = host, request
        self.missed_at: int | None = 0 if request.no_cache else None

    def reset(self) -> None:
        """Begin a stage."""
        if not self._request.no_cache:
            self.missed_at = None

    def probe(self, parent: Image | None, step_config: dict[str, Json]) -> Image | None:
        """Return the newest image that was made from `parent` by this very step."""
        if self.missed_at is not None:
            return None
        is_old = self._request.dialect.is_old
        fitting = [
            child
            for child in self._host.images_upon(parent.id if parent is not None else None)
            if is_same_step(_step_config(child), step_config, is_old=is_old)
        ]
        return max(fitting, key=lambda child: unix_seconds(child.config.created), default=None)


def is_same_step(one: dict[str, Json], other: dict[str, Json], *, is_old: bool) -> bool:
    """Tell whether two configs of containers are those of one step, as an engine compares them."""
    names = (*STEP_FIELDS, *(() if is_old else NEWER_FIELDS))
    return all((one.get(name) or None) == (other.get(name) or None) for name in names)


def _step_config(image: Image) -> dict[str, Json]:
    found = decode_untyped(image.raw_config, image.id).get("container_config")
    return found if isinstance(found, dict) else {}
