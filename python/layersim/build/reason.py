"""Why a step ran or was taken from the cache, as values; their `str` says it in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHOWN = 5
_SHORT = 12
_LONG = 60

ORDER = "order of variables"
"""The option that tells in which order a command sees its variables."""
CONTAINER = "container"
"""The option that stands for the whole config of a container; what differs in it is told of by other names."""

Kind: TypeAlias = Literal["cached", "merged", "base", "metadata", "first", "changed", "parent", "disabled", "dropped"]


@dataclass(frozen=True)
class Difference:
    """One input of a step that is not what it was.

    Attributes
    ----------
    what : {"instruction", "environment", "argument", "file", "option"}
        The kind of input.
    name : str
        Of the variable, the file or the option; empty for the instruction itself.
    old, new : str or None
        Its value or digest before and now; None where there was or is none.
    """

    what: Literal["instruction", "environment", "argument", "file", "option"]
    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """Say what changed."""
        thing = f"{self.what} {self.name}".rstrip()
        if self.old is None:
            return f"{thing} is new ({_shown(self.new)})"
        if self.new is None:
            return f"{thing} is gone (it was {_shown(self.old)})"
        return f"{thing} changed from {_shown(self.old)} to {_shown(self.new)}"


@dataclass(frozen=True)
class Reason:
    """Why a step ran, or why not.

    Attributes
    ----------
    kind : str
        ``cached``; ``merged``: the layer of a linked COPY was there, and what lies below it is new; ``base`` and
        ``metadata`` for steps that the builder does not run; ``first``: nothing like it was built before; ``changed``:
        its own inputs differ, see `differences`; ``parent``: only what it stands on differs, see `step`; ``disabled``:
        by `no_cache`; ``dropped``: the cache had it once.
    differences : tuple of Difference
        What is not as it was in the most similar step that was built before.
    step : int or None
        The earlier step of this build that is the cause.
    image : str or None
        The image that a ``cached`` step was taken from, as `cache_from` names it.
    """

    kind: Kind
    differences: tuple[Difference, ...] = ()
    step: int | None = None
    image: str | None = None

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.kind == "changed":
            shown = "; ".join(map(str, self.differences[:_SHOWN]))
            more = len(self.differences) - _SHOWN
            return f"{shown}; and {more} more" if more > 0 else shown
        if self.kind == "parent" and self.step is not None:
            return f"step {self.step} before it was not cached"
        if self.image is not None:
            return f"cached, taken from the image {self.image}"
        return _SENTENCES[self.kind]


_SENTENCES: Mapping[str, str] = {
    "cached": "cached",
    "merged": "its layer was there, and is merged with what is new below",
    "base": "an image that is there",
    "metadata": "changes the config alone",
    "first": "nothing like it was built before",
    "changed": "its inputs changed",
    "parent": "what it stands on changed",
    "disabled": "the cache was switched off",
    "dropped": "the cache does not have it any more",
}


@dataclass(frozen=True)
class Inputs:
    """All that decides whether a step is the one that was built before.

    Attributes
    ----------
    parent : str
        The key of what it stands on.
    instruction : str
        What it does, variables replaced as the builder does.
    environment, arguments : mapping of str to str
        Variables that count for it.
    files : mapping of str to str
        Digests by path.
    options : mapping of str to str
        Whatever else counts: the user, the directory, flags.
    """

    parent: str
    instruction: str
    environment: Mapping[str, str]
    arguments: Mapping[str, str]
    files: Mapping[str, str]
    options: Mapping[str, str]

    def differences(self, before: Inputs) -> tuple[Difference, ...]:
        """Return what is not as it was in another step; what it stands on left out."""
        found: list[Difference] = []
        if before.instruction != self.instruction:
            found.append(Difference("instruction", "", before.instruction, self.instruction))
        found += _between("environment", before.environment, self.environment)
        found += _between("argument", before.arguments, self.arguments)
        found += _between("file", before.files, self.files)
        found += _between("option", before.options, self.options)
        is_other = self.variables != before.variables
        return tuple(one for one in found if one.name != CONTAINER and not (is_other and one.name == ORDER))

    @property
    def variables(self) -> frozenset[str]:
        """The names of all variables that count; their order is told of only when they are the same."""
        return frozenset((*self.environment, *self.arguments))


def _between(
    what: Literal["environment", "argument", "file", "option"], old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[Difference]:
    if old == new:
        return
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Difference(what, name, old.get(name), new.get(name))


def _shown(value: str | None) -> str:
    """Return a value in few letters; of a digest the first ones."""
    text = value or ""
    if text.startswith("sha256:"):
        return text.removeprefix("sha256:")[:_SHORT]
    return repr(text if len(text) <= _LONG else f"{text[: _LONG - 3]}...")
