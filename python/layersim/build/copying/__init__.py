"""COPY, ADD and WORKDIR applied to an overlay, as each builder does it."""

from layersim.build.copying.copy import copy_into
from layersim.build.copying.options import CopyOptions
from layersim.build.copying.owners import Owner, find_owner
from layersim.build.copying.workdir import make_workdir

__all__ = ["CopyOptions", "Owner", "copy_into", "find_owner", "make_workdir"]
