"""The pieces that a told story is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Passage:
    """One piece of a story.

    Parameters
    ----------
    kind : {"heading", "prose", "command", "output"}
        A heading, a sentence or two, what one would type, or what a step printed.
    text : str
        Its text, without a line end.
    """

    kind: Literal["heading", "prose", "command", "output"]
    text: str


def heading(text: str) -> Passage:
    """Open a chapter."""
    return Passage("heading", text)


def prose(text: str) -> Passage:
    """Explain what comes, or what came."""
    return Passage("prose", text)


def command(text: str) -> Passage:
    """Show what one would type for the output that follows."""
    return Passage("command", text)


def output(value: object) -> Passage:
    """Show what a step gave, as text."""
    return Passage("output", str(value).rstrip("\n"))
