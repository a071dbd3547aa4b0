"""Arguments of each instruction in form: what the engines read before they look at what it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile import forms
from layersim.build.dockerfile.blanks import SPACE_CLASS
from layersim.build.dockerfile.nodes import node_of
from layersim.build.dockerfile.words import split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layersim.build.dockerfile.instructions import Command
    from layersim.build.dockerfile.nodes import Node


_BLANKS = re.compile(rf"[{SPACE_CLASS}]+")


def read_arguments(node: Node) -> object:
    """Return an instruction's arguments in the form that it has; of an unknown instruction none are read.

    Raises
    ------
    UnreadableError
        They do not have it.
    """
    reader = _READERS.get(node.name)
    return None if reader is None else reader(node)


def _one(node: Node) -> tuple[str, ...]:
    return (node.rest,) if node.rest else ()


def _list(node: Node) -> tuple[str, ...]:
    return forms.blank_separated(node.rest)


def _json_or_list(node: Node) -> tuple[str, ...]:
    return forms.json_or_list(node.rest, node.dialect)


def _words(node: Node) -> list[str]:
    return split_words(node.rest, node.escape)


def _command(node: Node) -> Command:
    return forms.command(node.rest, node.dialect)


def _pairs(node: Node) -> tuple[tuple[str, str], ...]:
    return forms.key_values(node.rest, node.name.upper(), node.escape)


def _health(node: Node) -> tuple[str, Command]:
    """Read the kind of a health check, and its command.

    The engines look for its end byte by byte, and some bytes of longer characters are blanks to them.
    """
    data = node.rest if node.rest.isascii() else node.rest.encode().decode("latin-1")
    kind, rest = (*_BLANKS.split(data, maxsplit=1), "")[:2]
    if not node.rest.isascii():
        rest = rest.encode("latin-1").decode("utf-8", "replace")
    return kind, forms.command(rest, node.dialect)


def _trigger(node: Node) -> str:
    """Read the instruction of ONBUILD; return its word."""
    if not node.rest:
        return ""
    child = trigger_of(node)
    first = child.word
    while child.name == "onbuild" and child.rest:
        child = trigger_of(child)
    if child.name != "onbuild":
        read_arguments(child)
    return first


def trigger_of(node: Node) -> Node:
    """Return the instruction that an ONBUILD holds."""
    return node_of(node.rest, node.line, node.end_line, node.dialect, node.escape)


_READERS: Mapping[str, Callable[[Node], object]] = {
    "add": _json_or_list,
    "arg": _words,
    "cmd": _command,
    "copy": _json_or_list,
    "entrypoint": _command,
    "env": _pairs,
    "expose": _list,
    "from": _list,
    "healthcheck": _health,
    "label": _pairs,
    "maintainer": _one,
    "onbuild": _trigger,
    "run": _command,
    "shell": _command,
    "stopsignal": _one,
    "user": _one,
    "volume": _json_or_list,
    "workdir": _one,
}
INSTRUCTIONS = tuple(sorted(_READERS))
"""The names of all instructions, in lower case."""
