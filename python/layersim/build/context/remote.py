"""What an ADD of a URL copies: bytes that are given in the place of a download, under the name that they get."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urldefrag, urlsplit

from layersim._core import Layer, View, sha256, write
from layersim.build.context.dialect import is_legacy, is_new_buildkit
from layersim.build.context.selection import Selection, Source
from layersim.errors import BuildError
from layersim.image.instant import from_clock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from layersim.build.context.dialect import Dialect

_URL = re.compile(r"https?://")
_SCP = re.compile(r"[a-zA-Z0-9-]+@[a-zA-Z0-9-.]+:")
_OTHER_SCHEMES = re.compile(r"(git|ssh)://")
_UNNAMED = "__unnamed__"
_MODE = 0o600
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True)
class Download:
    r"""What is found at a URL, and what the server tells of it.

    Attributes
    ----------
    content : bytes or str
        A text is taken as UTF-8.
    modified : datetime or None
        As ``Last-Modified`` says; the file is of 1970 where it says nothing.
    filename : str or None
        As ``Content-Disposition`` says; the legacy builder calls a file so if its URL ends with a slash.

    Examples
    --------
    >>> import layersim as ls
    >>> engine = ls.Engine(clock=lambda: 0)
    >>> found = {"https://example.org/v1/tool": ls.Download(b"binary")}
    >>> dockerfile = "FROM scratch\nADD --chmod=755 https://example.org/v1/tool /bin/\n"
    >>> image = engine.build({"Dockerfile": dockerfile}, downloads=found)
    >>> ls.View(image.layers).read_bytes("/bin/tool")
    b'binary'
    """

    content: bytes | str
    modified: datetime | None = None
    filename: str | None = None

    def __post_init__(self) -> None:
        """Check the types; a time has a zone."""
        if not isinstance(self.content, bytes | bytearray | memoryview | str):
            raise TypeError(f"expected bytes or text as the content of a download, got {self.content!r:.80}")
        if self.modified is not None and getattr(self.modified, "tzinfo", None) is None:
            raise TypeError(f"expected an aware datetime as the time of a download, got {self.modified!r:.80}")

    @property
    def data(self) -> bytes:
        """The content as bytes."""
        return self.content.encode() if isinstance(self.content, str) else bytes(self.content)


Content: TypeAlias = "bytes | str | Download"
Downloads: TypeAlias = "Mapping[str, Content] | Callable[[str], Content]"
"""What is found at URLs: by URL, or a callable that is given one."""


def is_url(word: str) -> bool:
    """Tell whether builders download what a source word names."""
    return _URL.match(word) is not None


def is_repository(word: str, dialect: Dialect) -> bool:
    """Tell whether a source word names a git repository: for newer BuildKit alone there are such."""
    if not is_new_buildkit(dialect):
        return False
    if is_url(word):
        return urlsplit(word).path.endswith(".git")
    return _OTHER_SCHEMES.match(word) is not None or _SCP.match(word) is not None


def check_word(word: str, keyword: str, dialect: Dialect) -> None:
    """Refuse what is beyond the files of a build: for COPY every URL, for ADD a git repository.

    Raises
    ------
    BuildError
        In the builder's words, or saying that there are no repositories here.
    """
    is_git = is_repository(word, dialect)
    if keyword == "COPY" and (is_git or is_url(word)):
        what = "git ref" if is_git else "URL"
        raise BuildError(f"{'COPY failed: ' if is_legacy(dialect) else ''}source can't be a {what} for COPY")
    if is_git:
        raise BuildError(f"{keyword} of {word} clones a git repository, and there is no network: put its files here")


def downloaded(word: str, dest: str, downloads: Downloads, dialect: Dialect) -> Selection:
    """Return the file that an ADD of a URL copies.

    Parameters
    ----------
    word : str
        The URL, variables replaced.
    dest : str
        The destination: in one that ends with a slash the legacy builder needs a name.
    downloads : mapping or callable
        What is found there.
    dialect : Dialect
        The builder.

    Raises
    ------
    BuildError
        Nothing is given for the URL, or it gives no name.
    TypeError
        What is given is no content.
    """
    found = _found(word, downloads, dialect)
    name = _legacy_name(word, found.filename) if is_legacy(dialect) else _name(word)
    if name == "" and dest.endswith("/"):
        raise BuildError(f"ADD failed: cannot determine filename for source {word}")
    mtime_ns = 0 if found.modified is None else from_clock(found.modified) // 10**9 * 10**9
    name = name or _UNNAMED
    view = View([Layer.from_changes([write(name, found.data, mode=_MODE, mtime_ns=mtime_ns)])])
    return Selection(view, word, (Source(name, name, view.lstat(name)),), is_download=True)


def read_checksum(text: str, words: Sequence[str]) -> None:
    """Refuse a ``--checksum`` that is no digest, or that cannot be one of what the words of its ADD name.

    Raises
    ------
    BuildError
        In BuildKit's words.
    """
    algorithm, colon, digits = text.partition(":")
    if len(words) != 1:
        raise BuildError("checksum can't be specified for multiple sources")
    if not is_url(words[0]):
        raise BuildError("checksum requires HTTP(S) or Git sources")
    if not colon:
        raise BuildError("invalid checksum digest format")
    if algorithm not in _DIGITS:
        raise BuildError("unsupported digest algorithm")
    if len(digits) != _DIGITS[algorithm]:
        raise BuildError("invalid checksum digest length")
    if not re.fullmatch("[0-9a-f]+", digits):
        raise BuildError("invalid checksum digest format")


def check_checksum(text: str, selections: Sequence[Selection]) -> None:
    """Demand that what an ADD downloads has the digest of its ``--checksum``.

    Raises
    ------
    BuildError
        It has not.
    """
    found = sha256(selections[0].tree.read_bytes(selections[0].sources[0].path))
    if found != text:
        raise BuildError(f"digest mismatch {found}: {text}")


def _found(word: str, downloads: Downloads, dialect: Dialect) -> Download:
    """Return what is given for a URL, with or without its fragment."""
    content: Content | None
    if isinstance(downloads, Mapping):
        content = downloads.get(word, downloads.get(urldefrag(word).url))
    elif callable(downloads):
        try:
            content = downloads(word)
        except (OSError, LookupError) as error:
            raise BuildError(f"{_refusal(dialect)}{word}: {error}") from error
    else:
        raise TypeError(f"downloads: expected contents by URL, or a callable, got {downloads!r:.80}")
    if content is None:
        raise BuildError(
            f"ADD of {word} needs a network, and a build here has none: "
            f"downloads={{{word!r}: b'...'}} gives what is there"
        )
    return content if isinstance(content, Download) else Download(content)


def _refusal(dialect: Dialect) -> str:
    return "ADD failed: " if is_legacy(dialect) else "failed to load cache key: "


def _legacy_name(word: str, filename: str | None) -> str:
    path = unquote(urlsplit(word).path)
    if path and not path.endswith("/"):
        return posixpath.basename(path)
    return posixpath.basename(filename or "")


def _name(word: str) -> str:
    return posixpath.basename(unquote(urlsplit(word).path).rstrip("/")) or _UNNAMED
