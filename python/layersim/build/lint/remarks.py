"""All remarks about a build: those on the text, those on what it comes to, and which of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.lint.bases import bases
from layersim.build.lint.options import Options
from layersim.build.lint.stages import built
from layersim.build.lint.written import written
from layersim.errors import BuildError, DockerfileError

if TYPE_CHECKING:
    from layersim.build.buildkit import BuildKit
    from layersim.build.dockerfile import Remark


def remarks(building: BuildKit) -> list[Remark]:
    """Return what newer BuildKit remarks, in the order of lines.

    Raises
    ------
    BuildError
        ``# check=`` says that a remark is an error, or is wrong; in the builder's words.
    ImageNotFoundError, InvalidReferenceError
        A base is not there.
    """
    request = building.request
    options = Options.of(request.dockerfile.directives, request.build_args)
    try:
        found = [*written(request.dockerfile), *bases(building), *built(building)]
    except DockerfileError:
        # The build is about to say what cannot be read.
        return []
    kept = {one: None for one in found if options.has(one.rule)}
    if kept and options.is_error:
        rules = ", ".join(sorted({one.rule for one in kept}))
        raise BuildError(f"lint violation found for rules: {rules}")
    return sorted(kept, key=lambda one: (one.line, one.rule))
