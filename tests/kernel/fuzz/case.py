"""One case: a stack and a sequence, run on both sides from the start; what differs is a `DivergenceError`."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import layersim as ls
from tests.kernel.agreement import Pair
from tests.kernel.fuzz.commits import rows_of_a_tar, rows_of_the_kernel
from tests.kernel.fuzz.ends import differences_at_the_end
from tests.kernel.fuzz.mounts import KernelStack
from tests.kernel.fuzz.sides import WideSession
from tests.kernel.fuzz.source import Source
from tests.kernel.fuzz.stacks import random_stack
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.kernel.fuzz.worker import Worker
    from tests.kernel.mount import KernelOverlay
    from tests.kernel.operations import Operation

COMMIT: Operation = ("commit",)


class DivergenceError(AssertionError):
    """The kernel and we disagree."""


@dataclass(frozen=True)
class Case:
    """Layers base first, and what is done above them."""

    layers: Sequence[Sequence[Entry]]
    operations: Sequence[Operation]

    @classmethod
    def of_seed(cls, seed: int, operations: int) -> Self:
        rng = random.Random(seed)
        stack = random_stack(rng)
        return cls(stack, Source(seed, stack).operations(operations, commits=seed % 4 != 0))

    def __str__(self) -> str:
        """Return the case as Python to paste into a test."""
        layers = ",\n".join(f"    [\n{_lines(layer, 8)}    ]" for layer in self.layers)
        return f"LAYERS = [\n{layers},\n]\nOPERATIONS = [\n{_lines(self.operations, 4)}]\n"


def _lines(values: Sequence[object], indent: int) -> str:
    return "".join(f"{' ' * indent}{_spelled(value)},\n" for value in values)


def _spelled(value: object) -> str:
    """Write an entry with what is not usual about it alone."""
    if not isinstance(value, Entry):
        return repr(value)
    usual = Entry("")
    told = {name: getattr(value, name) for name in Entry.__dataclass_fields__}
    given = [f"{name}={told[name]!r}" for name in told if name != "path" and told[name] != getattr(usual, name)]
    return f"Entry({', '.join([repr(value.path), *given])})"


def run(case: Case, worker: Worker) -> None:
    """Do the whole case on both sides; raise `DivergenceError` where they part."""
    tars = [layer_tar(entries) for entries in case.layers]
    with tempfile.TemporaryDirectory(prefix="layersim-fuzz-") as folder:
        kernel = KernelStack(Path(folder), tars, worker)
        layers = [ls.Layer.from_tar(tar) for tar in tars]
        with kernel:
            for part in _parts(case.operations):
                pair = _pair(kernel, layers)
                _agree(pair, part)
                layers = [*layers, _committed(pair, kernel)]
                kernel.commit()


def _parts(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Split at the commits."""
    parts: list[list[Operation]] = [[]]
    for operation in operations:
        if operation == COMMIT:
            parts.append([])
        else:
            parts[-1].append(operation)
    return parts


def _pair(kernel: KernelStack, layers: list[ls.Layer]) -> Pair:
    fs = ls.Overlay(layers, clock=time.time_ns)
    return Pair(cast("KernelOverlay", kernel), fs, WideSession(fs))


def _agree(pair: Pair, operations: list[Operation]) -> None:
    """Compare each outcome, then all that is left."""
    try:
        pair.agree(operations)
    except AssertionError as error:
        raise DivergenceError(str(error)) from error
    pair.ours = pair.session.fs
    found = differences_at_the_end(pair)
    if found:
        raise DivergenceError("what is left differs:\n" + "\n".join(found))


def _committed(pair: Pair, kernel: KernelStack) -> ls.Layer:
    """Commit ours, and compare its tar with the kernel's upper."""
    layer = pair.ours.to_layer()
    expected, actual = rows_of_the_kernel(kernel.upper), rows_of_a_tar(layer.tar_bytes())
    for path in sorted(expected.keys() | actual.keys()):
        if expected.get(path) != actual.get(path):
            raise DivergenceError(f"committed {path!r}: the upper has {expected.get(path)}, the tar {actual.get(path)}")
    if ls.Layer.from_tar(layer.tar_bytes()).diff_id != layer.diff_id:
        raise DivergenceError("the committed layer is not the tar that it writes")
    return layer
