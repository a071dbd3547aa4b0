"""COPY and ADD: what both builders share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.context.dialect import is_legacy
from layersim.build.copying.buildkit import copy_buildkit
from layersim.build.copying.legacy import copy_legacy
from layersim.build.copying.options import CopyOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Overlay
    from layersim.build.context import Dialect, Selection

_NO_FLAGS = CopyOptions()


def copy_into(
    overlay: Overlay,
    selections: Sequence[Selection],
    dest: str,
    options: CopyOptions = _NO_FLAGS,
    *,
    dialect: Dialect,
    workdir: str = "/",
) -> None:
    """Do what one COPY or ADD does.

    Parameters
    ----------
    overlay : Overlay
        The stage. Its clock gives the time of what is made on the way.
    selections : sequence of Selection
        What its source words name, in order; heredocs among them.
    dest : str
        After substitution; relative to `workdir`. A slash at the end counts.
    options : CopyOptions
        Its flags.
    dialect : Dialect
        The builder.
    workdir : str
        The WORKDIR in force.

    Raises
    ------
    BuildError
        In the builder's words.

    Notes
    -----
    The upper of the overlay is the layer. Bytes are copied once, out of the context or the view.
    """
    place = dest if dest.startswith("/") else f"{workdir.rstrip('/')}/{dest}"
    # The legacy builder wants the slash to be written.
    if not is_legacy(dialect) and (dest in {".", ".."} or dest.endswith("/..")):
        place += "/"
    copy = copy_legacy if is_legacy(dialect) else copy_buildkit
    copy(overlay, selections, place, options, dialect)
