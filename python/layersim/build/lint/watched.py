"""Variables that note which of them are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Watched(Mapping[str, str]):
    """Variables of one moment.

    Parameters
    ----------
    known : mapping of str to str
        What is set.

    Attributes
    ----------
    found, missing : dict
        The names that were asked for, in that order: what is set, and what is not.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.found: dict[str, None] = {}
        self.missing: dict[str, None] = {}

    def __getitem__(self, name: str) -> str:
        """Return a value, and note the name."""
        (self.found if name in self._known else self.missing)[name] = None
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of what is set."""
        return iter(self._known)

    def __len__(self) -> int:
        """Return how many are set."""
        return len(self._known)
