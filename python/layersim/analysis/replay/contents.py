"""What is in a stage, as far as a question about some of its paths needs it: no tree is made.

A stage is a list of origins, lowest first: files of the base, of the context, of other stages, and what commands are
declared to write. A question names paths. Its answer is put together once, from sums that follow the context, and
from what commands wrote; asking it again costs a few additions.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from layersim._core import View
    from layersim.analysis.replay.files import Files, Naming, Watch

Written: TypeAlias = Sequence[Hashable]
"""What the bytes of each command follow from, by its slot."""


@dataclass(frozen=True)
class Entry:
    """One thing that a command writes.

    Attributes
    ----------
    path : str
        Absolute.
    size : int
        Bytes.
    ident : str or None
        Of content that is the same each time; None where it follows from what the command uses.
    """

    path: str
    size: int
    ident: str | None = None


@dataclass
class Answer:
    """What there is under the paths of one question.

    Attributes
    ----------
    watches : list of Watch
        Of the context.
    made : list of (int or None, tuple)
        What commands write: names, bytes and idents, and the slot that they follow from; None where they are constant.
    fixed : list of (str, int)
        Files of a base and directories, which no edit changes, and their bytes.
    """

    watches: list[Watch] = field(default_factory=list)
    made: list[tuple[int | None, tuple[tuple[str, int, str | None], ...]]] = field(default_factory=list)
    fixed: list[tuple[str, int]] = field(default_factory=list)

    def key(self, written: Written) -> Hashable:
        """Return what is equal when names and contents are."""
        total = sum([watch.total for watch in self.watches])
        made = tuple([(None if slot is None else written[slot], entries) for slot, entries in self.made])
        return total, made, self._constant

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not self.made and not self.fixed and not sum([watch.count for watch in self.watches])

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(watch.size for watch in self.watches) + self._made_size

    @cached_property
    def _made_size(self) -> int:
        made = sum(size for _, entries in self.made for _, size, _ in entries)
        return made + sum(size for _, size in self.fixed)

    @cached_property
    def _constant(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, _ in self.fixed))


class Origin(Protocol):
    """Where files of a stage come from."""

    def ask(self, naming: Naming, above: Sequence[Origin], answer: Answer) -> None:
        """Add to an answer what is there and not hidden by what is above."""

    def hides(self, path: str) -> bool:
        """Tell whether a path of a lower origin is seen no more, whatever the context has."""


@dataclass(eq=False)
class Base:
    """Files of an image, which no edit changes."""

    view: View

    def ask(self, naming: Naming, above: Sequence[Origin], answer: Answer) -> None:
        """Add the files and directories that have a name."""
        seen = _seen(naming, above)
        for folder, directories, files in self.view.walk("/"):
            for name in (*directories, *files):
                path = f"{folder.rstrip('/')}/{name}"
                if (known := seen(path)) is not None:
                    answer.fixed.append((known, self.view.lstat(path).st_size if name in files else 0))

    def hides(self, path: str) -> bool:
        """Hide nothing: it is the lowest."""
        del path
        return False


@dataclass(eq=False)
class Directories:
    """Directories that are made whether or not anything is in them."""

    paths: Sequence[str]

    def ask(self, naming: Naming, above: Sequence[Origin], answer: Answer) -> None:
        """Add those that have a name."""
        seen = _seen(naming, above)
        answer.fixed += [(name, 0) for path in self.paths if (name := seen(path)) is not None]

    def hides(self, path: str) -> bool:
        """Hide nothing: what is there stays."""
        del path
        return False


@dataclass(eq=False)
class FromContext:
    """Files that a COPY or ADD takes from the context.

    Attributes
    ----------
    files : Files
        The context.
    dest : callable
        Path in the context to the absolute path that it gets.
    """

    files: Files
    dest: Naming

    def ask(self, naming: Naming, above: Sequence[Origin], answer: Answer) -> None:
        """Add a sum over the files whose destination has a name; one that is copied again counts once."""
        seen = _seen(naming, above)
        again = [origin.dest for origin in above if isinstance(origin, FromContext)]

        def named(path: str) -> str | None:
            dest = self.dest(path)
            name = None if dest is None else seen(dest)
            return None if name is None or any(other(path) == dest for other in again) else name

        answer.watches.append(self.files.watch(named))

    def hides(self, path: str) -> bool:
        """Which files there are changes."""
        del path
        return False


@dataclass(eq=False)
class FromStage:
    """Files that a COPY takes from another stage."""

    origins: Sequence[Origin]
    dest: Naming

    def ask(self, naming: Naming, above: Sequence[Origin], answer: Answer) -> None:
        """Ask the other stage."""
        seen = _seen(naming, above)

        def named(path: str) -> str | None:
            dest = self.dest(path)
            return None if dest is None else seen(dest)

        ask(self.origins, named, answer)

    def hides(self, path: str) -> bool:
        """Which files there are changes."""
        del path
        return False


@dataclass(eq=False)
class FromCommand:
    """What a command writes and removes.

    Attributes
    ----------
    slot : int
        Where it is told what its bytes follow from.
    entries : sequence of Entry
        What it writes.
    is_removed : callable or None
        Whether it removes a path of what was there before; None where it removes nothing.
    """

    slot: int
    entries: Sequence[Entry]
    is_removed: Callable[[str], bool] | None = None

    def ask(self, naming: Naming, above: Sequence[Origin], answer: Answer) -> None:
        """Add the entries that have a name."""
        seen = _seen(naming, above)
        found = [(name, entry.size, entry.ident) for entry in self.entries if (name := seen(entry.path)) is not None]
        for slot in (None, self.slot):
            entries = tuple(entry for entry in found if (entry[2] is None) == (slot is not None))
            if entries:
                answer.made.append((slot, entries))

    def hides(self, path: str) -> bool:
        """Tell whether it removes or replaces a path."""
        return path in self._paths or (self.is_removed is not None and self.is_removed(path))

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(entry.path for entry in self.entries)


def ask(origins: Sequence[Origin], naming: Naming, answer: Answer | None = None) -> Answer:
    """Return what a stage has under the paths that have a name; what is hidden does not count."""
    answer = Answer() if answer is None else answer
    for at, origin in enumerate(origins):
        origin.ask(naming, origins[at + 1 :], answer)
    return answer


def is_directory(origins: Sequence[Origin], path: str) -> bool:
    """Tell whether a path is known to be a directory, whatever the context has."""
    for origin in origins:
        if isinstance(origin, Base) and origin.view.exists(path) and stat.S_ISDIR(origin.view.stat(path).st_mode):
            return True
        if isinstance(origin, Directories) and any(f"{one}/".startswith(f"{path}/") for one in origin.paths):
            return True
        if isinstance(origin, FromCommand) and any(entry.path.startswith(f"{path}/") for entry in origin.entries):
            return True
    return False


def _seen(naming: Naming, above: Sequence[Origin]) -> Naming:
    above = [origin for origin in above if isinstance(origin, FromCommand)]  # nothing else hides
    if not above:
        return naming

    def seen(path: str) -> str | None:
        name = naming(path)
        return None if name is None or any(origin.hides(path) for origin in above) else name

    return seen
