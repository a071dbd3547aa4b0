"""The words that a command comes to: its shell put before it, the texts below a RUN put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile.faults import SubstitutionError
from layersim.build.dockerfile.heredocs import heredoc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.instructions import Command, Run

DEFAULT_SHELL = ("/bin/sh", "-c")
"""What is put before commands of the shell form until SHELL says otherwise."""


def command_words(command: Command, dialect: Dialect, shell: Sequence[str] = DEFAULT_SHELL) -> tuple[str, ...]:
    """Return the words of a CMD or RUN as a config or a process has them.

    Parameters
    ----------
    command : Command
        What was written.
    dialect : Dialect
        Of a command without words BuildKit makes an empty text for the shell, the legacy builder none.
    shell : sequence of str
        The shell in force.

    Returns
    -------
    tuple of str
        All words.
    """
    if not command.is_shell:
        return command.words
    words = command.words if dialect.builder == "legacy" else (" ".join(command.words),)
    return (*shell, *words)


def entrypoint_words(command: Command, dialect: Dialect, shell: Sequence[str] = DEFAULT_SHELL) -> tuple[str, ...]:
    """Return the words of an ENTRYPOINT; without any the legacy builder has none, not even the shell."""
    if not command.words and dialect.builder == "legacy":
        return ()
    return command_words(command, dialect, shell)


def run_words(run: Run, dialect: Dialect, shell: Sequence[str] = DEFAULT_SHELL) -> tuple[str, ...]:
    """Return the words of a RUN, its heredocs put in by the builders that do so.

    Parameters
    ----------
    run : Run
        The instruction.
    dialect : Dialect
        Whose words.
    shell : sequence of str
        The shell in force.

    Returns
    -------
    tuple of str
        All words. A heredoc alone is the command; one that begins with ``#!`` becomes a program to run; what stands
        beside other words goes to the shell as it was written.
    """
    if not run.heredocs or not run.command.is_shell or dialect.heredocs != "parse":
        return command_words(run.command, dialect, shell)
    first = run.heredocs[0]
    if not _is_heredoc(run.command.words[0]):
        whole = "\n".join([run.command.words[0], *(doc.content + doc.name for doc in run.heredocs)])
        return (*shell, whole)
    path = next(iter(run_scripts(run, dialect)), None)
    return (*shell, first.body if path is None else path)


def run_scripts(run: Run, dialect: Dialect) -> dict[str, str]:
    """Return the program that the heredoc of a RUN is, by the path under which it is found; nothing if it is none."""
    if dialect.heredocs != "parse" or not is_script(run) or not run.heredocs[0].content.startswith("#!"):
        return {}
    first = run.heredocs[0]
    return {f"/dev/pipes/{first.name}": first.body}


def is_script(run: Run) -> bool:
    """Tell whether a heredoc alone is the command of a RUN."""
    return bool(run.heredocs) and run.command.is_shell and _is_heredoc(run.command.words[0])


def _is_heredoc(word: str) -> bool:
    try:
        return heredoc(word) is not None
    except SubstitutionError:
        return False
