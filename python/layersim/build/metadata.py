"""Instructions that change the config alone, applied to a draft; both builders agree on what they do."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from layersim.build.dockerfile import (
    Cmd,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Shell,
    StopSignal,
    User,
    Volume,
    check_signal,
    command_words,
    entrypoint_words,
    read_ports,
)
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from layersim.build.dockerfile import Dialect, Instruction
    from layersim.build.draft import Draft
    from layersim.image.document import Json


def change_config(draft: Draft, instruction: Instruction, dialect: Dialect) -> None:
    """Apply an instruction whose variables are replaced; one that does something else is left alone."""
    change = _CHANGES.get(type(instruction))
    if change is not None:
        change(draft, instruction, dialect)


def enter(draft: Draft, path: str, dialect: Dialect) -> str:
    """Make the directory that a ``WORKDIR`` names the one in force; return it.

    A path from the root stays as it was written, but with the newer legacy builder.

    Raises
    ------
    BuildError
        The legacy builder takes nothing for no directory.
    """
    if not path and dialect.builder == "legacy":
        raise BuildError("cannot normalize nothing")
    is_cleaned = dialect.builder == "legacy" and not dialect.is_old
    is_kept = path.startswith("/") and not is_cleaned
    draft.config["WorkingDir"] = found = path if is_kept else cleaned(path, draft.working_dir)
    return found


def cleaned(path: str, start: str = "/") -> str:
    """Return a path from the root, without dots and doubled slashes."""
    return posixpath.normpath(posixpath.join("/", start, path)).replace("//", "/")


def _env(draft: Draft, instruction: Env, _: Dialect) -> None:
    draft.set_env(instruction.pairs)


def _label(draft: Draft, instruction: Label, _: Dialect) -> None:
    draft.config["Labels"] = _object(draft, "Labels") | dict(instruction.pairs)


def _expose(draft: Draft, instruction: Expose, dialect: Dialect) -> None:
    ports: dict[str, Json] = {port: {} for port in read_ports(instruction.ports, dialect)}
    draft.config["ExposedPorts"] = _object(draft, "ExposedPorts") | ports


def _volume(draft: Draft, instruction: Volume, _: Dialect) -> None:
    if "" in instruction.paths:
        raise BuildError("VOLUME specified can not be an empty string")
    draft.config["Volumes"] = _object(draft, "Volumes") | {path: {} for path in instruction.paths}


def _user(draft: Draft, instruction: User, _: Dialect) -> None:
    draft.config["User"] = instruction.user


def _cmd(draft: Draft, instruction: Cmd, dialect: Dialect) -> None:
    draft.config["Cmd"] = list(command_words(instruction.command, dialect, draft.shell))
    # To the legacy builder a CMD without words is none that an ENTRYPOINT would leave alone.
    draft.has_command |= dialect.builder == "buildkit" or bool(instruction.command.words)
    if dialect.builder == "buildkit":
        draft.config["ArgsEscaped"] = True


def _entrypoint(draft: Draft, instruction: Entrypoint, dialect: Dialect) -> None:
    words: list[Json] = list(entrypoint_words(instruction.command, dialect, draft.shell))
    draft.config["Entrypoint"] = words if words or dialect.builder == "buildkit" else None
    if not draft.has_command:
        draft.config["Cmd"] = None


def _shell(draft: Draft, instruction: Shell, _: Dialect) -> None:
    draft.config["Shell"] = list(instruction.words)


def _stop_signal(draft: Draft, instruction: StopSignal, dialect: Dialect) -> None:
    check_signal(instruction.signal, dialect)
    draft.config["StopSignal"] = instruction.signal


def _onbuild(draft: Draft, instruction: Onbuild, _: Dialect) -> None:
    draft.config["OnBuild"] = [*draft.triggers, instruction.trigger]


def _maintainer(draft: Draft, instruction: Maintainer, _: Dialect) -> None:
    draft.author = instruction.author


def _healthcheck(draft: Draft, instruction: Healthcheck, dialect: Dialect) -> None:
    # The container that the legacy builder makes for the step takes from the image what is not given.
    inherited = _object(draft, "Healthcheck") if dialect.builder == "legacy" else {}
    numbers = {
        "Interval": instruction.interval_ns,
        "Timeout": instruction.timeout_ns,
        "StartPeriod": instruction.start_period_ns,
        "StartInterval": instruction.start_interval_ns,
        "Retries": instruction.retries,
    }
    check: dict[str, Json] = {"Test": list(instruction.test)}
    given = {name: number or inherited.get(name) for name, number in numbers.items()}
    draft.config["Healthcheck"] = check | {name: number for name, number in given.items() if number}


def _object(draft: Draft, name: str) -> dict[str, Json]:
    found = draft.config.get(name)
    return dict(found) if isinstance(found, dict) else {}


_CHANGES: dict[type, Callable[[Draft, Any, Dialect], None]] = {
    Env: _env,
    Label: _label,
    Expose: _expose,
    Volume: _volume,
    User: _user,
    Cmd: _cmd,
    Entrypoint: _entrypoint,
    Shell: _shell,
    StopSignal: _stop_signal,
    Onbuild: _onbuild,
    Maintainer: _maintainer,
    Healthcheck: _healthcheck,
}
