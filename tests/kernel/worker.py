"""A process inside one mounted overlay: `python -m tests.kernel.worker ROOT` answers operations on its standard input.

It changes its root to ROOT, so that absolute links resolve inside the mount exactly as they do in a container.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys

from tests.kernel.kernel_fs import KernelFs
from tests.kernel.operations import Session

PATIENCE_S = 60
"""An operation that blocks, such as opening a fifo, ends the process and fails the test."""


def serve(root: str) -> None:
    """Answer pickled operations until the input ends."""
    os.chroot(root)
    os.chdir("/")
    os.umask(0)
    session = Session(KernelFs())
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            operations = pickle.load(requests)
        except EOFError:
            return
        signal.alarm(PATIENCE_S)
        pickle.dump([session.perform(operation) for operation in operations], replies)
        replies.flush()
        signal.alarm(0)


if __name__ == "__main__":
    serve(sys.argv[1])
