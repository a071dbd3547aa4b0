"""Who holds which layer at one moment, and what goes with any set of images."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from layersim._core import Holdings
from layersim.errors import LayerNotFoundError
from layersim.sharing.rows import IMAGES, LAYERS, ImageShare, LayerShare, Rows
from layersim.store import find_named
from layersim.table import Table
from layersim.units import human_size
from layersim.usage import newest_first, packed_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from layersim.profiles.form import Style
    from layersim.store import ImageStore, StoredImage, StoredLayer

    Packed = tuple[NDArray[np.integer], NDArray[np.integer]]


class Sharing:
    """Who holds which layer of an engine, at one moment; hidden images count as any other.

    An image is taken to go together with its own containers. A layer that something else holds is *pinned*: no
    removal of images frees it. `str` gives a table of the images, and of all of them together in its last line.

    Parameters
    ----------
    images : ImageStore
        All of an engine.
    layers : iterable of StoredLayer
        All of an engine.
    sizes : ndarray of uint64
        Bytes by number.
    pins : iterable of StoredLayer
        What is held by something else than an image and its own containers; what lies below is pinned with it.
    style : Style
        How the tables are written.

    Notes
    -----
    For the shares of all images ``sum(row.fair_share) == size``, exactly. For sets of images, `marginal` of all is
    ``size - pinned_size``; of one it is its `exclusive`; of more images it is never less. It is *supermodular*: two
    sets together free at least what the one and the other free, less what their common images free, because a layer
    goes with its last holder. What a set of images *holds* is submodular.

    Examples
    --------
    >>> from layersim import Engine, Layer, write
    >>> engine = Engine(clock=lambda: 0)
    >>> base, one, two = (Layer.from_changes([write(f"/f{size}", bytes(size))]) for size in (80, 5, 7))
    >>> _ = engine.add_image([base, one], "one:1"), engine.add_image([base, two], "two:1")
    >>> sharing = engine.sharing()
    >>> sharing.size, sharing.marginal("one:1"), sharing.marginal(["one:1", "two:1"])
    (92, 5, 92)
    >>> [str(row.fair_share) for row in sharing.images]
    ['45', '47']
    """

    def __init__(
        self,
        images: ImageStore,
        layers: Iterable[StoredLayer],
        sizes: NDArray[np.uint64],
        pins: Iterable[StoredLayer],
        style: Style,
    ) -> None:
        known = list(images)
        self._images = [known[place] for place in newest_first(known, np.ones(len(known), dtype=np.bool_))]
        self._tags = list(map(attrgetter("tags"), self._images))
        self._layers = list(layers)
        # Numbers are given out again, so the column must not be the store's own.
        self._sizes = sizes.copy()
        self._pinned = _pinned(pins, len(sizes))
        self._numbers, self._offsets = packed_numbers(self._images)
        self._holdings = Holdings(self._sizes, self._numbers, self._offsets, self._pinned)
        self._style = style
        self._naming = images.naming

    @property
    def images(self) -> Table[ImageShare]:
        """The images, newest first."""
        return Table(Rows(len(self._images), self._image), IMAGES, self._style, kind=ImageShare)

    @property
    def layers(self) -> Table[LayerShare]:
        """All layers of the engine, oldest first, also those that no image holds."""
        return Table(Rows(len(self._layers), self._layer), LAYERS, self._style, kind=LayerShare)

    @property
    def size(self) -> int:
        """The real bytes: what at least one image holds, once."""
        return self._holdings.size

    @property
    def pinned_size(self) -> int:
        """The part of `size` that stays when all images go, because something else holds it too."""
        return self._holdings.pinned_size

    def marginal(self, refs: str | Iterable[str]) -> int:
        """Return what would be freed if these images went, with their own containers.

        Parameters
        ----------
        refs : str or iterable of str
            Tags, ids or prefixes of ids, as they were at the moment; naming an image twice changes nothing.

        Returns
        -------
        int
            Bytes; exact for any set.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to one of them.
        """
        return int(self.marginal_many([refs])[0])

    def marginal_many(self, sets: Iterable[str | Iterable[str]] | Packed) -> NDArray[np.uint64]:
        """Return what `marginal` says of each of many sets.

        Parameters
        ----------
        sets : iterable of iterable of str, or pair of ndarray of integers
            References as for `marginal`; or, many times as fast, all sets end to end as places in `images`, and the
            offsets, shape (n_sets + 1,), where each set starts.

        Returns
        -------
        ndarray of uint64
            Shape (n_sets,), bytes.

        Raises
        ------
        ImageNotFoundError, InvalidReferenceError
            Nothing answers to one of the references.
        ValueError, TypeError
            There is no image at a place, the offsets do not fit, or an array is not of integers.

        Notes
        -----
        A step for each group of layers that an image of a set shares with others; sets are summed up side by side on
        all cores.

        Examples
        --------
        >>> import numpy as np
        >>> from layersim import Engine, Layer, write
        >>> engine = Engine(clock=lambda: 0)
        >>> _ = engine.add_image([Layer.from_changes([write("/a", b"four")])], "a:1")
        >>> sharing = engine.sharing()
        >>> sharing.marginal_many([["a:1"], []]).tolist()
        [4, 0]
        >>> sharing.marginal_many((np.array([0]), np.array([0, 1, 1]))).tolist()
        [4, 0]
        """
        match sets:
            case np.ndarray() as places, np.ndarray() as offsets:
                return self._holdings.marginal(_whole(places), _whole(offsets))
            case _:
                named = [[refs] if isinstance(refs, str) else list(refs) for refs in sets]
                ends = np.cumsum([0, *map(len, named)], dtype=np.uint64)
                return self._holdings.marginal(self._places(list(chain.from_iterable(named))), ends)

    def referrers(self, chain_id: str) -> tuple[str, ...]:
        """Return the images that hold a layer.

        Parameters
        ----------
        chain_id : str
            Full chain id of one of `layers`.

        Returns
        -------
        tuple of str
            Their ids, newest first.

        Raises
        ------
        LayerNotFoundError
            No layer is kept under it.
        """
        number = self._by_chain_id.get(chain_id)
        if number is None:
            raise LayerNotFoundError(f"no layer is kept under the chain id {chain_id!r}")
        positions = np.flatnonzero(self._numbers == number)
        places = np.unique(np.searchsorted(self._offsets, positions, side="right")) - 1
        return tuple(self._images[place].id for place in places)

    def text(self, *, no_trunc: bool = False, human: bool = True) -> str:
        """Return the table of the images, and a last line for all of them together.

        Parameters
        ----------
        no_trunc : bool, default False
            Full ids.
        human : bool, default True
            Sizes to be read; else bytes.

        Returns
        -------
        str
            In the last line the sum of the sizes, what goes if all images go, and the real bytes.
        """
        freed = self.size - self.pinned_size
        whole = ImageShare("", ("all images",), sum(image.size for image in self._images), freed, Fraction(self.size))
        return Table([*self.images, whole], IMAGES, self._style, kind=ImageShare).text(no_trunc=no_trunc, human=human)

    def __str__(self) -> str:
        """Return `text` with sizes to be read."""
        return self.text()

    def _repr_html_(self) -> str:
        """Return the table of the images as HTML."""
        return self.images._repr_html_()

    def __repr__(self) -> str:
        """Say how much is shared by how many."""
        return f"<Sharing: {len(self._images)} images, {len(self._layers)} layers, {human_size(self.size)}>"

    @cached_property
    def _by_chain_id(self) -> dict[str, int]:
        return {layer.chain_id: layer.number for layer in self._layers}

    @cached_property
    def _tagged(self) -> dict[str, int]:
        return {tag: place for place, tags in enumerate(self._tags) for tag in tags}

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {image.id: place for place, image in enumerate(self._images)}

    @cached_property
    def _named(self) -> dict[str, int]:
        return self._by_id | self._tagged

    def _places(self, refs: list[str]) -> NDArray[np.uint64]:
        try:
            places = list(map(self._named.__getitem__, refs))
        except KeyError:
            places = [find_named(ref, self._tagged, self._by_id, self._naming) for ref in refs]
        return np.array(places, dtype=np.uint64)

    def _image(self, place: int) -> ImageShare:
        image = self._images[place]
        exclusive = int(self._holdings.exclusive[place])
        return ImageShare(image.id, self._tags[place], image.size, exclusive, self._fair_share(image))

    @cached_property
    def _counts_and_sizes(self) -> list[tuple[int, int]]:
        """Referrers and bytes by number: a list is read many times as fast as two arrays."""
        return list(zip(self._holdings.referrers.tolist(), self._sizes.tolist(), strict=True))

    def _fair_share(self, image: StoredImage) -> Fraction:
        """Sum exactly: bytes by number of referrers first, so that there are few fractions to add."""
        bytes_by_count: defaultdict[int, int] = defaultdict(int)
        for number in set(image.numbers.tolist()):
            count, size = self._counts_and_sizes[number]
            bytes_by_count[count] += size
        common = math.lcm(*bytes_by_count)
        return Fraction(sum(size * (common // count) for count, size in bytes_by_count.items()), common)

    def _layer(self, place: int) -> LayerShare:
        layer = self._layers[place]
        referrers, _ = self._counts_and_sizes[layer.number]
        return LayerShare(layer.chain_id, layer.layer.diff_id, layer.size, referrers, bool(self._pinned[layer.number]))


def _pinned(tops: Iterable[StoredLayer], numbers: int) -> NDArray[np.bool_]:
    """Mark what is held from elsewhere, and all that lies below it."""
    pinned = np.zeros(numbers, dtype=np.bool_)
    for top in tops:
        layer: StoredLayer | None = top
        while layer is not None and not pinned[layer.number]:
            pinned[layer.number] = True
            layer = layer.parent
    return pinned


def _whole(numbers: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return integers as the core takes them; a negative one becomes too large, which the core refuses."""
    if numbers.size and numbers.dtype.kind not in "iu":
        raise TypeError(f"expected an array of integers, got {numbers.dtype}")
    return np.ascontiguousarray(numbers, dtype=np.uint64)
