"""Names of images: ``[registry/]repository[:tag]``, in Docker's familiar form and in full."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layersim.errors import InvalidReferenceError

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_DOMAIN = re.compile(rf"{_HOST}(?:\.{_HOST})*(?::[0-9]+)?", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DEFAULT_DOMAIN, _DEFAULT_TAG = "docker.io", "latest"
_LONGEST_NAME = 255
_LONGEST = _LONGEST_NAME + 1 + 128


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A tag: where an image's name points from.

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

    def __str__(self) -> str:
        """Return the familiar form, ``web-ping:latest``."""
        return f"{self.repository}:{self.tag}"


def parse_reference(text: str) -> Reference:
    """Return the reference that a text means.

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
        raise _invalid(text, "a name cannot be 64 hex digits")
    name, tag = _split_tag(text)
    domain, path = _split_domain(name)
    if not _PATH.fullmatch(path):
        lower = _PATH.fullmatch(path.lower())
        raise _invalid(text, "repository name must be lowercase" if lower else f"bad repository name {path!r}")
    if not _DOMAIN.fullmatch(domain):
        raise _invalid(text, f"bad registry {domain!r}")
    if not _TAG.fullmatch(tag):
        raise _invalid(text, f"bad tag {tag!r}")
    if len(name) > _LONGEST_NAME:
        raise _invalid(text, "repository name must not be more than 255 characters")
    return Reference(domain, path, tag)


def _split_tag(text: str) -> tuple[str, str]:
    name, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        return text, _DEFAULT_TAG
    return name, tag


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_host = "." in first or ":" in first or first == "localhost" or first.lower() != first
    domain, path = (first, rest) if slash and is_host else (_DEFAULT_DOMAIN, name)
    if domain == "index.docker.io":
        domain = _DEFAULT_DOMAIN
    if domain == _DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return domain, path


def _invalid(text: object, why: str) -> InvalidReferenceError:
    return InvalidReferenceError(f"invalid reference format: {why}: {str(text)[:300]!r}")
