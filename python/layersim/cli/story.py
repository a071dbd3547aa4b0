"""The command `demo`: the story on a terminal, as plain text, or as JSON lines."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from layersim.cli.failure import InputError
from layersim.cli.host import Host
from layersim.demo import tell, tell_of, write_archives
from layersim.units import harmless

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from layersim.cli.output import Output
    from layersim.demo import Passage

_WIDTH = 100
_STYLES = {"heading": "bold cyan", "prose": "", "command": "bold green", "output": ""}


def demo(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Tell the story, piece by piece as it is computed; as JSON lines each piece is an object."""
    host = Host(arguments.profile, clock, [*arguments.archives, *arguments.words])
    console = Console(file=None, highlight=False, soft_wrap=True) if out.is_terminal else None
    for passage in _passages(arguments, host):
        if out.as_json:
            out.document({"kind": passage.kind, "text": passage.text})
        elif console is not None:
            console.print(Text(harmless(_laid_out(passage), kept="\n"), style=_STYLES[passage.kind]))
        else:
            out.text(_laid_out(passage))


def _passages(arguments: Namespace, host: Host) -> Iterator[Passage]:
    archives = [*arguments.archives, *arguments.words]
    if archives:
        if not host.images:
            raise InputError(archives[0], "holds no image")
        yield from tell_of(host.engine, archives, host.images, arguments.picture)
        return
    with _example_directory(arguments.save) as directory:
        write_archives(directory, host.engine.now())
        yield from tell(host.engine, directory, arguments.picture)


@contextmanager
def _example_directory(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with TemporaryDirectory(prefix="layersim-demo-") as directory:
        yield Path(directory)


def _laid_out(passage: Passage) -> str:
    match passage.kind:
        case "heading":
            return f"\n{passage.text}\n{'-' * len(passage.text)}"
        case "prose":
            return f"\n{textwrap.fill(passage.text, _WIDTH, break_on_hyphens=False)}"
        case "command":
            return f"\n$ {passage.text}"
        case "output":
            return passage.text
