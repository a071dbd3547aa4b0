"""What a check of an archive has found so far: breaches, and blobs and layers that were looked at already."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim.errors import LayerSimError, ValidationError
from layersim.image.document import decode, typed
from layersim.layout.source import DOCUMENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeVar

    from layersim._core import Archive, Limits

    _T = TypeVar("_T")


@dataclass(frozen=True)
class Breach:
    """One thing that is wrong with an archive or a saved engine.

    Attributes
    ----------
    where : str
        The member or section, and the place in it; empty where it is the whole.
    what : str
        What was expected and what is there.
    """

    where: str
    what: str

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.where}: {self.what}" if self.where else self.what


@dataclass(frozen=True)
class _LayerPlace:
    """Where a layer is named, and what its blob must hash to where that is known."""

    where: str
    digest: str | None


class Inspection:
    """Looks at the members of an archive, and writes down what is wrong instead of stopping there.

    Parameters
    ----------
    source : Archive
        What is checked.
    limits : Limits or None
        Bounds on what its layers may ask for.
    """

    def __init__(self, source: Archive, limits: Limits | None) -> None:
        self.source = source
        self._limits = limits
        self._breaches: dict[Breach, None] = {}
        self._digests: dict[str, str] = {}
        self._layers: dict[tuple[str, str], _LayerPlace] = {}

    @property
    def breaches(self) -> list[Breach]:
        """What was found, in the order of the finding."""
        return list(self._breaches)

    def note(self, where: str, what: str) -> None:
        """Write a breach down, once."""
        self._breaches[Breach(where, what)] = None

    @contextmanager
    def noting(self, where: str) -> Iterator[None]:
        """Write down what the block raises."""
        try:
            yield
        except ValidationError as error:
            self._note_all(error, where)
        except LayerSimError as error:
            self.note(where, str(error).removeprefix(f"{where}: "))

    def _note_all(self, error: ValidationError, where: str) -> None:
        for breach in error.breaches or (str(error),):
            self.note(where, breach)

    def read(self, member: str) -> bytes | None:
        """Return a document; None, and a breach, when it is missing or too long."""
        if member not in self.source:
            self.note(member, "missing in the archive")
            return None
        try:
            return self.source.read(member, limit=DOCUMENT_LIMIT)
        except LayerSimError as error:
            self.note(member, str(error).removeprefix(f"{member}: "))
            return None

    def decode(self, raw: bytes | None, kind: type[_T], where: str) -> _T | None:
        """Return a document as a typed value; None, and breaches, when it is not."""
        try:
            return None if raw is None else decode(raw, kind, where)
        except ValidationError as error:
            self._note_all(error, where)
            return None

    def typed(self, part: object, kind: type[_T], where: str) -> _T | None:
        """Return a part of a document as a typed value; None, and breaches, when it is not."""
        try:
            return typed(part, kind, where)
        except ValidationError as error:
            self._note_all(error, where)
            return None

    def digest(self, member: str) -> str:
        """Return the digest of a member as it is stored; it is hashed once."""
        if member not in self._digests:
            self._digests[member] = self.source.sha256(member)
        return self._digests[member]

    def want_layer(self, member: str, diff_id: str, where: str, digest: str | None = None) -> None:
        """Let a layer be checked at the end, together with all others."""
        self._layers.setdefault((member, diff_id), _LayerPlace(where, digest))

    def check_layers(self) -> None:
        """Read all layers that were wanted: side by side, and one by one only when something is wrong."""
        members, diff_ids = [key[0] for key in self._layers], [key[1] for key in self._layers]
        digests = [place.digest for place in self._layers.values()]
        try:
            self.source.layers(members, diff_ids, digests=digests, limits=self._limits)
        except LayerSimError:
            for (member, diff_id), place in self._layers.items():
                with self.noting(place.where):
                    self.source.layers([member], [diff_id], limits=self._limits)
        else:
            self._digests |= {
                member: digest for member, digest in zip(members, digests, strict=True) if digest is not None
            }

    def check_blobs(self, folder: str) -> None:
        """Compare every blob with its name, whether something refers to it or not."""
        for member in self.source.names():
            if member.startswith(folder) and member in self.source:
                expected, actual = f"sha256:{member.removeprefix(folder)}", self.digest(member)
                if actual != expected:
                    self.note(member, f"expected {expected}, got {actual}")
