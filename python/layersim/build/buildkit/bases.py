"""Which image a name means to BuildKit, which knows of no ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.errors import ImageNotFoundError
from layersim.image.grammar import parse_name
from layersim.image.reference import tag_of_name

if TYPE_CHECKING:
    from layersim.build.request import Host
    from layersim.image import Image


def image_of_name(host: Host, text: str) -> Image:
    """Return the image that a name means; with an id, or a prefix of one, BuildKit asks a registry.

    Raises
    ------
    ImageNotFoundError
        There is none of this name.
    InvalidReferenceError
        The text is no name.
    """
    naming = host.profile.naming
    name = parse_name(text, naming.grammar)
    if name.digest:
        return host.get_image(text)
    reference = tag_of_name(name)
    if reference.is_ambiguous:
        raise ImageNotFoundError(naming.not_found(text, str(reference)))
    return host.get_image(str(reference))
