"""The instructions of a Dockerfile as values."""

from __future__ import annotations

from typing import Any

import msgspec

_PLACES = frozenset(("line", "end_line", "warnings"))


class Placed(msgspec.Struct, frozen=True, eq=False):
    """What is equal wherever in a file it stands."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Placed) or type(self) is not type(other):
            return NotImplemented
        return self._key() == other._key()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))

    def _key(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in _PLACES)


class Heredoc(msgspec.Struct, frozen=True):
    """A text that an instruction carries below its own line.

    Attributes
    ----------
    name : str
        The word that ends it, without quotes.
    content : str
        Its lines as written, line ends included.
    expands : bool
        Whether variables in it are replaced: the word had no quotes.
    strips_tabs : bool
        Written ``<<-``: leading tabs of each line do not count.
    descriptor : int
        The number before ``<<``.
    """

    name: str
    content: str = ""
    expands: bool = True
    strips_tabs: bool = False
    descriptor: int = 0

    @property
    def body(self) -> str:
        """The lines as they count."""
        if not self.strips_tabs:
            return self.content
        return "\n".join(line.lstrip("\t") for line in self.content.split("\n"))


class Command(msgspec.Struct, frozen=True):
    """What RUN, CMD, ENTRYPOINT or HEALTHCHECK starts.

    Attributes
    ----------
    words : tuple of str
        The words of the JSON form, or the one text of the shell form.
    is_shell : bool
        Whether a shell is put before it.
    """

    words: tuple[str, ...]
    is_shell: bool


class Instruction(Placed, frozen=True, eq=False):
    """One instruction. Two are equal when they say the same, wherever they stand.

    Attributes
    ----------
    text : str
        The logical line, its continuation lines joined.
    line, end_line : int
        First and last line, heredocs included, counted from 1.
    heredocs : tuple of Heredoc
        The texts below the line.
    """

    text: str
    line: int
    end_line: int
    heredocs: tuple[Heredoc, ...]

    def __str__(self) -> str:
        """Return the instruction as a Dockerfile has it."""
        if not self.heredocs:
            return self.text
        return "\n".join([self.text, *(doc.content + doc.name for doc in self.heredocs)])


class Arg(Instruction, frozen=True, eq=False):
    """``ARG``: variables that a build may set, each with its default as written, or None."""

    pairs: tuple[tuple[str, str | None], ...]


class Env(Instruction, frozen=True, eq=False):
    """``ENV``: names and values, quotes and variables still in them."""

    pairs: tuple[tuple[str, str], ...]


class Label(Instruction, frozen=True, eq=False):
    """``LABEL``: names and values, quotes and variables still in them."""

    pairs: tuple[tuple[str, str], ...]


class Run(Instruction, frozen=True, eq=False):
    """``RUN``: a command, with its ``--mount`` flags as written, and its ``--network`` and ``--device``."""

    command: Command
    mounts: tuple[str, ...] = ()
    network: str | None = None
    devices: tuple[str, ...] = ()


class Cmd(Instruction, frozen=True, eq=False):
    """``CMD``: what a container starts, or the arguments of its entry point."""

    command: Command


class Entrypoint(Instruction, frozen=True, eq=False):
    """``ENTRYPOINT``: what a container always starts."""

    command: Command


class Shell(Instruction, frozen=True, eq=False):
    """``SHELL``: what is put before a command of the shell form."""

    words: tuple[str, ...]


class Copy(Instruction, frozen=True, eq=False):
    """``COPY``: sources and destination, and the flags as written."""

    sources: tuple[str, ...]
    contents: tuple[Heredoc, ...]
    dest: str
    chown: str | None = None
    chmod: str | None = None
    source_stage: str | None = None
    link: bool = False
    excludes: tuple[str, ...] = ()
    parents: bool = False


class Add(Instruction, frozen=True, eq=False):
    """``ADD``: sources and destination, and the flags as written; None where a flag was not given."""

    sources: tuple[str, ...]
    contents: tuple[Heredoc, ...]
    dest: str
    chown: str | None = None
    chmod: str | None = None
    link: bool = False
    keep_git_dir: bool | None = None
    checksum: str | None = None
    unpack: bool | None = None
    excludes: tuple[str, ...] = ()


class Workdir(Instruction, frozen=True, eq=False):
    """``WORKDIR``: the directory of what follows."""

    path: str


class User(Instruction, frozen=True, eq=False):
    """``USER``: who runs what follows."""

    user: str


class Expose(Instruction, frozen=True, eq=False):
    """``EXPOSE``: ports as written, in the order in which the builder takes them."""

    ports: tuple[str, ...]


class Volume(Instruction, frozen=True, eq=False):
    """``VOLUME``: directories that containers keep elsewhere."""

    paths: tuple[str, ...]


class StopSignal(Instruction, frozen=True, eq=False):
    """``STOPSIGNAL``: what ends a container."""

    signal: str


class Healthcheck(Instruction, frozen=True, eq=False):
    """``HEALTHCHECK``: the test, empty for ``NONE``, and its durations in nanoseconds, 0 where not given."""

    command: Command | None
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0

    @property
    def test(self) -> tuple[str, ...]:
        """The test as configs hold it: a kind, and the words."""
        if self.command is None:
            return ("NONE",)
        return ("CMD-SHELL" if self.command.is_shell else "CMD", *self.command.words)


class Onbuild(Instruction, frozen=True, eq=False):
    """``ONBUILD``: an instruction for builds upon the image, as it is stored there."""

    trigger: str


class Maintainer(Instruction, frozen=True, eq=False):
    """``MAINTAINER``: the author."""

    author: str


class Remark(msgspec.Struct, frozen=True):
    """What a builder remarks about a Dockerfile that it accepts.

    Attributes
    ----------
    line : int
        Where; 0 where it is about no line.
    message : str
        In the builder's words.
    rule : str
        The name of the rule, such as ``JSONArgsRecommended``; empty of builders that have none.
    """

    line: int
    message: str
    rule: str = ""

    def __str__(self) -> str:
        """Return it as the builder prints it."""
        return f"{self.rule}: {self.message} (line {self.line})" if self.rule else self.message
