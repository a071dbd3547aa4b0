"""How an engine finds an image by what it is called, and what it says where there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layersim.image.grammar import NEWER, OLDER, Grammar

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Naming:
    """What an engine takes for the name of an image.

    Attributes
    ----------
    grammar : Grammar
        What it takes for a reference.
    shortest_id : int
        How many digits of an id it looks for at the least.
    finds_digests : bool
        Whether ``name@sha256:...`` means the image of that id if it has a tag of that name; else nothing does but
        what was pulled so.
    not_found : callable
        A reference as it was given, and with its tag, to the message that there is no such image.
    """

    grammar: Grammar
    shortest_id: int
    finds_digests: bool
    not_found: Callable[[str, str], str]


def _as_given(ref: str, _tagged: str) -> str:
    return f"No such image: {ref}"


def _with_tag(_ref: str, tagged: str) -> str:
    return f"No such image: {tagged}"


GRAPH_20 = Naming(OLDER, shortest_id=1, finds_digests=False, not_found=_as_given)
"""Up to version 20.10."""
GRAPH = replace(GRAPH_20, grammar=NEWER, not_found=_with_tag)
"""Since version 26 at the latest."""
CONTAINERD = replace(GRAPH, shortest_id=4, finds_digests=True)
