"""The form that images are saved in: a layout, and how its layers are compressed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    Target: TypeAlias = str | os.PathLike[str] | BinaryIO

Layout = Literal["docker20", "docker25", "oci", "oci-dir"]
Compression = Literal["gzip", "zstd"]


@dataclass(frozen=True)
class Form:
    """A layout, and how its layers are compressed.

    Attributes
    ----------
    layout : {"docker20", "docker25", "oci", "oci-dir"}
        What `docker save` of 20.10 or of 25 and newer writes, an OCI image layout as a tar or as a directory.
    compression : {"gzip", "zstd"} or None
        None: layers go out as they are, which is all that Docker's archives know.
    level : int or None
        0 to 9 for gzip, 1 to 22 for zstd; None is the usual one.

    Raises
    ------
    ValueError
        There is no such layout or compression, or they do not go together.
    """

    layout: Layout
    compression: Compression | None = None
    level: int | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        layouts, compressions = get_args(Layout), get_args(Compression)
        if self.layout not in layouts:
            raise ValueError(f"expected a layout of {', '.join(layouts)}, got {self.layout!r}")
        if self.compression not in {None, *compressions}:
            raise ValueError(f"expected a compression of {', '.join(compressions)} or None, got {self.compression!r}")
        if self.compression is not None and self.layout not in {"oci", "oci-dir"}:
            raise ValueError(
                f"the layers of layout {self.layout!r} are never compressed; those of 'oci' and 'oci-dir' can be"
            )
        if self.level is not None and self.compression is None:
            raise ValueError("a level says nothing without a compression")


def layout_for(target: Target, layout: Layout | None, default: Layout) -> Layout:
    """Return the layout that a target gets: of what ends in ``/`` or is a directory, an OCI layout as a directory.

    Raises
    ------
    ValueError
        A layout that is a tar was asked for there.
    """
    if not isinstance(target, str | os.PathLike):
        return layout or default
    text = os.fspath(target)
    if not (text.endswith("/") or Path(text).is_dir()):
        return layout or default
    if layout in {"docker20", "docker25"}:
        raise ValueError(f"layout {layout!r} is a tar, and {text!r} a directory")
    return "oci-dir"
