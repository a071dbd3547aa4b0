"""A process that saves states until it is killed: `python -m tests.saver`, told by lines what to do.

A line is ``PATH WHICH HOW AMOUNT``. The process forks; the child saves the engine `WHICH` (``old`` or ``new``) to the
path and is killed: ``after`` so many microseconds, ``at`` so many calls that touch a file, or by the kernel when a file
grows beyond so many ``bytes``; ``never`` lets it live. The answer is one line: ``killed``, ``saved`` or ``failed``.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time

import layersim as ls

NOW = 1_700_000_000 * 10**9
_TOUCHING = {"open", "os.rename", "os.remove", "os.mkdir", "os.scandir", "os.truncate", "fcntl.flock"}


def old() -> ls.Engine:
    """Return an engine with one image and a container that has written."""
    engine = ls.Engine(clock=lambda: NOW)
    layers = [ls.Layer.from_changes([ls.write(f"/base/{n}", bytes([n]) * 50_000)]) for n in range(4)]
    engine.add_image(layers, tag="base:1")
    engine.run("base:1", name="first").fs.write_bytes("/base/0", b"mine")
    return engine


def new() -> ls.Engine:
    """Return what the old one became: less of the old, and more beside it."""
    engine = old()
    layers = list(engine.get_image("base:1").layers[:2])
    for number in range(6):
        layers.append(ls.Layer.from_changes([ls.write(f"/app/{number}", bytes([7 * number + 1]) * 90_000)]))
        engine.add_image(layers, tag=f"app:{number}")
    engine.get_container("first").remove(force=True)
    engine.remove_image("base:1")
    engine.run("app:3", name="second").fs.write_bytes("/data", b"more" * 30_000)
    return engine


def main() -> None:
    """Do what the lines say."""
    engines = {"old": old(), "new": new()}
    for line in sys.stdin:
        path, which, how, amount = line.split()
        child = os.fork()
        if child == 0:
            try:
                _save(engines[which], path, how, int(amount))
                os._exit(0)
            finally:
                os._exit(1)
        sys.stdout.write(f"{_end(child, how, int(amount))}\n")
        sys.stdout.flush()


def _save(engine: ls.Engine, path: str, how: str, amount: int) -> None:
    if how == "bytes":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (amount, amount))
    if how == "at":
        calls = iter(range(amount))

        def count(event: str, _: object) -> None:
            if event in _TOUCHING and next(calls, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
    engine.save_state(path)


def _end(child: int, how: str, amount: int) -> str:
    if how == "after":
        start = time.perf_counter_ns()
        while time.perf_counter_ns() - start < amount * 1000:
            time.sleep(0.0001)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "killed"
    return "failed" if status else "saved"


if __name__ == "__main__":
    main()
