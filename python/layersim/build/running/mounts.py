"""One mount of a RUN step as it reaches who runs it: what is where, and who may write to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from layersim._core import Overlay

TMPFS_MODE = 0o1777


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMount:
    """What a ``--mount`` puts into the tree that a command sees; nothing written there is in the step's layer.

    Attributes
    ----------
    type : {"bind", "cache", "tmpfs", "secret"}
        What is mounted.
    target : str
        Where, from the root on.
    fs : Overlay or None
        The directory that is mounted; None where a file is.
    content : bytes
        The file that is mounted.
    is_readonly : bool
        Whether nothing can be written there.
    mode, uid, gid, mtime_ns : int
        Of the file, or of the directory itself.
    size : int
        Bytes that a tmpfs may hold, 0 for no bound.
    """

    type: Literal["bind", "cache", "tmpfs", "secret"]
    target: str
    fs: Overlay | None = None
    content: bytes = b""
    is_readonly: bool = False
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether what is written there is found by the next step that mounts the same."""
        return self.type == "cache"
