"""Instructions with their variables replaced, as far as builders do (spec/build.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from layersim.build.dockerfile import (
    Add,
    Arg,
    Copy,
    Env,
    Expose,
    Heredoc,
    Label,
    StopSignal,
    User,
    Volume,
    Workdir,
    expand,
    expand_text,
    expand_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from layersim.build.dockerfile import Dialect, Instruction

_I = TypeVar("_I", bound="Instruction")


class Evaluator:
    """Replaces the variables of one moment.

    Parameters
    ----------
    variables : mapping of str to str
        What is set.
    dialect : Dialect
        Which forms there are.
    escape : str
        The escape character of the file.
    """

    def __init__(self, variables: Mapping[str, str], dialect: Dialect, escape: str) -> None:
        self._variables, self._dialect, self._escape = variables, dialect, escape

    def word(self, word: str) -> str:
        """Return a word with its variables replaced and its quotes removed."""
        return expand(word, self._variables, self._dialect, self._escape)

    def words(self, word: str) -> list[str]:
        """Return the words that a word becomes."""
        return expand_words(word, self._variables, self._dialect, self._escape)

    def instruction(self, instruction: _I) -> _I:
        """Return an instruction with its variables replaced.

        Raises
        ------
        DockerfileError
            A form is wrong or unknown.
        """
        maker = _MAKERS.get(type(instruction))
        if maker is None:
            return instruction
        return msgspec.structs.replace(instruction, **maker(self, instruction))

    def optional(self, word: str | None) -> str | None:
        """Return a flag's value, or None where it was not given."""
        return None if word is None else self.word(word)

    def mode(self, word: str | None) -> str | None:
        """Return the value of a ``--chmod``, in which 20.10 replaces nothing."""
        return word if self._dialect.is_old else self.optional(word)

    def heredoc(self, doc: Heredoc) -> Heredoc:
        """Return a text whose variables are replaced, unless its word was quoted; a backslash escapes in any file."""
        if not doc.expands:
            return doc
        return msgspec.structs.replace(doc, content=expand_text(doc.content, self._variables, self._dialect))


def _pairs(evaluator: Evaluator, instruction: Env | Label) -> dict[str, Any]:
    return {"pairs": tuple((evaluator.word(name), evaluator.word(value)) for name, value in instruction.pairs)}


def _arg(evaluator: Evaluator, instruction: Arg) -> dict[str, Any]:
    return {"pairs": tuple((evaluator.word(name), evaluator.optional(value)) for name, value in instruction.pairs)}


def _expose(evaluator: Evaluator, instruction: Expose) -> dict[str, Any]:
    return {"ports": tuple(word for port in instruction.ports for word in evaluator.words(port))}


def _volume(evaluator: Evaluator, instruction: Volume) -> dict[str, Any]:
    return {"paths": tuple(evaluator.word(path) for path in instruction.paths)}


def _source_words(evaluator: Evaluator, instruction: Copy | Add) -> dict[str, Any]:
    return {
        "sources": tuple(evaluator.word(source) for source in instruction.sources),
        "contents": tuple(map(evaluator.heredoc, instruction.contents)),
        "dest": evaluator.word(instruction.dest),
        "chown": evaluator.optional(instruction.chown),
        "chmod": evaluator.mode(instruction.chmod),
    }


def _add(evaluator: Evaluator, instruction: Add) -> dict[str, Any]:
    return _source_words(evaluator, instruction) | {"checksum": evaluator.optional(instruction.checksum)}


def _one(field: str) -> Callable[[Evaluator, Any], dict[str, Any]]:
    return lambda evaluator, instruction: {field: evaluator.word(getattr(instruction, field))}


_MAKERS: dict[type, Callable[[Evaluator, Any], dict[str, Any]]] = {
    Env: _pairs,
    Label: _pairs,
    Arg: _arg,
    Expose: _expose,
    Volume: _volume,
    Copy: _source_words,
    Add: _add,
    Workdir: _one("path"),
    User: _one("user"),
    StopSignal: _one("signal"),
}
