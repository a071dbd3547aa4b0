"""What went wrong with an input, in one line that names it."""

from __future__ import annotations

import os


class InputError(Exception):
    """An input failed.

    Parameters
    ----------
    subject : str
        The archive, reference or path that failed, as the user wrote it.
    reason : str or Exception
        What was wrong with it.
    """

    def __init__(self, subject: str, reason: str | Exception) -> None:
        super().__init__(f"{subject}: {reason_of(reason) if isinstance(reason, Exception) else reason}")


def reason_of(error: Exception) -> str:
    """Return an error's own words, without Python's ``[Errno 2]`` and quotes around the file's name."""
    if isinstance(error, OSError) and error.errno is not None:
        words = error.strerror or os.strerror(error.errno)
        return f"{os.fsdecode(error.filename)}: {words}" if isinstance(error.filename, (str, bytes)) else words
    return str(error) or type(error).__name__
