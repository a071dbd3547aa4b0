"""The command line: `layersim`, and `python -m layersim`."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from layersim.cli.arguments import parse
from layersim.cli.failure import InputError, reason_of
from layersim.cli.output import Output
from layersim.units import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

__all__ = ["main"]

_FAILED, _INTERRUPTED, _PIPE_CLOSED = 1, 130, 141


def main(argv: Sequence[str] | None = None, *, clock: Callable[[], int] | None = None) -> int:
    """Run one command and say how it went.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the program's name; those of the process by default.
    clock : callable, optional
        Returns the present in nanoseconds since 1970; ages are counted back from it. The wall clock by default.

    Returns
    -------
    int
        0: it worked; 1: an input failed, as one line on standard error says; 130: interrupted;
        141: the reader of the output went away.

    Raises
    ------
    SystemExit
        With 2 when the words are not understood, with 0 after ``--help`` and ``--version``.
    """
    if _is_closed(sys.stderr):
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")  # who closed it wants to hear nothing
    if _is_closed(sys.stdout):
        return _complain(f"standard output: {os.strerror(errno.EBADF)}")
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        status: int | None = arguments.run(arguments, Output(sys.stdout, written_as=arguments.format), clock)
        sys.stdout.flush()
    except InputError as failure:
        return _complain(str(failure))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has no reader
        return _PIPE_CLOSED
    except OSError as error:
        return _complain(f"{os.fsdecode(error.filename)}: {reason_of(error)}" if error.filename else reason_of(error))
    return status or 0


def _is_closed(stream: TextIO | None) -> bool:
    """Whether the process was started without this stream (``>&-``)."""
    return stream is None


def _complain(reason: str) -> int:
    sys.stderr.write(f"layersim: {harmless(reason)}\n")
    return _FAILED
