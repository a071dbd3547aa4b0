"""The builder in the engine: each instruction makes an image (spec/build.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from layersim._core import Overlay, View, sha256
from layersim.build.cache import Place
from layersim.build.context import Selection, select, source_sum
from layersim.build.copying import copy_into
from layersim.build.documents import Child, legacy_document
from layersim.build.dockerfile import Add, Copy, Label, Run, Workdir
from layersim.build.draft import Draft
from layersim.build.metadata import change_config, words_of, working_dir
from layersim.build.plan import plan
from layersim.build.probing import Prober
from layersim.build.reason import Reason
from layersim.build.result import Build, Step
from layersim.build.scope import Scope
from layersim.build.stage import StageState, instructions_of, perform, run_step
from layersim.container import container_view
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim._core import Layer
    from layersim.build.dockerfile import Instruction
    from layersim.build.plan import PlannedStage
    from layersim.build.request import Host, Request
    from layersim.image import Image
    from layersim.image.document import Json

_NOP = "#(nop) "
