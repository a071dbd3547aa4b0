"""What an engine does with Dockerfiles: build images of them, and keep what the steps made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from layersim.build import BuildKit, LegacyBuilder, Request, dialect_of
from layersim.build.context import Context, Synced, place_of
from layersim.build.context.synced import source_key
from layersim.build.dockerfile import Remark, parse
from layersim.build.lint import remarks
from layersim.build.result import Build
from layersim.engine.caching import CacheCommands
from layersim.engine.images import ImageCommands
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike
    from typing import BinaryIO

    from layersim._core import Layer
    from layersim.build.cache import Done, Start, StepCache
    from layersim.build.context import Downloads
    from layersim.build.result import Step
    from layersim.build.running import Runner
    from layersim.image import Image
    from layersim.profiles import Profile
    from layersim.store import ImageStore, StoredImage

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_DOWNLOADS: Downloads = MappingProxyType({})


class BuildCommands(ImageCommands, CacheCommands):
    """The building part of an engine."""

    def build(
        self,
        context: str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Mapping[str, bytes | str],
        dockerfile: str | PathLike[str] | bytes = "Dockerfile",
        tag: str | Sequence[str] | None = None,
        target: str | None = None,
        build_args: Mapping[str, str] = _NOTHING,
        builder: Literal["buildkit", "legacy"] = "buildkit",
        run: Runner | None = None,
        *,
        labels: Mapping[str, str] = _NOTHING,
        cache_from: str | Sequence[str] = (),
        no_cache: bool = False,
        secrets: Mapping[str, bytes | str] = _NOTHING,
        downloads: Downloads = _NO_DOWNLOADS,
        progress: Callable[[Step], object] | None = None,
    ) -> Build:
        """Build an image from a Dockerfile, as `docker build`.

        Parameters
        ----------
        context : path, bytes-like, binary file or mapping
            A directory, a tar of one (plain or compressed), or files by path, as bytes or text. ``.dockerignore``
            counts as with the builder.
        dockerfile : path or bytes, default "Dockerfile"
            Its path in the context, an absolute one outside of it, or its text.
        tag : str or sequence of str, optional
            What to call the image.
        target : str, optional
            Name of the stage to build; by default the last one.
        build_args : mapping of str to str
            As ``--build-arg``.
        builder : {"buildkit", "legacy"}
            Which of the engine's builders; which generation of it, the profile says.
        run : callable, optional
            What does a ``RUN``: ``run(step, fs, env)`` acts on the files of the step. `layersim.runs` declares what
            commands do, `layersim.sandbox` executes them.
        labels : mapping of str to str
            As ``--label``.
        cache_from : str or sequence of str
            As ``--cache-from``: images of the engine whose steps may be taken over. The legacy builder follows their
            histories, and takes nothing else from its cache then; BuildKit reads the cache that an image carries which
            was built with the build argument ``BUILDKIT_INLINE_CACHE=1``. A name that no image has is a warning.
        no_cache : bool, default False
            Do every step again.
        secrets : mapping of str to bytes or str
            As ``--secret``, by id, for ``RUN --mount=type=secret``. They are in no layer, no history and no key of a
            step.
        downloads : mapping of str to bytes, str or Download, or callable
            What an ``ADD`` finds at URLs, by URL; or a callable that is given the URL. There is no network.
        progress : callable, optional
            Called with each `Step` when it is done.

        Returns
        -------
        Build
            The image, with its steps; `str` is what the builder prints, `Build.explain` says why each step ran.

        Raises
        ------
        DockerfileError
            The Dockerfile is wrong; with its line, in the builder's words.
        BuildError
            A step fails, or there is nothing that runs a ``RUN`` or is found at a URL. No tag is set then.
        ImageNotFoundError, InvalidReferenceError
            A base or a tag is none.
        """
        dialect = dialect_of(builder, self.profile)
        tags = [self._new_tag(text) for text in ([tag] if isinstance(tag, str) else tag or ())]
        references = tuple(reference for reference in tags if reference is not None)
        name = "Dockerfile" if isinstance(dockerfile, bytes) else str(dockerfile)
        named = tuple(word for word in ([cache_from] if isinstance(cache_from, str) else cache_from) if word)
        given_args, given_labels = _texts("build_args", build_args), _texts("labels", labels)
        given_secrets = _secrets(secrets)
        with self._lock:
            place = place_of(context, dialect)
            synced = self._synced.setdefault(place, Synced(place)) if place else None
            sent = Context.of(context, dockerfile=dockerfile, dialect=dialect, synced=synced)
            request = Request(
                context=sent,
                dockerfile=_read(sent.dockerfile, dialect, name=name),
                dialect=dialect,
                target=target,
                build_args=given_args,
                labels=given_labels,
                no_cache=no_cache,
                cache_from=named,
                run=run,
                secrets=given_secrets,
                downloads=downloads,
                progress=progress,
            )
            building = (LegacyBuilder if builder == "legacy" else BuildKit)(self._build_host(), request)
            remarked = self._remarks(building)
            image = building.build()
            stored = self._images.find(image.id)
            for reference in references:
                self._images.tag(reference, stored)
            value = stored.value()
            known = {field.name: getattr(value, field.name) for field in fields(value)}
            own = (Remark(0, text) for text in building.warnings)
            warnings = (*remarked, *own)
            told = tuple(building.steps)
            return Build(**known, steps=told, builder=builder, warnings=warnings, given_tags=references)

    def _remarks(self, building: BuildKit | LegacyBuilder) -> tuple[Remark, ...]:
        """Return what the builder remarks; only newer BuildKit has rules."""
        request = building.request
        if request.dialect.is_old or isinstance(building, LegacyBuilder):
            return request.dockerfile.warnings

        return tuple(remarks(building))

    def _build_host(self) -> BuildHost:
        return BuildHost(
            profile=self.profile,
            now=self.now,
            get_image=self.get_image,
            images=self._images,
            keep=self._keep,
            steps=self._step_cache,
            record=self._record,
            use_step=self._use_step,
            note_start=self._note_start,
            find_cache_mount=self._find_cache_mount,
            keep_cache_mount=self._keep_cache_mount,
        )

    def _use_step(self, key: str) -> None:
        record_id = self._step_cache.record_of(key)
        if record_id is not None and record_id in self._build_cache:
            self._build_cache.use(record_id, self.now())

    def _note_start(self, start: Start) -> None:
        """Count one more use of what builds start from; a record keeps the size that it had first, as in an engine."""
        key = source_key(start.name, start.place)
        record_id = self._sources.get(key)
        if record_id is not None and record_id in self._build_cache:
            self._build_cache.use(record_id, self.now())
        else:
            added = self.add_cache_record(
                start.size, type=start.kind, layers=start.layers, description=start.description
            )
            record_id = self._sources[key] = added.id
        if start.place in self._synced:
            self._synced[start.place].records.add(record_id)

    def _record(self, layers: Sequence[Layer], description: str, size: int | None) -> str:
        """Keep a record of a step, which holds its layers; return its id."""
        size = self.profile.layer_sizes["build"](layers[-1]) if size is None else size
        return self.add_cache_record(size, layers=layers, description=description).id


# A Dockerfile that is built again is read once.
_read = lru_cache(maxsize=32)(parse)


def _secrets(given: Mapping[Any, Any]) -> dict[str, bytes]:
    """Return secrets as bytes, or raise `TypeError`, which does not show any."""
    for name, value in given.items():
        if not (isinstance(name, str) and isinstance(value, str | bytes)):
            raise TypeError(f"secrets: expected str or bytes by str, got {type(value).__name__} for {name!r:.80}")
    return {name: value.encode() if isinstance(value, str) else value for name, value in given.items()}


def _texts(name: str, given: Mapping[Any, Any]) -> dict[str, str]:
    """Return a mapping of text to text, or raise `TypeError` naming the option."""
    found = dict(given)
    for key, value in found.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"{name}: expected str by str, got {key!r:.80}: {value!r:.80}")
    return found


@dataclass(frozen=True)
class BuildHost:
    """What a builder finds of an engine.

    Attributes
    ----------
    profile : Profile
        The rules of the engine.
    now : callable
        Gives nanoseconds since 1970.
    get_image : callable
        Gives the image of a name.
    images : ImageStore
        All of them.
    keep : callable
        Takes an image in.
    steps : StepCache
        What earlier builds did.
    record : callable
        Lets the build cache hold layers.
    use_step, note_start : callable
        Let it count uses of steps, and of what builds start from.
    find_cache_mount, keep_cache_mount : callable
        Give and keep what caches of RUN steps hold.
    """

    profile: Profile
    now: Callable[[], int]
    get_image: Callable[[str], Image]
    images: ImageStore
    keep: Callable[..., StoredImage]
    steps: StepCache
    record: Callable[[Sequence[Layer], str, int | None], str]
    use_step: Callable[[str], None]
    note_start: Callable[[Start], None]
    find_cache_mount: Callable[[str], Layer | None]
    keep_cache_mount: Callable[[str, Layer, int, str], None]

    def images_upon(self, image_id: str | None) -> Sequence[Image]:
        """Return the images that were made from one; with None those that were made from none."""
        if image_id is None:
            return [image.value() for image in self.images if image.parent is None]
        parent = self.images.lookup(image_id)
        return [] if parent is None else [child.value() for child in parent.children]

    def keep_image(
        self, raw: bytes, layers: Sequence[Layer], way: str, base: str | None, *, is_copied: bool = False
    ) -> Image:
        """Take an image in that a builder made; only the legacy builder, which commits, records what it stands on."""
        origin = self.images.lookup(base) if base is not None else None
        image = self.keep(raw, layers, None, way, origin, is_copied=is_copied)
        if way == "commit" and origin is not None and origin is not image:
            self.images.set_parent(image, origin)
        return image.value()

    def set_parent(self, image_id: str, parent: str) -> None:
        """Record which image another stands on.

        Raises
        ------
        BuildError
            That one was made from it itself.
        """
        image, origin = self.images.lookup(image_id), self.images.lookup(parent)
        if image is not None and origin is not None:
            try:
                self.images.set_parent(image, origin)
            except ValueError as error:
                raise BuildError(str(error)) from error

    def keep_step(self, done: Done, layers: Sequence[Layer], description: str, size: int | None = None) -> None:
        """Keep what BuildKit has done, with a record of the cache that holds its layers."""
        self.steps.keep(done, self.record(layers, description, size))
