"""What a ``.dockerignore`` keeps out of the context, as each builder's walk applies it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from layersim.build.context.dialect import OLD, is_new_buildkit
from layersim.build.context.patterns import clean
from layersim.build.context.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layersim.build.context.dialect import Dialect

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Ignore:
    """The patterns of a ``.dockerignore``.

    Parameters
    ----------
    patterns : iterable of str
        Lines, comments left out.
    dialect : Dialect
        The builder: 20.10 and 29 match differently in corners.

    Raises
    ------
    BuildError
        For a malformed pattern, in the engine's words.

    Notes
    -----
    The last pattern that matches a path or one of its parents decides; one with ``!`` takes back. Without exceptions a
    directory that is excluded is not even listed. Patterns that fit one depth only are not tried at others.

    Examples
    --------
    >>> from layersim.build.context import Ignore
    >>> from layersim.build.dockerfile import BUILDKIT29
    >>> ignore = Ignore(["node_modules", "**/*.md", "!README.md"], BUILDKIT29)
    >>> [ignore.excludes(path) for path in ("node_modules/x/y.js", "docs/a.md", "README.md")]
    [True, True, False]
    """

    def __init__(self, patterns: Iterable[str], dialect: Dialect) -> None:
        self._dialect = dialect
        cleaned = (clean(pattern.strip()) for pattern in patterns if pattern.strip())
        self.rules: Sequence[Rule] = tuple(Rule.of(pattern, dialect.generation) for pattern in cleaned)
        self._by_depth: dict[int, Callable[[str], bool]] = {}
        # How many bytes the file has; 0 where there is none.
        self.size = 0

    @classmethod
    def parse(cls, data: bytes, dialect: Dialect) -> Self:
        """Read the bytes of a ``.dockerignore``."""
        ignore = cls(read_lines(data), dialect)
        ignore.size = len(data)
        return ignore

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns, cleaned."""
        return tuple(("!" if rule.is_exception else "") + rule.text for rule in self.rules)

    @cached_property
    def has_exceptions(self) -> bool:
        """Whether any pattern takes back."""
        return any(rule.is_exception for rule in self.rules)

    @cached_property
    def _descends_always(self) -> bool:
        """Whether any directory may hold what an exception takes back (BuildKit of 29)."""
        return is_new_buildkit(self._dialect) and not all(rule.is_plain_exception() for rule in self.rules)

    def excludes(self, path: str) -> bool:
        """Tell whether a path is kept out, by itself or with a parent.

        Parameters
        ----------
        path : str
            Relative to the root of the context.

        Returns
        -------
        bool
            What the matcher says. A walk of the two older builders may miss what an exception takes back.
        """
        excluded = False
        for rule in self.rules:
            if rule.is_exception == excluded and self._matches(rule, path):
                excluded = not rule.is_exception
        return excluded

    def _matches(self, rule: Rule, path: str) -> bool:
        """Tell whether a rule matches a path or one of its parents; in 20.10 only the parent as deep as the rule."""
        if rule.matches(path):
            return True
        parts = path.split("/")
        if self._dialect.generation == OLD:
            return rule.parts < len(parts) and rule.matches("/".join(parts[: rule.parts]))
        return any(rule.matches("/".join(parts[:depth])) for depth in range(1, len(parts)))

    def at_depth(self, depth: int) -> Callable[[str], bool]:
        """Return `excludes` for a walk that meets paths of this many components, none below what is excluded."""
        if self.has_exceptions:
            return self.excludes
        matches = self._by_depth.get(depth)
        if matches is None:
            matches = self._by_depth[depth] = _any_of([r for r in self.rules if r.depth in {None, depth}])
        return matches

    def may_hold(self, directory: str) -> bool:
        """Tell whether the builder looks into a directory that is excluded, for what an exception may take back."""
        if not self.has_exceptions:
            return False
        if self._descends_always:
            return True
        is_new = is_new_buildkit(self._dialect)
        texts = (r.without_trailing_glob() if is_new else r.text for r in self.rules if r.is_exception)
        return any(f"{text}/".startswith(f"{directory}/") for text in texts)


def _any_of(rules: Sequence[Rule]) -> Callable[[str], bool]:
    """Return whether any rule matches: the exact ones are looked up, the others are tried."""
    exact = frozenset(rule.text for rule in rules if rule.matches == rule.text.__eq__)
    others = [rule.matches for rule in rules if rule.text not in exact]
    if not others:
        return exact.__contains__
    return lambda path: path in exact or any(matches(path) for matches in others)


def read_lines(data: bytes) -> Iterator[str]:
    """Yield the patterns of a file, cleaned as the reader of the engine cleans them."""
    for line in data.removeprefix(BYTE_ORDER_MARK).decode(errors="surrogateescape").split("\n"):
        text = line.strip()
        if line.startswith("#") or not text:
            continue
        mark = "!" if text.startswith("!") else ""
        text = text[len(mark) :].strip()
        text = clean(text) if text else ""
        yield mark + (text[1:] if len(text) > 1 and text.startswith("/") else text)
