"""The tables: `history`, `images` and `df`, in Docker's own text or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.cli.host import Host

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Mapping

    from layersim.cli.output import Output

_HISTORY = ("id", "created", "created_by", "size", "comment", "empty_layer")
_IMAGES = ("id", "tags", "created", "size")
_USAGE = ("type", "total", "active", "size", "reclaimable")
_IMAGE_USAGE = (*_IMAGES, "shared_size", "unique_size", "containers")


def history(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Show how images were made; several tables are told apart by a line ``==> name <==``."""
    host = Host(arguments.profile, clock, arguments.archives)
    images = host.named(arguments.words)
    for number, image in enumerate(images):
        rows = host.engine.history(image.id)
        if out.as_json:
            out.records({"image": image.id, **record} for record in _records(rows, _HISTORY))
            continue
        if len(images) > 1:
            blank = "\n" if number else ""
            out.text(f"{blank}==> {image.tags[0] if image.tags else image.id} <==")
        out.text(rows.text(human=arguments.human, no_trunc=arguments.no_trunc, quiet=arguments.quiet))


def images(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """List images."""
    host = _host_of_archives(arguments, clock)
    rows = host.engine.images(all=arguments.all)
    if out.as_json:
        out.records(_records(rows, _IMAGES))
    else:
        out.text(rows.text(no_trunc=arguments.no_trunc, quiet=arguments.quiet))


def df(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Show what the disk holds; as JSON one document, with each image under ``-v``."""
    host = _host_of_archives(arguments, clock)
    usage = host.engine.df(verbose=arguments.verbose)
    if not out.as_json:
        out.text(str(usage))
        return
    document: dict[str, object] = {"layers_size": usage.layers_size, "summary": list(_records(usage, _USAGE))}
    if arguments.verbose:
        document["images"] = list(_records(usage.images, _IMAGE_USAGE))
    out.document(document)


def _host_of_archives(arguments: Namespace, clock: Callable[[], int] | None) -> Host:
    return Host(arguments.profile, clock, [*arguments.archives, *arguments.words])


def _records(rows: Iterable[object], names: tuple[str, ...]) -> Iterable[Mapping[str, object]]:
    return ({name: getattr(row, name) for name in names} for row in rows)
