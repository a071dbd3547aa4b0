"""The tables: `history`, `images`, `ps` and `df`, in Docker's own text or as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layersim.cli.formats import records_of
from layersim.cli.host import Host
from layersim.table import Rows

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from layersim.cli.output import Output
    from layersim.engine import Engine
    from layersim.image import Image
    from layersim.table import Table


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one of several images: the image's id, and what `HistoryRow` tells of the step."""

    image: str
    id: str | None
    created: datetime
    created_by: str
    size: int
    comment: str
    empty_layer: bool


def history(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Show how images were made; several tables are told apart by a line ``==> name <==``."""
    host = Host(arguments.profile, clock, arguments.archives)
    images = host.named(arguments.words)
    if out.as_data:
        out.rows(_steps(host.engine, images))
        return
    for number, image in enumerate(images):
        if len(images) > 1:
            blank = "\n" if number else ""
            out.text(f"{blank}==> {image.tags[0] if image.tags else image.id} <==")
        rows = host.engine.history(image.id)
        out.text(rows.text(human=arguments.human, no_trunc=arguments.no_trunc, quiet=arguments.quiet))


def images(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """List images."""
    host = _host_of_archives(arguments, clock)
    _show(host.engine.images(all=arguments.all), arguments, out)


def ps(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """List containers."""
    host = _host_of_archives(arguments, clock)
    _show(host.engine.containers(all=arguments.all, size=arguments.size), arguments, out)


def df(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Show what the disk holds.

    As JSON it is one document, with each image under ``-v``; as other data the summary, or each image under ``-v``.
    """
    host = _host_of_archives(arguments, clock)
    usage = host.engine.df(verbose=arguments.verbose)
    if out.as_json:
        document: dict[str, object] = {"layers_size": usage.layers_size, "summary": list(records_of(usage.summary))}
        if arguments.verbose:
            document["images"] = list(records_of(usage.images))
        out.document(document)
    elif out.as_data:
        out.rows(usage.images if arguments.verbose else usage.summary)
    else:
        out.text(str(usage))


def _show(table: Table[Any], arguments: Namespace, out: Output) -> None:
    if out.as_data:
        out.rows(table)
    else:
        out.text(table.text(no_trunc=arguments.no_trunc, quiet=arguments.quiet))


def _host_of_archives(arguments: Namespace, clock: Callable[[], int] | None) -> Host:
    return Host(arguments.profile, clock, [*arguments.archives, *arguments.words])


def _steps(engine: Engine, images: Iterable[Image]) -> Rows[Step]:
    tables = ((image.id, engine.history(image.id)) for image in images)
    steps = [Step(image_id, **record) for image_id, table in tables for record in records_of(table)]
    return Rows(steps, Step)
