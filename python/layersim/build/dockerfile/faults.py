"""What goes wrong inside an instruction, before it is known where that stands."""

from __future__ import annotations


class UnreadableError(Exception):
    """A line is no instruction in form; the builders say so of the first in the whole file."""


class WrongInstructionError(Exception):
    """An instruction is well-formed and wrong; the builders say so once all lines could be read."""


class SubstitutionError(Exception):
    """A word cannot be expanded; the message is the builder's, without the word."""
