"""What a build is asked for, and what it needs of its engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from layersim._core import Layer
    from layersim.build.cache import Done, Start, StepCache
    from layersim.build.context import Context, Downloads
    from layersim.build.dockerfile import Dialect, Dockerfile
    from layersim.build.result import Step
    from layersim.build.running import Runner
    from layersim.image import Image
    from layersim.profiles import Profile

    class Host(Protocol):
        """The engine that a build happens in."""

        @property
        def profile(self) -> Profile:
            """The rules of the engine."""
            ...

        @property
        def steps(self) -> StepCache:
            """What earlier builds did."""
            ...

        def now(self) -> int:
            """Nanoseconds since 1970."""
            ...

        def get_image(self, ref: str) -> Image:
            """Return an image of the engine."""
            ...

        def images_upon(self, image_id: str | None) -> Sequence[Image]:
            """Return the images that were made from one, oldest first."""
            ...

        def keep_step(self, done: Done, layers: Sequence[Layer], description: str, size: int | None = None) -> None:
            """Keep what BuildKit has done, with the layers that it stands on; `size` is another one for the record."""
            ...

        def use_step(self, key: str) -> None:
            """Let the build cache count one more use of a step that was done."""
            ...

        def note_start(self, start: Start) -> None:
            """Let the build cache count one more use of what a build starts from."""
            ...

        def find_cache_mount(self, name: str) -> Layer | None:
            """Return what a cache of RUN steps holds, or None where it is not there."""
            ...

        def keep_cache_mount(self, name: str, layer: Layer, size: int, description: str) -> None:
            """Keep what a step left in a cache, and count it."""
            ...

        def keep_image(
            self, raw: bytes, layers: Sequence[Layer], way: str, base: str | None, *, is_copied: bool = False
        ) -> Image:
            """Take an image in."""
            ...

        def set_parent(self, image_id: str, parent: str) -> None:
            """Record which image another stands on."""
            ...


@dataclass(frozen=True)
class Request:
    """One build.

    Attributes
    ----------
    context : Context
        What the builder was sent.
    dockerfile : Dockerfile
        Read by the rules of `dialect`.
    dialect : Dialect
        The builder.
    target : str or None
        The stage to build; the last one by default.
    build_args, labels : mapping of str to str
        As ``--build-arg`` and ``--label``.
    no_cache : bool
        Whether every step has to run.
    cache_from : tuple of str
        As ``--cache-from``.
    run : callable or None
        What does a RUN.
    secrets : mapping of str to bytes
        As ``--secret``, by id.
    downloads : mapping or callable
        What an ADD finds at a URL.
    progress : callable or None
        Called with each step when it is done.
    """

    context: Context
    dockerfile: Dockerfile
    dialect: Dialect
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False
    cache_from: tuple[str, ...] = ()
    run: Runner | None = None
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    downloads: Downloads = field(default_factory=dict)
    progress: Callable[[Step], object] | None = None
