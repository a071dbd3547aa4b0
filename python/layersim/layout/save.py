"""Writing images in any layout, to a file, a directory or an open file; all of it or nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from layersim._core import pack_layers, write_archive, write_directory
from layersim.errors import ValidationError
from layersim.layout.containerd import containerd_members
from layersim.layout.docker20 import docker20_members
from layersim.layout.docker25 import docker25_members
from layersim.layout.oci_save import oci_members

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from layersim._core import Member, Packed
    from layersim.layout.form import Form, Target
    from layersim.layout.outgoing import Leaving

    Progress: TypeAlias = Callable[[int, int], object]

# What a directory may hold that another layout takes the place of.
_OF_A_LAYOUT = {"oci-layout", "index.json", "blobs", "manifest.json", "repositories"}


def save_images(leaving: Sequence[Leaving], target: Target, form: Form, *, progress: Progress | None = None) -> int:
    """Write images with their tags; equal images give equal bytes.

    Parameters
    ----------
    leaving : sequence of Leaving
        The images.
    target : path or binary file
        Where to. A path is replaced at the end or not at all.
    form : Form
        What to write.
    progress : callable, optional
        Called with bytes of layers done and bytes in all.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ValidationError
        An image has no layer, which Docker's archives cannot hold, or the directory holds something else.
    """
    if form.layout == "oci-dir":
        folder = _directory(target)
        return write_directory(folder, _oci_members(leaving, form, folder.parent, progress), progress=progress)
    if form.layout == "oci":
        folder = Path(target).parent if isinstance(target, str | os.PathLike) else Path(tempfile.gettempdir())
        members = _oci_members(leaving, form, folder, progress)
    elif form.layout == "docker25":
        members = docker25_members(leaving)
    else:
        return write_archive(target, docker20_members(leaving), dialect="docker20", progress=progress)
    return write_archive(target, members, progress=progress)


def _oci_members(leaving: Sequence[Leaving], form: Form, folder: Path, progress: Progress | None) -> list[Member]:
    """Return blobs as they are kept, where an engine keeps them and nothing else is asked for."""
    if form.compression is None and leaving and all(one.blobs for one in leaving):
        return containerd_members(leaving)
    return oci_members(leaving, _pack(leaving, form, folder, progress), form.compression)


def _directory(target: Target) -> Path:
    """Return the directory to write, once it is known to be new, empty or a layout."""
    if not isinstance(target, str | os.PathLike):
        raise TypeError("layout 'oci-dir' needs the path of a directory")
    # The core puts another directory in its place, so a link is followed here.
    folder = Path(target).resolve()
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    is_layout = "oci-layout" in held and held <= _OF_A_LAYOUT
    if (held and not is_layout) or (folder.exists() and not folder.is_dir()):
        breach = f"{str(target)!r} is neither empty nor an OCI image layout alone, and is left as it is"
        raise ValidationError(breach, [breach])
    return folder


def _pack(leaving: Sequence[Leaving], form: Form, folder: Path, progress: Progress | None) -> dict[str, Packed]:
    """Compress the layers of all images, each once; return them by diff id."""
    if form.compression is None:
        return {}
    layers = list(dict.fromkeys(layer for one in leaving for layer in one.image.layers))
    packed = pack_layers(layers, form.compression, folder, level=form.level, progress=progress)
    return {layer.diff_id: one for layer, one in zip(layers, packed, strict=True)}
