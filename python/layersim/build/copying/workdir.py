"""WORKDIR: the directory that it names is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.context.dialect import is_legacy
from layersim.build.context.tree import below_file, status
from layersim.build.copying.owners import Owner, find_owner
from layersim.build.copying.place import Making, followed, is_directory, make_directories
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim._core import Overlay
    from layersim.build.context import Dialect


def make_workdir(overlay: Overlay, path: str, dialect: Dialect, *, user: str = "") -> bool:
    """Make the directory of a WORKDIR, where it is missing.

    Parameters
    ----------
    overlay : Overlay
        The stage; its clock gives the time.
    path : str
        Absolute; links are followed.
    dialect : Dialect
        The builder.
    user : str
        The USER in force: BuildKit makes directories its.

    Returns
    -------
    bool
        Whether any directory was made: else the legacy builder makes no layer.

    Raises
    ------
    BuildError
        For a file in the way.
    """
    place = followed(overlay, path)
    in_file = below_file(overlay, place)
    if in_file:
        raise BuildError(f"lstat /{in_file}: not a directory")
    if not is_legacy(dialect):
        owner = find_owner(overlay, user, dialect) if user else None
        return make_directories(overlay, place, Making(owner))
    found = status(overlay, place)
    if found is not None and not is_directory(found):
        raise BuildError(f"Cannot mkdir: {path} is not a directory")
    return make_directories(overlay, place, Making(Owner(0, 0)))
