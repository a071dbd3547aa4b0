"""`runs`: a table of what commands are declared to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from layersim._core import Overlay
from layersim.build.running.applying import Application
from layersim.build.running.effect import Effect
from layersim.build.running.step import Ran, RunStep
from layersim.errors import BuildError
from layersim.units import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

Pattern: TypeAlias = str | re.Pattern[str]
Act: TypeAlias = Effect | Callable[[RunStep, Overlay, dict[str, str]], Ran | None]

# What separates words in a shell, blanks and operators.
_WORD = re.compile(r"[^\s;&|()]+")


def first_words(step: RunStep) -> str:
    """Return the words of a command by which it may be declared."""
    return " ".join(_WORD.findall(step.shown)[:2])


def _ways(step: RunStep) -> str:
    return (
        f"declare it: ls.runs({{{first_words(step)!r}: ls.effect(writes={{'/path': '40MB'}}, seconds=1)}}), "
        "or let it do nothing: ls.runs(..., default=ls.effect()), or execute it: ls.sandbox()"
    )


@dataclass(frozen=True, slots=True)
class RunTable:
    """Declared effects by pattern, to be a build's `run=`; made by `runs`.

    Attributes
    ----------
    rows : tuple of (str or Pattern, Effect or callable)
        In the order in which they are tried.
    default : Effect, callable or None
        What a step does that nothing matches.
    ways : callable
        Says of such a step, if there is no default, how its effect is declared.
    """

    rows: tuple[tuple[Pattern, Act], ...]
    default: Act | None = None
    ways: Callable[[RunStep], str] = field(default=_ways, repr=False, compare=False)

    def act_of(self, step: RunStep) -> Act:
        """Return what a step is declared to do.

        Parameters
        ----------
        step : RunStep
            The step.

        Returns
        -------
        Effect or callable
            That of the first pattern that matches, or the default.

        Raises
        ------
        BuildError
            If nothing matches and there is no default.
        """
        for pattern, act in self.rows:
            if _matches(pattern, step.shown):
                return act
        if self.default is not None:
            return self.default
        raise BuildError(f"{step.place} does what nobody declared: {harmless(step.shown)}; {self.ways(step)}")

    def __call__(self, step: RunStep, fs: Overlay, env: dict[str, str]) -> Ran | None:
        """Do to the overlay what the step is declared to do."""
        act = self.act_of(step)
        if not isinstance(act, Effect):
            return act(step, fs, env)
        Application(step, act, fs).apply()
        return Ran(act.seconds)


def runs(table: Mapping[str | re.Pattern[str], Act], default: Act | None = None) -> RunTable:
    """Make a build's `run=` from declared effects: no command is executed.

    Parameters
    ----------
    table : mapping of str or Pattern to Effect or callable
        The first key that matches a step decides. A `str` matches a command that has its words next to each other
        and in this order; ``*``, ``?`` and ``[ab]`` in a word are those of a glob. A compiled pattern is searched for
        in the text. A value is what `effect` returns, or a callable ``(step, fs, env)``.
    default : Effect or callable, optional
        For steps that nothing matches; without it, such a step is an error.

    Returns
    -------
    RunTable
        A callable ``(step, fs, env)``.

    Raises
    ------
    TypeError
        For a key or a value of another type.
    ValueError
        For a key without a word.

    Notes
    -----
    Words end at blanks and at ``; & | ( )``. Of a RUN in exec form the words are joined by blanks.

    Examples
    --------
    >>> import layersim as ls
    >>> table = ls.runs({"npm ci": ls.effect(files={"node_modules": (300, "40MB")}, seconds=9)})
    >>> fs = ls.Overlay([], clock=lambda: 0)
    >>> table(ls.RunStep(command=("/bin/sh", "-c", "npm ci"), text="npm ci", cwd="/app"), fs, {})
    Ran(seconds=9.0)
    >>> fs.size_rw
    40000000
    """
    for pattern, act in table.items():
        _check_pattern(pattern)
        _check_act(act)
    if default is not None:
        _check_act(default)
    return RunTable(tuple(table.items()), default)


def _check_pattern(pattern: object) -> None:
    if not isinstance(pattern, str | re.Pattern):
        raise TypeError(f"expected text or a compiled pattern, got {pattern!r}")
    if isinstance(pattern, str) and not _WORD.findall(pattern):
        raise ValueError(f"there is no word in the pattern {pattern!r}; use default= for all other steps")


def _check_act(act: object) -> None:
    if not isinstance(act, Effect) and not callable(act):
        raise TypeError(f"expected an effect or a callable, got {act!r}")


def _matches(pattern: Pattern, shown: str) -> bool:
    if isinstance(pattern, re.Pattern):
        return pattern.search(shown) is not None
    wanted, words = _WORD.findall(pattern), _WORD.findall(shown)
    return any(
        all(map(fnmatchcase, words[start : start + len(wanted)], wanted))
        for start in range(len(words) - len(wanted) + 1)
    )
