"""What a text must be to name an image, by the grammar of each generation of engines; refusals are in their words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from layersim.errors import InvalidReferenceError

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_LABEL = r"[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = r"\[[a-fA-F0-9:]+\]"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_TAG = r"\w[\w.-]{0,127}"
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ALGORITHM = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*", re.ASCII)
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_DEFAULT_DOMAIN, _DEFAULT_TAG = "docker.io", "latest"
_LEGACY_DOMAIN, _LOCAL_DOMAIN = "index.docker.io", "localhost"
_LONGEST = 255
_LONGEST_SHOWN = 1000
_FORMAT = "invalid reference format"


@dataclass(frozen=True)
class Grammar:
    """What one generation of engines takes for a reference.

    Attributes
    ----------
    host : str
        Regular expression of a registry, without its port.
    has_capital_hosts : bool
        Whether a first part with a capital letter is a registry.
    measures_host : bool
        Whether the 255 characters that a repository may have are counted with its registry.
    shows_capitals : bool
        Whether a refusal of capital letters shows where they are.
    """

    host: str
    has_capital_hosts: bool
    measures_host: bool
    shows_capitals: bool

    def is_domain(self, first: str) -> bool:
        """Whether the part of a text before its first slash is a registry."""
        is_capital = self.has_capital_hosts and first.lower() != first
        return "." in first or ":" in first or first == _LOCAL_DOMAIN or is_capital


OLDER = Grammar(_HOST, has_capital_hosts=False, measures_host=True, shows_capitals=False)
"""Up to version 20.10."""
NEWER = Grammar(rf"(?:{_HOST}|{_ADDRESS})", has_capital_hosts=True, measures_host=False, shows_capitals=True)
"""Since version 26 at the latest: it takes all that the older one takes, for the same, and IPv6 hosts."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a text says of an image's name.

    Attributes
    ----------
    domain : str
        The registry's host; empty where what should be one is none, but might be part of a path.
    path : str
        The repository there.
    tag, digest : str or None
        As they are written, if they are.
    """

    domain: str
    path: str
    tag: str | None
    digest: str | None

    @property
    def repository(self) -> str:
        """The familiar name, without tag and digest."""
        return familiar(self.domain, self.path)

    @property
    def known_tag(self) -> str:
        """The tag, ``latest`` by default."""
        return self.tag or _DEFAULT_TAG

    def __str__(self) -> str:
        """Return the familiar form, with the default tag where neither tag nor digest is written."""
        tag = f":{self.known_tag}" if self.tag or not self.digest else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def familiar(domain: str, path: str) -> str:
    """Return the name of a repository without what goes without saying."""
    if domain != _DEFAULT_DOMAIN:
        return f"{domain}/{path}" if domain else path
    return path.removeprefix("library/") if path.count("/") == 1 else path


@lru_cache(maxsize=1 << 14)
def parse_name(text: str, grammar: Grammar = NEWER) -> Name:
    """Return what a text says, ``[registry/]repository[:tag][@digest]``.

    Raises
    ------
    InvalidReferenceError
        The text breaks the grammar; the message starts with the engine's.
    """
    if _ID.fullmatch(text):
        raise hexadecimal(text)
    domain, rest = split_domain(text, grammar)
    remote = rest.partition(":")[0]
    if remote != remote.lower():
        shown = f" ({remote[:_LONGEST_SHOWN]})" if grammar.shows_capitals else ""
        raise _invalid(f"{_FORMAT}: repository name{shown} must be lowercase", text)
    match = _pattern(grammar).fullmatch(f"{domain}/{rest}")
    if match is None:
        raise _malformed(f"{domain}/{rest}", text, grammar)
    if len(match["name"] if grammar.measures_host else match["path"]) > _LONGEST:
        raise _invalid(f"repository name must not be more than {_LONGEST} characters", text)
    if match["digest"]:
        _check_digest(match["digest"], text)
    return Name(match["domain"] or "", match["path"], match["tag"], match["digest"])


def refusal(error: InvalidReferenceError, text: str) -> str:
    """Return what an engine says of a text that is refused: not the text itself, which our message ends with."""
    return str(error).removesuffix(_quoted(text))


def is_image_id(text: str) -> bool:
    """Whether a text is the 64 digits of an id."""
    return _ID.fullmatch(text) is not None


def split_domain(text: str, grammar: Grammar = NEWER) -> tuple[str, str]:
    """Return the registry that a text names, or the one by default, and the rest."""
    first, slash, rest = text.partition("/")
    domain, path = (first, rest) if slash and grammar.is_domain(first) else (_DEFAULT_DOMAIN, text)
    if domain == _LEGACY_DOMAIN:
        domain = _DEFAULT_DOMAIN
    if domain == _DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return domain, path


def hexadecimal(name: str) -> InvalidReferenceError:
    """Return why a repository is not called like an id."""
    return InvalidReferenceError(f"invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")


@lru_cache
def _pattern(grammar: Grammar) -> re.Pattern[str]:
    name = rf"(?P<name>(?:(?P<domain>{grammar.host}(?::[0-9]+)?)/)?(?P<path>{_PATH}))"
    return re.compile(rf"{name}(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?", re.ASCII)


def _check_digest(digest: str, text: str) -> None:
    algorithm, _, digits = digest.partition(":")
    if algorithm not in _DIGITS:
        is_known_form = _ALGORITHM.fullmatch(algorithm)
        raise _invalid("unsupported digest algorithm" if is_known_form else "invalid checksum digest format", text)
    if len(digits) != _DIGITS[algorithm]:
        raise _invalid("invalid checksum digest length", text)
    if digits != digits.lower():
        raise _invalid("invalid checksum digest format", text)


def _malformed(whole: str, text: str, grammar: Grammar) -> InvalidReferenceError:
    if _pattern(grammar).fullmatch(whole.lower()):
        return _invalid("repository name must be lowercase", text)
    return _invalid(_FORMAT, text)


def _invalid(why: str, text: str) -> InvalidReferenceError:
    return InvalidReferenceError(f"{why}{_quoted(text)}")


def _quoted(text: str) -> str:
    return f": {text[:300]!r}"
