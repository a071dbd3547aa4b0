"""A process that works inside one mount after the other: `python -m tests.kernel.fuzz.worker`.

It is asked for a root, then for lists of operations, then for the next root; None is the way out of a mount.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.kernel.fuzz.sides import WideKernelFs, WideSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tests.kernel.operations import Operation, Outcome

REPOSITORY = Path(__file__).parents[3]
PATIENCE_S = 60
"""An operation that blocks ends the process."""


@dataclass
class Worker:
    """The process, seen from outside."""

    _process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        serve = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def enter(self, root: str) -> None:
        self._ask(root)

    def leave(self) -> None:
        self._ask(None)

    def perform_all(self, operations: Sequence[Operation]) -> list[Outcome]:
        outcomes = self._ask(list(operations))
        assert isinstance(outcomes, list)
        return outcomes

    def _ask(self, request: object) -> object:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(request, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)


def serve() -> None:
    """Answer pickled requests until the input ends."""
    os.umask(0)
    outside = os.open("/", os.O_PATH)
    session = WideSession(WideKernelFs())
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        signal.alarm(PATIENCE_S)
        answer = None
        if isinstance(request, list):
            answer = [session.perform(operation) for operation in request]
        else:
            session.release_all()
            session = WideSession(WideKernelFs())
            _go(outside, request)
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        signal.alarm(0)


def _go(outside: int, root: str | None) -> None:
    """Make a mount the root, or the whole machine's root the root again."""
    os.fchdir(outside)
    os.chroot(root or ".")
    os.chdir("/")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve()
