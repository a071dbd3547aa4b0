"""What the stages of one build by BuildKit share, and how they find each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from layersim.build.buildkit.inline import Imports
from layersim.build.buildkit.uses import Uses
from layersim.build.result import Telling

if TYPE_CHECKING:
    from layersim._core import View
    from layersim.build.mounting import Source
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Host, Request


class Session:
    """What all stages of one build share.

    Attributes
    ----------
    host : Host
        The engine.
    request : Request
        What is built.
    steps : Telling
        What was done.
    uses : Uses
        What the build uses of the cache.
    imports : Imports
        What images tell of steps.
    asked : frozenset of str or None
        The paths of the context that were asked for; None until one is.
    """

    def __init__(self, host: Host, request: Request) -> None:
        self.host, self.request = host, request
        self.steps = Telling(request.progress)
        self.uses = Uses(host, is_old=request.dialect.is_old)
        self.imports = Imports(host, request)
        self.asked: frozenset[str] | None = None

    def ask(self, paths: frozenset[str]) -> None:
        """Note what is asked for of the context."""
        self.asked = (self.asked or frozenset()) | paths


class Sources(Protocol):
    """What a stage copies and mounts from: other stages and images."""

    def files_of(self, word: str, planned: PlannedStage, /) -> View:
        """Return the files of the stage or image that a ``--from`` names."""

    def origin_of(self, word: str, planned: PlannedStage, /) -> str:
        """Return the key of the files that a ``--from`` names."""

    def mounted(self, word: str, planned: PlannedStage, /) -> Source:
        """Return the stage or image that the ``from`` of a mount names."""

    def key_of(self, index: int, /) -> str:
        """Return the key of the files of a stage, built or not; nothing of one that comes later."""
