"""Blobs by digest as an engine stores them, each once: manifests, configs, packed layers (accounting.md section 2)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from layersim.layout import Kept
from layersim.store.ledger import check_total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layersim.image import Descriptor
    from layersim.layout import Payload
    from layersim.store.ledger import Ledger


_NONE: Mapping[str, Payload] = MappingProxyType({})


class StoredBlob:
    """One blob of an engine.

    Attributes
    ----------
    number : int
        Its place in the ledger.
    references : int
        How many images hold it.
    payload : bytes, Layer, Packed or None
        What it is; None where only its size is known.
    """

    __slots__ = ("digest", "number", "payload", "references", "size")

    def __init__(self, blob: Descriptor, number: int, payload: Payload | None = None) -> None:
        self.digest = blob.digest
        self.size = blob.size
        self.number = number
        self.references = 0
        self.payload = payload


class Contents(NamedTuple):
    """The blobs of one image.

    Attributes
    ----------
    blobs : tuple of StoredBlob
        Distinct ones, in the order of their first naming.
    size : int
        Bytes, each counted as often as it is named.
    own_size : int
        What of that no other image can share.
    """

    blobs: tuple[StoredBlob, ...] = ()
    size: int = 0
    own_size: int = 0

    def kept(self) -> tuple[Kept, ...]:
        """Return what all the blobs are; nothing unless all are kept."""
        kept = tuple(Kept(blob.digest, blob.payload) for blob in self.blobs if blob.payload is not None)
        return kept if len(kept) == len(self.blobs) else ()


NO_CONTENTS = Contents()


class ContentStore:
    """The blobs of one engine; engines that keep unpacked layers alone have none.

    Parameters
    ----------
    ledger : Ledger
        Where sizes are written down.
    is_shared : bool, default True
        Whether a blob that several images hold counts as shared.
    """

    def __init__(self, ledger: Ledger, *, is_shared: bool = True) -> None:
        self._ledger = ledger
        self._is_shared = is_shared
        self._blobs: dict[str, StoredBlob] = {}

    def __len__(self) -> int:
        """Return how many blobs are kept."""
        return len(self._blobs)

    def __iter__(self) -> Iterator[StoredBlob]:
        """Iterate over all blobs, oldest first."""
        return iter(self._blobs.values())

    def hold(self, blobs: Sequence[Descriptor], payloads: Mapping[str, Payload] = _NONE) -> Contents:
        """Keep blobs and hold each of them once, however often it is named.

        Parameters
        ----------
        blobs : sequence of Descriptor
            As they are named.
        payloads : mapping of str to bytes, Layer or Packed
            What they are, by digest, as far as that is known; what is kept already stays as it is.

        Raises
        ------
        ValueError
            There would be more bytes in all than 63 bits hold; none of the blobs is held then.
        """
        held: dict[str, StoredBlob] = {}
        size = sum(blob.size for blob in blobs)
        try:
            check_total(size)
            for blob in blobs:
                if blob.digest not in held:
                    stored = held[blob.digest] = self._blobs.get(blob.digest) or self._add(blob)
                    stored.references += 1
                    if stored.payload is None:
                        stored.payload = payloads.get(blob.digest)
        except ValueError:
            self.release(held.values())
            raise
        shared = sum(blob.size for blob in held.values()) if self._is_shared else 0
        return Contents(tuple(held.values()), size, size - shared)

    def restore(self, blobs: Iterable[tuple[Descriptor, Payload | None]]) -> list[StoredBlob]:
        """Take in what was saved of another store; this one must be empty, and nobody holds them yet."""
        return [self._add(blob, payload) for blob, payload in blobs]

    def release(self, blobs: Iterable[StoredBlob]) -> list[StoredBlob]:
        """Let go of blobs; return those that nobody holds any more and that are gone now."""
        freed = []
        for blob in blobs:
            blob.references -= 1
            if not blob.references:
                del self._blobs[blob.digest]
                self._ledger.strike(blob.number)
                freed.append(blob)
        return freed

    def _add(self, blob: Descriptor, payload: Payload | None = None) -> StoredBlob:
        stored = StoredBlob(blob, self._ledger.enter(blob.size), payload)
        self._blobs[blob.digest] = stored
        return stored
