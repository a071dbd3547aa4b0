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
    """Return an error's own words, without Python's ``[Errno 2]`` and without the name of the file."""
    if not isinstance(error, OSError) or error.errno is None:
        return str(error) or type(error).__name__
    known = os.strerror(error.errno)
    return known if error.strerror in {None, known} else f"{error.strerror}: {known}"
