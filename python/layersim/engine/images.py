"""What an engine does with images: take them in, name them, give them out, remove them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import Layer, sha256
from layersim.engine.loading import check_archive
from layersim.engine.state import State
from layersim.errors import InvalidReferenceError
from layersim.image import HistoryEntry, has_tag, parse_config, parse_new_tag, parse_reference
from layersim.image.document import decode_untyped
from layersim.image.instant import format_utc
from layersim.layout import (
    ArchivedImage,
    Form,
    Leaving,
    Platform,
    Wanted,
    layout_for,
    manifest_for,
    read_archive,
    save_images,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike
    from typing import BinaryIO

    from layersim._core import Limits
    from layersim.engine.loading import Loaded
    from layersim.engine.removal import Removed
    from layersim.image import Image, Reference
    from layersim.image.document import Json
    from layersim.layout import Compression, Layout
    from layersim.store import StoredImage

    Location = str | PathLike[str]


class ImageCommands(State):
    """The image half of an engine."""

    def load(
        self,
        archive: Location | bytes | bytearray | memoryview | BinaryIO,
        *,
        platform: str | None = None,
        limits: Limits | None = None,
        progress: Callable[[int, int], object] | None = None,
        way: str = "load",
    ) -> Loaded:
        """Load all images of an archive, as `docker load`; either all come in or none.

        Parameters
        ----------
        archive : path, bytes-like or binary file
            A docker-archive or an OCI image layout: a tar, compressed or not, or the path of a directory.
        platform : str, optional
            Load the images for this one alone, such as ``linux/arm64`` or ``linux/arm/v7``. By default an index
            gives those for the engine's own.
        limits : Limits, optional
            Bounds on what the archive may ask for.
        progress : callable, optional
            Called with bytes done and bytes in all while layers load.
        way : {"load", "import", "commit", "build"}
            How the layers came into the engine that is modelled, which decides what their sizes are; layers that are
            kept already stay as large as they are.

        Returns
        -------
        list of Image
            In the archive's order; its `str` is what `docker load` prints.

        Raises
        ------
        ArchiveError, DigestMismatchError, ValidationError, InvalidReferenceError, ChainTooDeepError
            The archive is broken, or holds nothing for the platform; the message says where. The engine is as it was.
        ValueError
            `platform` is none, or there is no such way.
        """
        own = Platform(os=self.profile.os, architecture=self.profile.architecture)
        asked = Platform.parse(platform) if platform is not None else None
        wanted = Wanted(asked or own, is_asked=asked is not None, with_blobs=self.profile.keeps_blobs)
        archived = read_archive(archive, wanted=wanted, prefers=self.profile.prefers, limits=limits, progress=progress)
        parents = check_archive(archived, self.profile)
        with self._lock:
            return self._registrar.load(archived, parents, way)

    def import_tar(
        self,
        rootfs_tar: Location | bytes | bytearray | memoryview | BinaryIO,
        tag: str | None = None,
        *,
        message: str = "Imported from -",
        config: dict[str, Json] | None = None,
    ) -> Image:
        """Make an image of one layer from the tar of a root file system, as `docker import`.

        Parameters
        ----------
        rootfs_tar : path, bytes-like or binary file
            Plain or compressed.
        tag : str, optional
            What to call the image.
        message : str
            The comment in its history.
        config : dict, optional
            Its container config, with Docker's names: ``{"Cmd": ["sh"]}``.

        Returns
        -------
        Image
            The new one.

        Raises
        ------
        ArchiveError
            The tar is broken.
        InvalidReferenceError
            The tag is none.
        ValidationError
            The config breaks a rule.
        """
        reference = self._new_tag(tag)
        layer = Layer.from_tar(rootfs_tar)
        raw = self.profile.makes.imported(self.profile, layer.diff_id, self.now(), message, config)
        return self._keep(raw, [layer], reference, "import").value()

    def add_image(
        self,
        layers: Sequence[Layer],
        tag: str | None = None,
        *,
        history: Sequence[HistoryEntry] | None = None,
        config: dict[str, Json] | None = None,
        parent: str | None = None,
        way: str = "load",
    ) -> Image:
        """Make an image of layers that are at hand; layers known by digest and size alone will do.

        Parameters
        ----------
        layers : sequence of Layer
            Base first.
        tag : str, optional
            What to call the image.
        history : sequence of HistoryEntry, optional
            By default one entry per layer.
        config : dict, optional
            Its container config, with Docker's names.
        parent : str, optional
            Tag or id of the image it is recorded to be made from, as `docker commit` and the legacy builder do.
        way : {"load", "import", "commit", "build"}
            How the layers come in, which decides what their sizes are.

        Returns
        -------
        Image
            The new one, or the one that has the same id already.

        Raises
        ------
        ImageNotFoundError
            Nothing answers to `parent`.
        InvalidReferenceError
            The tag is none.
        ValidationError
            Config or history break a rule.
        ChainTooDeepError
            There are more layers than the engine allows.
        ValueError
            There is no such way, or `parent` was made from this very image.
        """
        reference = self._new_tag(tag)
        now = self.now()
        steps = tuple(HistoryEntry(created=format_utc(now)) for _ in layers) if history is None else tuple(history)
        raw = self.profile.makes.layered(self.profile, tuple(layer.diff_id for layer in layers), now, steps, config)
        with self._lock:
            origin = self._images.find(parent) if parent is not None else None
            image = self._keep(raw, layers, None, way)
            if origin is not None and origin is not image:
                self._images.set_parent(image, origin)
            if reference is not None:
                self._images.tag(reference, image)
            return image.value()

    def save(
        self,
        refs: str | Sequence[str],
        target: Location | BinaryIO,
        *,
        layout: Layout | None = None,
        compression: Compression | None = None,
        level: int | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> int:
        """Write images with their tags, as `docker save`; a path is replaced at the end or not at all.

        Parameters
        ----------
        refs : str or sequence of str
            Tags, ids, or repositories, which stand for all their tags.
        target : path or binary file
            Where to. A path that ends in ``/`` or is a directory gets an OCI image layout as a directory; one that
            is there must be empty or such a layout, which goes.
        layout : {"docker20", "docker25", "oci", "oci-dir"}, optional
            What `docker save` of 20.10 or of 25 and newer writes, or an OCI image layout, as a tar or as a directory.
            By default what this engine's `docker save` writes. Where an engine keeps blobs as they came, these go into
            an OCI image layout, so that the images keep their ids, and `manifest.json` beside it.
        compression : {"gzip", "zstd"}, optional
            Of the layers of an OCI image layout; by default they go out as they are.
        level : int, optional
            0 to 9 for gzip, 6 by default; 1 to 22 for zstd, 3 by default.
        progress : callable, optional
            Called with bytes of layers done and bytes in all; what it raises stops the work.

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to one of them.
        ContentMissingError
            A layer is known by digest and size alone.
        DigestMismatchError
            A file that a layer or a blob is kept in was changed.
        ValidationError
            An image has no layer, which Docker's archives cannot hold; the directory holds something else.
        ValueError
            No image is named; there is no such layout or compression, or they do not go together.
        """
        named = [refs] if isinstance(refs, str) else list(refs)
        if not named:
            raise ValueError('"save" requires at least 1 argument: no image is named')
        form = Form(layout_for(target, layout, self.profile.save_layout), compression, level)
        with self._lock:
            wanted = self._wanted(named)
            leaving = [Leaving(image.value(), references, image.contents.kept()) for image, references in wanted]
        return save_images(leaving, target, form, progress=progress)

    def tag(self, ref: str, new: str) -> Image:
        """Point a tag at an image; another image that it pointed at loses it.

        Parameters
        ----------
        ref : str
            Tag, id, or prefix of an id of the image.
        new : str
            The tag, ``latest`` where it names a repository alone.

        Returns
        -------
        Image
            With its new tag.

        Raises
        ------
        ImageNotFoundError
            Nothing answers to `ref`.
        InvalidReferenceError
            `ref` is neither, or `new` is no tag: it breaks the grammar, or could be taken for an id or a digest.
        """
        with self._lock:
            image = self._images.find(ref)
            self._images.tag(parse_new_tag(new, self.profile.naming.grammar), image)
            return image.value()

    def remove_image(self, ref: str, force: bool = False) -> Removed:
        """Remove a tag, and the image with its last one, as `docker rmi`.

        Parameters
        ----------
        ref : str
            Tag, id, or prefix of an id.
        force : bool, default False
            By id all tags go; containers that do not run are no obstacle.

        Returns
        -------
        Removed
            What was untagged and deleted; its `str` is what `docker rmi` prints.

        Raises
        ------
        ImageInUseError
            Something holds the image; the message is the engine's.
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to `ref`.
        """
        with self._lock:
            remover = self._remover()
            remover.remove(ref, force=force)
            return remover.result

    def get_image(self, ref: str) -> Image:
        """Return the image that a tag, an id or a prefix of one means.

        Returns
        -------
        Image
            As it is now; what happens later changes nothing in it.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to `ref`.
        """
        with self._lock:
            return self._images.find(ref).value()

    def inspect(self, ref: str) -> dict[str, Json]:
        """Return what `docker inspect` says of an image, without what depends on the machine.

        Returns
        -------
        dict
            With Docker's names.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to `ref`.
        """
        image = self.get_image(ref)
        raw = decode_untyped(image.raw_config, image.id)
        named = {"Comment": "comment", "Created": "created", "Author": "author", "Config": "config"}
        named |= {"Architecture": "architecture", "Os": "os", "DockerVersion": "docker_version"}
        root: dict[str, Json] = {"Type": "layers", "Layers": list(image.diff_ids)}
        return {
            "Id": image.id,
            "RepoTags": list(image.tags),
            "Parent": image.parent or "",
            **{name: raw.get(key, "") for name, key in named.items()},
            "Size": image.size,
            "VirtualSize": image.size,
            "RootFS": root,
        }

    def _keep(
        self,
        raw: bytes,
        layers: Sequence[Layer],
        reference: Reference | None,
        way: str,
        parent: StoredImage | None = None,
        *,
        is_copied: bool = False,
    ) -> StoredImage:
        """Register an image that this engine makes itself; the layers of its parent stay the blobs that they are."""
        told = manifest_for(sha256(parent.raw_config), parent.contents.kept()) if parent is not None else None
        known = self._images.lookup(sha256(raw))  # a build that is cached makes the image that is there
        config = known.config if known is not None else parse_config(raw)
        kept = told.layers if told else ()
        made = ArchivedImage(config, raw, tuple(layers), kept_layers=kept, is_copied=is_copied)
        with self._lock:
            image = self._registrar.register(made, way)
            if reference is not None:
                self._images.tag(reference, image)
            return image

    def _wanted(self, refs: Sequence[str]) -> list[tuple[StoredImage, list[Reference]]]:
        """Return the images to save, each with the tags it is asked for by."""
        wanted: dict[str, tuple[StoredImage, list[Reference]]] = {}
        for ref in refs:
            for image, reference in self._named(ref):
                references = wanted.setdefault(image.id, (image, []))[1]
                if reference is not None and reference not in references:
                    references.append(reference)
        return list(wanted.values())

    def _named(self, ref: str) -> list[tuple[StoredImage, Reference | None]]:
        try:
            reference = parse_reference(ref)
        except InvalidReferenceError:  # an id, or with a digest, which moby saves without its tags
            return [(self._images.find(ref), None)]
        if not has_tag(ref):
            tagged = self._images.tagged(reference.repository)
            if tagged:
                return [(image, one) for one, image in tagged]
        image = self._images.find(ref)
        return [(image, reference if reference in image.references else None)]
