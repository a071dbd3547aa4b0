"""Instructions with types, made of nodes and their arguments, and what the builders say of wrong ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from layersim.build.dockerfile import instructions as made
from layersim.build.dockerfile.arguments import INSTRUCTIONS
from layersim.build.dockerfile.blanks import SPACES
from layersim.build.dockerfile.devices import check_device
from layersim.build.dockerfile.faults import SubstitutionError, WrongInstructionError
from layersim.build.dockerfile.file import Stage
from layersim.build.dockerfile.flags import read_flags
from layersim.build.dockerfile.forms import defaults
from layersim.build.dockerfile.golang import go_quote
from layersim.build.dockerfile.health import healthcheck
from layersim.build.dockerfile.heredocs import heredoc
from layersim.build.dockerfile.mistakes import did_you_mean
from layersim.build.dockerfile.mounts import check_mounts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layersim.build.dockerfile.nodes import Node

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_ONBUILD = re.compile(r"[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*", re.IGNORECASE | re.ASCII)
_NETWORKS = ("default", "none", "host")
_FIELDS = {name: name.replace("-", "_") for name in ("chown", "chmod", "link", "keep-git-dir", "checksum", "unpack")}
_FIELDS |= {"from": "source_stage", "exclude": "excludes", "parents": "parents"}
_FIELDS |= {"mount": "mounts", "network": "network", "device": "devices"}
_NAMED_STAGE, _SOURCE_AND_DEST = 3, 2
Pairs = tuple[tuple[str, str], ...]
"""Names and values."""


def typed(node: Node, arguments: object) -> made.Instruction | Stage:
    """Return the instruction that a node is; a FROM begins a stage.

    Raises
    ------
    WrongInstructionError
        There is no such instruction, or it is not meant so.
    """
    maker = _MAKERS.get(node.name)
    if maker is None:
        _unknown(node)
    return maker(node, arguments)


def _unknown(node: Node) -> NoReturn:
    if node.dialect.is_old:
        raise WrongInstructionError(f"unknown instruction: {node.word.upper()}")
    is_upper = node.word != node.word.lower() and node.word == node.word.upper()
    names = [name.upper() if is_upper else name for name in INSTRUCTIONS]
    word = node.word if is_upper else node.word.lower()
    raise WrongInstructionError(f"unknown instruction: {node.word}{did_you_mean(word, names)}")


def _need(node: Node, arguments: Sequence[object]) -> None:
    if not arguments:
        raise WrongInstructionError(f"{node.name.upper()} requires at least one argument")


def _need_one(node: Node, arguments: Sequence[object]) -> None:
    if len(arguments) != 1:
        raise WrongInstructionError(f"{node.name.upper()} requires exactly one argument")


def _pairs(node: Node, arguments: Pairs) -> Pairs:
    read_flags(node)
    _need(node, arguments)
    _need_names(node, arguments)
    return arguments


def _need_names(node: Node, pairs: Sequence[tuple[str, str | None]]) -> None:
    for name, _ in pairs:
        if not name:
            raise WrongInstructionError(f"{node.name.upper()} names can not be blank")


def _env(node: Node, arguments: Pairs) -> made.Env:
    return made.Env(node.text, node.line, node.end_line, (), _pairs(node, arguments))


def _label(node: Node, arguments: Pairs) -> made.Label:
    return made.Label(node.text, node.line, node.end_line, (), _pairs(node, arguments))


def _arg(node: Node, arguments: list[str]) -> made.Arg:
    _need(node, arguments)
    pairs = defaults(arguments)
    _need_names(node, pairs)
    return made.Arg(node.text, node.line, node.end_line, (), pairs)


def _run(node: Node, arguments: made.Command) -> made.Run:
    if not node.flags:
        return made.Run(node.text, node.line, node.end_line, node.heredocs, arguments)
    flags = read_flags(node)
    for text in flags.get("device", ()):
        check_device(text)
    network = flags.get("network", "none")
    if network not in _NETWORKS:
        raise WrongInstructionError(f"invalid network mode {go_quote(network)}")
    check_mounts(flags.get("mount", ()), node.dialect)
    fields = {_FIELDS[name]: value for name, value in flags.items()}
    return made.Run(node.text, node.line, node.end_line, node.heredocs, arguments, **fields)


def _cmd(node: Node, arguments: made.Command) -> made.Cmd:
    read_flags(node)
    return made.Cmd(node.text, node.line, node.end_line, (), arguments)


def _entrypoint(node: Node, arguments: made.Command) -> made.Entrypoint:
    read_flags(node)
    return made.Entrypoint(node.text, node.line, node.end_line, (), arguments)


def _shell(node: Node, arguments: made.Command) -> made.Shell:
    read_flags(node)
    _need(node, arguments.words)
    if arguments.is_shell:
        raise WrongInstructionError("SHELL requires the arguments to be in JSON form")
    return made.Shell(node.text, node.line, node.end_line, (), arguments.words)


def _copied(node: Node, words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[made.Heredoc, ...], str]:
    """Return the sources of COPY or ADD, those that are heredocs, and the destination."""
    if node.dialect.heredocs == "none" or "<<" not in node.text:
        return words[:-1], (), words[-1]
    if _heredoc(words[-1]):
        raise WrongInstructionError(f"{node.name.upper()} cannot accept a heredoc as a destination")
    bodies = {doc.name: doc for doc in node.heredocs}
    found = [(word, _heredoc(word)) for word in words[:-1]]
    paths = tuple(word for word, doc in found if doc is None)
    # Of two with one name the last body counts for both; how it is read, each says itself.
    contents = tuple(
        made.Heredoc(doc.name, bodies.get(doc.name, doc).content, doc.expands, doc.strips_tabs, doc.descriptor)
        for _, doc in found
        if doc is not None
    )
    return paths, contents, words[-1]


def _heredoc(word: str) -> made.Heredoc | None:
    try:
        return heredoc(word)
    except SubstitutionError:
        return None


def _need_dest(node: Node, words: tuple[str, ...]) -> None:
    if len(words) < _SOURCE_AND_DEST:
        message = "requires at least two arguments, but only one was provided. Destination could not be determined"
        raise WrongInstructionError(f"{node.name.upper()} {message}")


def _copy(node: Node, words: tuple[str, ...]) -> made.Copy:
    _need_dest(node, words)
    fields = {_FIELDS[name]: value for name, value in read_flags(node).items()}
    if not fields.get("source_stage"):
        fields.pop("source_stage", None)  # an empty ``--from`` is none
    return made.Copy(node.text, node.line, node.end_line, node.heredocs, *_copied(node, words), **fields)


def _add(node: Node, words: tuple[str, ...]) -> made.Add:
    _need_dest(node, words)
    fields = {_FIELDS[name]: value for name, value in read_flags(node).items()}
    return made.Add(node.text, node.line, node.end_line, node.heredocs, *_copied(node, words), **fields)


def _from(node: Node, words: tuple[str, ...]) -> Stage:
    name = _stage_name(words)
    platform = read_flags(node).get("platform")
    return Stage(words[0], name, platform, (), node.text, node.line, node.end_line)


def _stage_name(words: tuple[str, ...]) -> str | None:
    if len(words) == _NAMED_STAGE and words[1].lower() == "as":
        name = words[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            rule = "name can't start with a number or contain symbols"
            raise WrongInstructionError(f"invalid name for build stage: {go_quote(words[2])}, {rule}")
        return name
    if len(words) != 1:
        raise WrongInstructionError("FROM requires either one or three arguments")
    return None


def _onbuild(node: Node, word: str) -> made.Onbuild:
    _need(node, word)
    read_flags(node)
    kind = word.strip(SPACES).upper()
    if kind == "ONBUILD":
        raise WrongInstructionError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if kind in ("MAINTAINER", "FROM"):
        raise WrongInstructionError(f"{kind} isn't allowed as an ONBUILD trigger")
    trigger = _ONBUILD.sub("", node.text, count=1)
    trigger += "".join(f"\n{doc.content}{doc.name}" for doc in node.heredocs)
    return made.Onbuild(node.text, node.line, node.end_line, node.heredocs, trigger)


def _workdir(node: Node, words: tuple[str, ...]) -> made.Workdir:
    _need_one(node, words)
    read_flags(node)
    return made.Workdir(node.text, node.line, node.end_line, (), words[0])


def _user(node: Node, words: tuple[str, ...]) -> made.User:
    _need_one(node, words)
    read_flags(node)
    return made.User(node.text, node.line, node.end_line, (), words[0])


def _maintainer(node: Node, words: tuple[str, ...]) -> made.Maintainer:
    _need_one(node, words)
    read_flags(node)
    return made.Maintainer(node.text, node.line, node.end_line, (), words[0])


def _stop_signal(node: Node, words: tuple[str, ...]) -> made.StopSignal:
    _need_one(node, words)
    return made.StopSignal(node.text, node.line, node.end_line, (), words[0])


def _expose(node: Node, words: tuple[str, ...]) -> made.Expose:
    _need(node, words)
    read_flags(node)
    return made.Expose(node.text, node.line, node.end_line, (), tuple(sorted(words)))


def _volume(node: Node, words: tuple[str, ...]) -> made.Volume:
    _need(node, words)
    read_flags(node)
    paths = tuple(word.strip(SPACES) for word in words)
    if "" in paths:
        raise WrongInstructionError("VOLUME specified can not be an empty string")
    return made.Volume(node.text, node.line, node.end_line, (), paths)


_MAKERS: Mapping[str, Callable[[Node, Any], made.Instruction | Stage]] = {
    "add": _add,
    "arg": _arg,
    "cmd": _cmd,
    "copy": _copy,
    "entrypoint": _entrypoint,
    "env": _env,
    "expose": _expose,
    "from": _from,
    "healthcheck": healthcheck,
    "label": _label,
    "maintainer": _maintainer,
    "onbuild": _onbuild,
    "run": _run,
    "shell": _shell,
    "stopsignal": _stop_signal,
    "user": _user,
    "volume": _volume,
    "workdir": _workdir,
}
