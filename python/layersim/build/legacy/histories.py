"""What the legacy builder finds in the histories of images that are named, step by step (`cache_from`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.documents import Restored, created_by_words, restored_document
from layersim.build.named import Named
from layersim.errors import BuildError
from layersim.image import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layersim.build.request import Host, Request
    from layersim.image import HistoryEntry, Image
    from layersim.image.document import Json


class Histories:
    """The histories of the images that a build was told to look at, for one stage.

    Parameters
    ----------
    host : Host
        The engine.
    request : Request
        What is built.
    images : sequence of Named
        In the order in which they are tried.
    """

    def __init__(self, host: Host, request: Request, images: Sequence[Named]) -> None:
        self._host, self._request = host, request
        self._images = list(images)

    def find(self, parent: Image | None, step_config: dict[str, Json], own: Image | None) -> Named | None:
        """Return the image that a step upon `parent` comes to.

        Parameters
        ----------
        parent : Image or None
            What the step stands on.
        step_config : dict
            That of its container.
        own : Image or None
            What the engine has made of `parent` by this step. It counts if one of the images stands on it.

        Raises
        ------
        BuildError
            The engine cannot take the step over.
        """
        if own is not None and any(own.id in self._ancestors(named.image) for named in self._images):
            return Named("", own)
        for named in self._images:
            at = len(parent.config.history or ()) if parent is not None else 0
            if self._continues(named, parent) and created_by_words(step_config) == (named.history[at].created_by or ""):
                return self._taken(named, parent, step_config, at)
        return None

    def _ancestors(self, image: Image) -> Iterator[str]:
        """Yield the ids of what an image was made from, as it is now."""
        parent = self._host.get_image(image.id).parent
        while parent is not None:
            yield parent
            parent = self._host.get_image(parent).parent

    def _continues(self, named: Named, parent: Image | None) -> bool:
        """Tell whether the history and the layers of an image begin with those of another."""
        before = (parent.config.history or ()) if parent is not None else ()
        diff_ids = parent.diff_ids if parent is not None else ()
        if not before and not diff_ids:
            return bool(named.history)
        if len(before) >= len(named.history) or diff_ids != named.image.diff_ids[: len(diff_ids)]:
            return False
        is_old = self._request.dialect.is_old
        pairs = zip(before, named.history, strict=False)
        return all(_key(one, is_old=is_old) == _key(other, is_old=is_old) for one, other in pairs)

    def _taken(self, named: Named, parent: Image | None, step_config: dict[str, Json], at: int) -> Named:
        if at == len(named.history) - 1:
            if parent is not None:
                self._host.set_parent(named.image.id, parent.id)
            return Named(named.name, self._host.get_image(named.image.id))
        # From now on the builder keeps to this one.
        self._images = [named]
        layers = list(parent.layers) if parent is not None else []
        position = _layer_of(named.history, at)
        if position is None and not self._host.profile.restores_empty_steps:
            raise BuildError(_unrestored(named, parent))
        if position is not None:
            layers.append(named.image.layers[position])
        step = Restored(named.image, at, step_config, [layer.diff_id for layer in layers])
        raw = restored_document(self._host.profile, self._request.dialect, step)
        parent_id = parent.id if parent is not None else None
        return Named(named.name, self._host.keep_image(raw, layers, "commit", parent_id))


def _key(entry: HistoryEntry, *, is_old: bool) -> tuple[object, ...]:
    """Return what makes two entries the same; 20.10 tells the same moment in two zones apart."""
    created = entry.created or instant.UNKNOWN
    moment = instant.normalised(created) if is_old else instant.parse(created)
    texts = (entry.author or "", entry.created_by or "", entry.comment or "")
    return (moment, *texts, bool(entry.empty_layer))


def _layer_of(history: Sequence[HistoryEntry], at: int) -> int | None:
    """Return which layer a step made; None where it made none."""
    return None if history[at].empty_layer else sum(not entry.empty_layer for entry in history[:at])


def _unrestored(named: Named, parent: Image | None) -> str:
    """Say in the words of an engine that it cannot make an image of a step without a layer."""
    below = parent.id if parent is not None else ""
    return (
        f'failed to restore cached image from "{below}" to {named.image.id}: failed to create cache image: '
        'failed to created cached image: failed to read diff archive: InvalidArgument: "" failed validation'
    )
