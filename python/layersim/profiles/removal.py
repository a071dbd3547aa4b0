"""What stands in the way of removing an image, in which order and words (accounting.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class RemovalRules:
    """How an engine removes images.

    Attributes
    ----------
    obstacles : tuple of str
        What is looked for, in this order: ``children``, ``running``, ``tags``, ``stopped``.
    hard : frozenset of str
        Those that no force moves.
    children_keep : bool
        Whether an image whose last tag goes stays, without a tag, while others are recorded to be made from it; then
        its untagged parents go as one line, whole or not at all, without a look at what else was made from them.
    containers_keep : bool
        The same while containers use it, where the tag goes by force.
    tells_layers : bool
        Whether the report names the layers that went with an image.
    prunes_names : bool
        Whether pruning goes by names, those that containers were created with excepted, and tells of blobs; else by
        images that no container uses.
    name_in_use : callable
        A tag, a container's short id and the image's to the message that refuses the tag.
    """

    obstacles: tuple[str, ...]
    hard: frozenset[str]
    children_keep: bool
    containers_keep: bool
    tells_layers: bool
    prunes_names: bool
    name_in_use: Callable[[str, str, str], str]


def _graph_name_in_use(tag: str, container: str, image: str) -> str:
    return (
        f'conflict: unable to remove repository reference "{tag}" (must force) - '
        f"container {container} is using its referenced image {image}"
    )


def _containerd_name_in_use(tag: str, container: str, image: str) -> str:
    user = f"container {container} is using its referenced image {image}"
    return f"conflict: unable to delete {tag} (must be forced) - {user}"


GRAPH = RemovalRules(
    obstacles=("children", "running", "tags", "stopped"),
    hard=frozenset({"children", "running"}),
    children_keep=False,
    containers_keep=False,
    tells_layers=True,
    prunes_names=False,
    name_in_use=_graph_name_in_use,
)
CONTAINERD = RemovalRules(
    obstacles=("running", "stopped", "tags"),
    hard=frozenset({"running"}),
    children_keep=True,
    containers_keep=True,
    tells_layers=False,
    prunes_names=True,
    name_in_use=_containerd_name_in_use,
)
