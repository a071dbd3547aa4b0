"""What counts as a blank: the engines are Go programs, whose idea of it is not Python's."""

from __future__ import annotations

SPACES = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""Every blank of Unicode."""

SPACE_CLASS = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""The same inside the brackets of a regular expression."""
