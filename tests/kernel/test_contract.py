"""One contract, three file systems: what the reference says of overlay.md, the kernel does, and so does `Overlay`."""

from __future__ import annotations

import io
import stat
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from tests import reference_overlay
from tests.kernel.fuzz.commits import MARK, rows_of_a_tar, rows_of_the_kernel
from tests.kernel.fuzz.mounts import KernelStack
from tests.kernel.operations import Session
from tests.kernel.states import STATES, lower_entries, preparation, within
from tests.kernel.test_matrix import OPERATIONS
from tests.kernel.test_stacks import CASES
from tests.reference_layers import layer_of
from tests.reference_overlay import ReferenceOverlay
from tests.tars import layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.kernel.fuzz.worker import Worker
    from tests.kernel.operations import Operation, Outcome
    from tests.tars import Entry

CALLS = {
    *("open", "read", "write", "truncate", "mkdir", "rmdir", "unlink", "rename", "link", "symlink", "mkfifo", "mknod"),
    *("chmod", "chown", "lchown", "setxattr", "getxattr", "listxattr", "lstat", "stat", "readlink", "listdir"),
}
"""What the reference covers."""

BEYOND = {
    "open directory": "a flag that it does not know",
    "open without following": "a flag that it does not know",
    "the directory itself": "a last component that it does not know",
    "the parent": "a last component that it does not know",
}
MATRIX = {
    name: operations
    for name, operations in OPERATIONS.items()
    if name not in BEYOND and "slash" not in name and all(operation[0] in CALLS for operation in operations)
}

Written = dict[str, tuple[str, int]]
"""The upper as a commit says it: kind and mode of each member, marks under their spelled names."""


class OnReference:
    """The reference itself, for the expected values."""

    def __init__(self, layers: Sequence[Sequence[Entry]]) -> None:
        self.fs = ReferenceOverlay([layer_of(entries) for entries in layers])
        self.session = Session(self.fs)

    def perform_all(self, operations: Sequence[Operation]) -> list[Outcome]:
        return [_comparable(self.session.perform(operation)) for operation in operations]

    def written(self) -> Written:
        found: Written = {}
        for path, thing in self.fs.top.items():
            name = "/".join(path)
            if thing.kind:
                found[name] = (stat.filemode(thing.kind)[0], thing.mode)
            else:
                found["/".join((*path[:-1], f".wh.{path[-1]}"))] = ("mark", 0)
            if thing.is_opaque:
                found[f"{name}/.wh..wh..opq"] = ("mark", 0)
        del found[""]
        return found


LETTERS = {"file": "-", "dir": "d", "symlink": "l", "fifo": "p", "mark": "mark"}


def _written(rows: dict[str, Any]) -> Written:
    return {path: (LETTERS[row.kind], 0 if row == MARK else row.mode) for path, row in rows.items()}


def _comparable(outcome: Outcome) -> Outcome:
    """Leave out of a stat what the reference does not know: a time, and the links of a directory."""
    said, value = outcome
    if isinstance(value, tuple):
        value = (*value[:5], None if value[0] == "dir" else value[5])
    return said, value


@pytest.fixture(params=["kernel", "overlay"])
def perform(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[Sequence[Sequence[Entry]], Sequence[Operation]], tuple[list[Outcome], Written]]:
    """Carry out operations on a stack; return what they said, and what was written."""

    def on_kernel(tars: list[bytes], operations: Sequence[Operation]) -> tuple[list[Outcome], Written]:
        worker: Worker = request.getfixturevalue("worker")
        with KernelStack(tmp_path, tars, worker) as kernel:
            return kernel.perform_all(operations), _written(rows_of_the_kernel(kernel.upper))

    def on_overlay(tars: list[bytes], operations: Sequence[Operation]) -> tuple[list[Outcome], Written]:
        fs = ls.Overlay([ls.Layer.from_tar(tar) for tar in tars])
        session = Session(fs)
        outcomes = [session.perform(operation) for operation in operations]
        return outcomes, _written(rows_of_a_tar(fs.to_layer().tar_bytes()))

    def on_layers(layers: Sequence[Sequence[Entry]], operations: Sequence[Operation]) -> tuple[list[Outcome], Written]:
        on = on_kernel if request.param == "kernel" else on_overlay
        outcomes, written = on([layer_tar(entries) for entries in layers], operations)
        return [_comparable(outcome) for outcome in outcomes], written

    return on_layers


def _agree(perform: Callable[..., Any], layers: Sequence[Sequence[Entry]], operations: list[Operation]) -> None:
    reference = OnReference(layers)
    expected = reference.perform_all(operations)
    outcomes, written = perform(layers, operations)
    told = [(*both, operation) for operation, *both in zip(operations, expected, outcomes, strict=True)]
    assert [row for row in told if row[0] != row[1]] == []
    assert written == reference.written()


@pytest.mark.parametrize("name", MATRIX)
def test_the_matrix_of_section_5(name: str, perform: Callable[..., Any]) -> None:
    done = [within(state, operation) for state in STATES for operation in MATRIX[name]]
    _agree(perform, [lower_entries()], [*preparation(), *done])


@pytest.mark.parametrize("name", CASES)
def test_the_stacks_of_section_7(name: str, perform: Callable[..., Any]) -> None:
    _agree(perform, CASES[name].layers, list(CASES[name].operations))


def test_the_reference_is_small() -> None:
    source = Path(reference_overlay.__file__).read_text()
    spoken = {tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {token.start[0] for token in tokens if token.type not in spoken and not token.string.startswith('"""')}
    assert len(lines) < 200
