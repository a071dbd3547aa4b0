"""Memory of a piece of work, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

_PROBE = """
import gc, sys
def anonymous():
    gc.collect()
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))
"""


def bytes_of(prepare: str, work: str) -> int:
    """Return how many bytes of anonymous memory `work` leaves in use, after `prepare`; both are Python code."""
    code = f"{_PROBE}\n{prepare}\nbefore = anonymous()\n{work}\nprint(anonymous() - before)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(done.stdout)
