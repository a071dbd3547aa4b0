"""Reading a Dockerfile: bytes in, a value or one error out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile.arguments import read_arguments, trigger_of
from layersim.build.dockerfile.dialect import BUILDKIT29
from layersim.build.dockerfile.faults import UnreadableError, WrongInstructionError
from layersim.build.dockerfile.file import Dockerfile, Stage
from layersim.build.dockerfile.forms import json_words
from layersim.build.dockerfile.heredocs import announced
from layersim.build.dockerfile.instructions import Arg, Heredoc, Instruction
from layersim.build.dockerfile.lines import LineReader, text_of
from layersim.build.dockerfile.nodes import node_of
from layersim.build.dockerfile.typed import typed
from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.nodes import Node


def parse(text: bytes | str, dialect: Dialect = BUILDKIT29, *, name: str = "Dockerfile") -> Dockerfile:
    r"""Read a Dockerfile.

    Parameters
    ----------
    text : bytes or str
        The file.
    dialect : Dialect
        Whose rules hold.
    name : str
        What errors call it.

    Returns
    -------
    Dockerfile
        Its stages and instructions, variables not yet replaced.

    Raises
    ------
    DockerfileError
        With the line and the builder's words. As with the builders, a line that cannot be read comes before an
        instruction that is wrong, wherever they stand.

    Examples
    --------
    >>> from layersim.build.dockerfile import parse
    >>> parse("FROM scratch AS Base\nCOPY . /app").stages[0].instructions[0].dest
    '/app'
    """
    whole = text_of(text)
    if not whole:
        named = f" ({name})" if dialect.builder == "legacy" else ""
        raise DockerfileError(f"the Dockerfile{named} cannot be empty", name)
    return _Parser(whole, dialect, name).parsed()


class _Parser:
    """The reading of one file."""

    def __init__(self, text: str, dialect: Dialect, name: str) -> None:
        self._dialect, self._name = dialect, name
        self._reader = LineReader(text, dialect)
        self._globals: list[Arg] = []
        self._stages: list[tuple[Stage, list[Instruction]]] = []
        self._fault: DockerfileError | None = None
        self._count = 0

    def parsed(self) -> Dockerfile:
        line, text = 0, ""
        try:
            for text, line in self._reader:
                self._take(text, line)
        except UnreadableError as error:
            raise self._unreadable(str(error), max(line, 1), text) from error
        if not self._count:
            raise self._unreadable("file with no instructions", max(self._reader.at, 1), "")
        if self._fault is not None:
            raise self._fault
        if not self._stages:
            raise DockerfileError("dockerfile contains no stages to build", self._name)
        return self._dockerfile()

    def _take(self, text: str, line: int) -> None:
        reader = self._reader
        self._count += 1
        node = node_of(text, line, reader.at, self._dialect, reader.escape)
        arguments = read_arguments(node)
        if "<<" in text and self._dialect.heredocs != "none" and _may_have_heredocs(node, arguments):
            node.heredocs = tuple(self._bodies(text))
            node.end_line = reader.at
        if self._fault is not None:
            return
        try:
            self._place(typed(node, arguments), node)
        except WrongInstructionError as error:
            at = "line" if self._dialect.is_old else "on line"
            message = f"dockerfile parse error {at} {line}: {error}"
            self._fault = DockerfileError(message, self._name, line, text)

    def _bodies(self, text: str) -> list[Heredoc]:
        """Read the bodies of the heredocs that a line announces."""
        found = []
        for doc in announced(text):
            content = self._reader.body(doc.name, strips_tabs=doc.strips_tabs)
            found.append(Heredoc(doc.name, content, doc.expands, doc.strips_tabs, doc.descriptor))
        return found

    def _place(self, made: Instruction | Stage, node: Node) -> None:
        if isinstance(made, Stage):
            self._stages.append((made, []))
        elif self._stages:
            self._stages[-1][1].append(made)
        elif isinstance(made, Arg):
            self._globals.append(made)
        else:
            self._fault = DockerfileError("no build stage in current context", self._name, node.line, node.text)

    def _unreadable(self, message: str, line: int, text: str) -> DockerfileError:
        before = "failed to parse Dockerfile: " if self._dialect.builder == "legacy" else ""
        return DockerfileError(before + message, self._name, line, text)

    def _dockerfile(self) -> Dockerfile:
        stages = tuple(
            Stage(stage.base, stage.name, stage.platform, tuple(found), stage.text, stage.line, stage.end_line)
            for stage, found in self._stages
        )
        reader = self._reader
        return Dockerfile(
            self._name,
            self._dialect,
            reader.escape,
            reader.directives,
            tuple(self._globals),
            stages,
            tuple(reader.remarks),
        )


def _may_have_heredocs(node: Node, arguments: object) -> bool:
    """Tell whether an instruction is one that may, and not in the JSON form."""
    child = trigger_of(node) if node.name == "onbuild" and arguments else node
    if child.name not in ("add", "copy", "run"):
        return False
    return not _is_json(child)


def _is_json(node: Node) -> bool:
    return json_words(node.rest, node.dialect) is not None
