"""Strategies: sketches of layers over few names, so that they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.reference import File, Folder, Gone, Link, Thing

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

NAMES = ("a", "b", "c", "é", "x" * 120)
MODES = (0o755, 0o700, 0o1777)

files = st.builds(File, st.binary(max_size=40), st.sampled_from((0o644, 0o600, 0o4755)))
links = st.builds(Link, st.sampled_from(("a", "b/c", "/a", "..", "nowhere", "../a/b")))
gone = st.builds(Gone)


def folders(things: SearchStrategy[Thing]) -> SearchStrategy[Folder]:
    """Return folders of such things."""
    return st.builds(
        Folder, st.dictionaries(st.sampled_from(NAMES), things, max_size=4), st.sampled_from(MODES), st.booleans()
    )


things: SearchStrategy[Thing] = st.recursive(files | links | gone, folders, max_leaves=12)
sketches = st.builds(Folder, st.dictionaries(st.sampled_from(NAMES), things, max_size=5))
stacks = st.lists(sketches, min_size=1, max_size=4)
