"""Names of images: ``[registry/]repository[:tag]``, in Docker's familiar form and in full."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from layersim.errors import InvalidReferenceError
from layersim.image.grammar import NEWER, Grammar, Name, familiar, hexadecimal, is_image_id, parse_name, split_domain

_DEFAULT_DOMAIN = "docker.io"
# What no repository of a new tag is called: `sha256:<digits>` is an id.
_DIGEST_ALGORITHM = "sha256"


@dataclass(frozen=True, slots=True)
class Reference:
    """A tag: where an image's name points from; in the order of the full texts, as moby sorts them.

    Attributes
    ----------
    domain : str
        The registry's host, ``docker.io`` by default; empty where what should be one is part of a path.
    path : str
        The repository there; ``library/`` is its default first part on ``docker.io``.
    tag : str
        ``latest`` by default.
    """

    domain: str
    path: str
    tag: str

    @property
    def repository(self) -> str:
        """The familiar name without the tag: what stands in the column REPOSITORY."""
        return familiar(self.domain, self.path)

    @property
    def is_ambiguous(self) -> bool:
        """Whether it looks like an id, ``sha256:...``: engines let no tag be called so."""
        return self.repository == _DIGEST_ALGORITHM

    @property
    def full(self) -> str:
        """The text with nothing left out, ``docker.io/library/web-ping:latest``."""
        return f"{self.domain}/{self.path}:{self.tag}" if self.domain else f"{self.path}:{self.tag}"

    def __lt__(self, other: Reference) -> bool:
        """Whether its full text comes first: ``web-ping:1`` before ``web:1``, as ``-`` is before ``:``."""
        return self.full < other.full

    def __str__(self) -> str:
        """Return the familiar form, ``web-ping:latest``."""
        return f"{self.repository}:{self.tag}"


@lru_cache(maxsize=1 << 14)
def parse_reference(text: str) -> Reference:
    """Return the reference that a text means.

    Parameters
    ----------
    text : str
        In the familiar form or in full, with a tag or without.

    Returns
    -------
    Reference
        Texts of one familiar form give one reference: ``docker.io/foo.com/x`` is ``foo.com/x``, as engines keep
        tags by their familiar form.

    Raises
    ------
    InvalidReferenceError
        The text breaks the grammar; the message says how.

    Examples
    --------
    >>> str(parse_reference("docker.io/library/busybox"))
    'busybox:latest'
    >>> parse_reference("localhost:5000/team/app:v1").repository
    'localhost:5000/team/app'
    """
    name = parse_name(text)
    if name.digest:
        raise InvalidReferenceError(f"a tag is needed here, not a digest: {text[:300]!r}")
    return tag_of_name(name)


def tag_of_name(name: Name) -> Reference:
    """Return the tag that a name means, whatever its digest."""
    reference = Reference(name.domain, name.path, name.known_tag)
    # The familiar form may show a host that was a part of the path.
    is_settled = not name.domain or split_domain(reference.repository) == (name.domain, name.path)
    return reference if is_settled else parse_reference(str(reference))


def parse_new_tag(text: str, grammar: Grammar = NEWER) -> Reference:
    """Return the reference that a text means as the name of a new tag, which not every reference may be.

    Parameters
    ----------
    text : str
        In the familiar form or in full.
    grammar : Grammar, optional
        By default the newer one, which takes more.

    Returns
    -------
    Reference
        What to call the image.

    Raises
    ------
    InvalidReferenceError
        The text breaks the grammar, is a digest, or could be taken for an id; the message starts with the engine's.
    """
    name = parse_name(text, grammar)
    if name.digest:
        raise InvalidReferenceError("refusing to create a tag with a digest reference")
    reference = tag_of_name(name)
    if reference.is_ambiguous:
        raise InvalidReferenceError("refusing to create an ambiguous tag using digest algorithm as name")
    if is_image_id(reference.repository):
        raise hexadecimal(reference.repository)
    return reference


def tagged_or_as_it_is(text: str) -> str:
    """Return a reference as engines tell it, with its tag or digest; a text that is none stays what it is."""
    if is_image_id(text):
        return f"sha256:{text}"
    try:
        return str(parse_name(text))
    except InvalidReferenceError:
        return text


def has_tag(text: str) -> bool:
    """Whether a reference names its tag, instead of leaving it to be ``latest``."""
    return ":" in text.rpartition("/")[2]
