"""A program in namespaces of its own: started, listened to, and ended with all that it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable

INSIDE = Path(__file__).with_name("inside.py")
READY = b"ready"
_NAMESPACES = ("--mount", "--propagation=private", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child")
_CHUNK = 1 << 16
_LINES_KEPT = 200
_LONGEST_LINE = 1 << 16


class OutOfTimeError(Exception):
    """The time that was given is over; the caller says of what."""


class NotStartedError(Exception):
    """The program of a command is not there or is none; the message says so as runc does."""


@dataclass(slots=True)
class Output:
    """What a command prints, line by line: told to a listener, the end of it kept."""

    listener: Callable[[str], object] | None = None
    _open: bytes = b""
    _kept: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))

    def add(self, data: bytes) -> None:
        """Take what came next; nothing: it ends here."""
        *lines, self._open = (self._open + data).split(b"\n")
        if self._open and (not data or len(self._open) > _LONGEST_LINE):
            lines, self._open = [self._open], b""
        for line in lines:
            text = line.decode("utf-8", "replace")
            self._kept.append(text)
            if self.listener is not None:
                self.listener(text)

    @property
    def text(self) -> str:
        """The last lines."""
        return "\n".join(self._kept)


def launch(programs: list[str], spec: Path, output: Output, *, timeout: float | None, maps_root: bool) -> int:
    """Run what `spec` says and return how it ended; no process of it is left, however this ends.

    `programs` are `setpriv`, which ties it to the life of this process, and `unshare`.

    Raises
    ------
    BuildError
        If the namespaces or the mounts cannot be made here.
    NotStartedError
        If there is no such program.
    OutOfTimeError
        If it takes longer than `timeout` seconds.
    """
    answer, status = os.pipe()
    setpriv, unshare = programs
    words = [setpriv, "--pdeathsig=KILL", unshare, *_NAMESPACES, *(["--map-root-user"] if maps_root else [])]
    words += [sys.executable, "-I", "-S", str(INSIDE), str(spec), str(status)]
    try:
        code = _run(words, status, output, None if timeout is None else time.monotonic() + timeout)
        said = os.read(answer, _CHUNK)
    finally:
        os.close(answer)
    if said.startswith(READY) and said != READY:
        raise NotStartedError(said.removeprefix(READY).decode("utf-8", "replace"))
    if said != READY:
        reason = said.decode("utf-8", "replace") or output.text.strip()
        raise BuildError(f"cannot make a sandbox here: {reason}")
    return code


def _run(words: list[str], status: int, output: Output, deadline: float | None) -> int:
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(status,),
            start_new_session=True,
        )
    finally:
        os.close(status)
    with process:
        try:
            _listen(process, output, deadline)
            return process.wait(_left(deadline))
        except subprocess.TimeoutExpired as error:
            raise OutOfTimeError from error
        finally:
            _end(process)


def _listen(process: subprocess.Popen[bytes], output: Output, deadline: float | None) -> None:
    """Pass on what is printed until nothing can print any more."""
    pipe = process.stdout
    if pipe is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        data = b"-"
        while data:
            if not selector.select(_left(deadline)):
                raise OutOfTimeError
            data = os.read(pipe.fileno(), _CHUNK)
            output.add(data)


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process of the namespace, and with it all others; then wait for it."""
    if process.poll() is not None:
        return
    children: list[str] = []
    with suppress(OSError):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)
    if not children:
        process.kill()
    process.wait()
