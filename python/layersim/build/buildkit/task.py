"""One operation of BuildKit, and the key of what it depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from layersim.build.cache import digest, pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim._core import Overlay
    from layersim.build.copied import Copying
    from layersim.build.dockerfile import Instruction
    from layersim.build.mounting import Mounting
    from layersim.build.reason import Inputs


@dataclass(frozen=True)
class Task:
    """One operation.

    Attributes
    ----------
    instruction : Instruction
        Variables replaced.
    created_by : str
        What history says.
    inputs : Inputs
        What decides whether it was done before; without its files, whose key is `content`.
    content : str
        The key of what it copies or mounts.
    work : callable
        Does it in a file system; gives that, and how long it took.
    copying : Copying, Mounting or None
        What is copied or mounted.
    definition : str
        What it is found by in the cache of an image, without looking at the files of another stage.
    variables : tuple of tuple
        Names and values in the order that counts.
    command : tuple of str
        Of a RUN.
    known_key : str
        The key that was found so; nothing is copied then.
    is_linked : bool
        Whether it makes a layer by itself, whatever lies below.
    """

    instruction: Instruction
    created_by: str
    inputs: Inputs
    work: Callable[[Overlay], tuple[Overlay, float]]
    content: str = ""
    copying: Copying | Mounting | None = None
    definition: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    known_key: str = ""
    is_linked: bool = False

    @property
    def key(self) -> str:
        """What it is found by."""
        if self.known_key:
            return self.known_key
        one = self.inputs
        variables = digest(*(part for pair in self.variables for part in pair))
        return digest(
            one.parent, type(self.instruction).__name__, one.instruction, variables, self.content, pairs(one.options)
        )

    @cached_property
    def told_inputs(self) -> Inputs:
        """The inputs with the digests of what is copied, by path."""
        return replace(self.inputs, files={} if self.copying is None else self.copying.files())

    def rechecked(self) -> Task:
        """Return it with the content that is there now, as far as it is copied from there."""
        if self.copying is None or not self.copying.recheck():
            return self
        return replace(self, content=self.copying.checksum())
