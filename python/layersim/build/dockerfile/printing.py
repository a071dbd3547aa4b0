"""Writing a Dockerfile down again, so that it reads as the same value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile.continuation import CONTINUED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layersim.build.dockerfile.instructions import Dockerfile


def printed(dockerfile: Dockerfile) -> str:
    """Return a file that reads as the same directives, stages and instructions; comments are not kept."""
    lines = [f"# {name}={value}" for name, value in dockerfile.directives.items()]
    lines += map(str, dockerfile.globals)
    for stage in dockerfile.stages:
        lines += [stage.text, *map(str, stage.instructions)]
    return _joined(lines, dockerfile.escape, is_old=dockerfile.dialect.is_old)


def _joined(lines: Iterable[str], escape: str, *, is_old: bool) -> str:
    """Join lines. What would read as continued was cut off by the end of the file, and is so again."""
    ended = [line + "\r" if is_old and line.endswith("\r") else line for line in lines]
    last = ended[-1]
    is_cut = CONTINUED[escape].search(last) or (last.endswith("\r") and not is_old)
    return "\n".join(ended) + (escape if is_cut else "\n")
