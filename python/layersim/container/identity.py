"""Ids and names of containers, computed from their number: nothing is drawn, nothing is stored."""

from __future__ import annotations

import re

from layersim._core import sha256

# In moby's own words, which leave out that there is more than one of the second kind.
NAME_CHARACTERS = "[a-zA-Z0-9][a-zA-Z0-9_.-]"
# What containers and volumes may be called.
NAME = re.compile(f"{NAME_CHARACTERS}+", re.ASCII)

_MOODS = (
    "agile", "amber", "ample", "balanced", "bold", "brave", "bright", "brisk", "calm", "candid", "careful",
    "cheerful", "clear", "cool", "crisp", "curious", "daring", "deft", "eager", "early", "earnest", "elated",
    "exact", "fair", "fearless", "fluent", "fond", "frank", "gentle", "glad", "golden", "happy", "hardy",
    "honest", "humble", "ideal", "jovial", "keen", "kind", "lively", "loyal", "lucid", "mellow", "merry",
    "modest", "neat", "noble", "patient", "placid", "polite", "proud", "quick", "quiet", "ready", "serene",
    "sharp", "silent", "steady", "sunny", "swift", "tidy", "vivid", "warm", "witty",
)  # fmt: skip
_PEOPLE = (
    "abel", "agnesi", "ampere", "bayes", "bell", "bessel", "bohr", "boole", "born", "borel", "cantor", "cauchy",
    "cayley", "church", "codd", "curie", "darwin", "dijkstra", "dirac", "einstein", "euclid", "euler", "faraday",
    "fermat", "fermi", "fourier", "galois", "gauss", "germain", "goedel", "gray", "hamming", "hertz", "hilbert",
    "hopper", "huffman", "hypatia", "joule", "kelvin", "kepler", "kleene", "knuth", "lamarr", "laplace",
    "leibniz", "liskov", "lovelace", "markov", "maxwell", "meitner", "mendel", "newton", "noether", "ohm",
    "pascal", "planck", "poincare", "ramanujan", "riemann", "shannon", "tesla", "turing", "volta", "wiles",
)  # fmt: skip
_PAIRS = len(_MOODS) * len(_PEOPLE)
# Coprime to the number of pairs: neighbours get unlike names, and every pair comes up once per round.
_STRIDE = 1237
_BACK = pow(_STRIDE, -1, _PAIRS)


def container_id(number: int) -> str:
    """Return the id of the container with this number: 64 hex digits.

    Examples
    --------
    >>> len(container_id(1)), container_id(1) == container_id(1)
    (64, True)
    """
    return sha256(f"container {number}".encode())[7:]


def container_name(number: int) -> str:
    """Return the name a container gets when it is given none; no two numbers get the same.

    Examples
    --------
    >>> container_name(1) != container_name(2)
    True
    """
    rounds, place = divmod(number, _PAIRS)
    mood, person = divmod(place * _STRIDE % _PAIRS, len(_PEOPLE))
    return f"{_MOODS[mood]}_{_PEOPLE[person]}{rounds or ''}"


def number_of_name(name: str) -> int | None:
    """Return the number whose container would get this name, or None.

    Examples
    --------
    >>> number_of_name(container_name(123_456))
    123456
    """
    mood, _, rest = name.partition("_")
    person = rest.rstrip("0123456789")
    if mood not in _MOODS or person not in _PEOPLE:
        return None
    digits = rest[len(person) :]
    if digits.startswith("0") or len(digits) > len(str(2**63)):
        return None
    pair = _MOODS.index(mood) * len(_PEOPLE) + _PEOPLE.index(person)
    return int(digits or 0) * _PAIRS + pair * _BACK % _PAIRS
