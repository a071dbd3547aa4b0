"""What history says of each instruction (spec/build.md section 2)."""

from __future__ import annotations

from layersim.build.dockerfile import (
    Add,
    Arg,
    Cmd,
    Copy,
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
)
from layersim.build.dockerfile.golang import go_list, go_quotes
from layersim.build.metadata import ports, words_of


def _common(one, draft):
    match one:
        case Label() | Env():
            return type(one).__name__.upper() + " " + " ".join(f"{k}={v}" for k, v in one.pairs)
        case Maintainer():
            return f"MAINTAINER {one.author}"
        case Volume():
            return f"VOLUME {go_list(one.paths)}"
        case User():
            return f"USER {one.user}"
        case Cmd() | Entrypoint():
            return f"{type(one).__name__.upper()} {go_quotes(words_of(one.command, draft))}"
        case StopSignal():
            return f"STOPSIGNAL {one.signal}"
        case Shell():
            return f"SHELL {go_list(one.words)}"
        case Onbuild():
            return f"ONBUILD {one.trigger}"
        case Healthcheck():
            return f"HEALTHCHECK {one.test}"
    raise TypeError(one)


def legacy_text(one, draft, dialect):
    if isinstance(one, Expose):
        return "EXPOSE " + " ".join(one.ports)
    if isinstance(one, Arg):
        return "ARG " + " ".join(k if v is None else f"{k}={v}" for k, v in one.pairs)
    return _common(one, draft)


def buildkit_text(one, draft, scope):
    old = scope.dialect.is_old
    if isinstance(one, Expose):
        p = ports(one)
        return "EXPOSE map[" + " ".join(f"{x}:{{}}" for x in sorted(p)) + "]" if old else f"EXPOSE {go_list(p)}"
    if isinstance(one, Arg):
        words = []
        for name, default in one.pairs:
            value = scope.given.get(name, default) if old else scope.variables.get(name)
            words.append(name if value is None else f"{name}={value}")
        return "ARG " + " ".join(words)
    if isinstance(one, Copy | Add):
        flags = []
        if not old:
            if one.chown:
                flags.append(f"--chown={one.chown}")
            if one.chmod:
                flags.append(f"--chmod={one.chmod}")
        return " ".join(
            [
                type(one).__name__.upper(),
                *flags,
                *one.sources,
                *(f"<<{d.name}" for d in one.contents),
                one.dest,
                "# buildkit",
            ]
        )
    return _common(one, draft)


def buildkit_run_text(one, command, scope):
    args = scope.run_args
    told = [] if args is None else [f"|{len(args)}", *(f"{k}={v}" for k, v in args)]
    return " ".join(["RUN", *told, *command, "# buildkit"])


def legacy_copy_text(one, total, dialect) -> str:
    chown = f"--chown={one.chown}" + ("" if dialect.is_old else " ") if one.chown else ""
    return f"{type(one).__name__.upper()} {chown}{total} in {one.dest} "
