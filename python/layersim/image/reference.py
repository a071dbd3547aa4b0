"""Names of images: ``[registry/]repository[:tag]``, in Docker's familiar form and in full."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from layersim.errors import InvalidReferenceError

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_DOMAIN = re.compile(rf"{_HOST}(?:\.{_HOST})*(?::[0-9]+)?", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_DEFAULT_DOMAIN, _DEFAULT_TAG = "docker.io", "latest"
_LEGACY_DOMAIN = "index.docker.io"
# What no repository of a new tag is called: `sha256:<digits>` is an id.
_DIGEST_ALGORITHM = "sha256"
_LONGEST_NAME = 255
_LONGEST = _LONGEST_NAME + 1 + 128


@dataclass(frozen=True, slots=True)
class Reference:
    """A tag: where an image's name points from; in the order of the full texts, as moby sorts them.

    Attributes
    ----------
    domain : str
        The registry's host, ``docker.io`` by default.
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
        if self.domain != _DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        return self.path.removeprefix("library/") if self.path.count("/") == 1 else self.path

    @property
    def is_ambiguous(self) -> bool:
        """Whether it looks like an id, ``sha256:...``: engines let no tag be called so."""
        return self.repository == _DIGEST_ALGORITHM

    @property
    def full(self) -> str:
        """The text with nothing left out, ``docker.io/library/web-ping:latest``."""
        return f"{self.domain}/{self.path}:{self.tag}"

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
    if len(text) > _LONGEST:
        raise _invalid(text, "expected a text of at most 384 characters")
    if "@" in text:
        raise _invalid(text, "a tag is needed here, not a digest")
    if _ID.fullmatch(text):
        raise _hexadecimal(text)
    name, tag = _split_tag(text)
    domain, path = _split_domain(name)
    if not _PATH.fullmatch(path):
        lower = _PATH.fullmatch(path.lower())
        raise _invalid(text, "repository name must be lowercase" if lower else f"bad repository name {path!r}")
    if not _DOMAIN.fullmatch(domain):
        raise _invalid(text, f"bad registry {domain!r}")
    if not _TAG.fullmatch(tag):
        raise _invalid(text, f"bad tag {tag!r}")
    if len(f"{domain}/{path}") > _LONGEST_NAME:
        raise _invalid(text, "repository name must not be more than 255 characters")
    reference = Reference(domain, path, tag)
    # The familiar form may show a host that was a part of the path.
    is_settled = _split_domain(reference.repository) == (domain, path)
    return reference if is_settled else parse_reference(str(reference))


def parse_new_tag(text: str) -> Reference:
    """Return the reference that a text means as the name of a new tag, which not every reference may be.

    Parameters
    ----------
    text : str
        In the familiar form or in full.

    Returns
    -------
    Reference
        What to call the image.

    Raises
    ------
    InvalidReferenceError
        The text breaks the grammar, is a digest, or could be taken for an id; the message is the engine's.
    """
    name, _, digest = text.partition("@")
    if _DIGEST.fullmatch(digest):
        parse_reference(name)
        raise InvalidReferenceError("refusing to create a tag with a digest reference")
    reference = parse_reference(text)
    if reference.is_ambiguous:
        raise InvalidReferenceError("refusing to create an ambiguous tag using digest algorithm as name")
    if _ID.fullmatch(reference.repository):
        raise _hexadecimal(reference.repository)
    return reference


def tagged_or_as_it_is(text: str) -> str:
    """Return a reference in its familiar form with its tag; a text that is none stays what it is."""
    try:
        return str(parse_reference(text))
    except InvalidReferenceError:
        return text


def has_tag(text: str) -> bool:
    """Whether a reference names its tag, instead of leaving it to be ``latest``."""
    return ":" in text.rpartition("/")[2]


def _split_tag(text: str) -> tuple[str, str]:
    name, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        return text, _DEFAULT_TAG
    return name, tag


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_host = "." in first or ":" in first or first == "localhost"
    domain, path = (first, rest) if slash and is_host else (_DEFAULT_DOMAIN, name)
    if domain == _LEGACY_DOMAIN:
        domain = _DEFAULT_DOMAIN
    if domain == _DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return domain, path


def _hexadecimal(name: str) -> InvalidReferenceError:
    return InvalidReferenceError(f"invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")


def _invalid(text: object, why: str) -> InvalidReferenceError:
    return InvalidReferenceError(f"invalid reference format: {why}: {str(text)[:300]!r}")
