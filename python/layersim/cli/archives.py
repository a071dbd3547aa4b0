"""Archives as a whole: `convert` and `check`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layersim.cli.failure import InputError, reason_of
from layersim.cli.host import Host, progress_bar
from layersim.engine import Engine
from layersim.errors import LayerSimError, StoreLockedError
from layersim.layout import Breach, check_archive, layout_for
from layersim.state import is_state
from layersim.table import Rows
from layersim.units import human_size

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from layersim.cli.output import Output
    from layersim.image import Image


@dataclass(frozen=True, slots=True)
class BreachRow:
    """One thing that is wrong with one of several archives."""

    archive: str
    where: str
    what: str


def convert(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Write the images of one archive into another, in another layout."""
    host = Host(arguments.profile, clock)
    images = host.load(arguments.archive, arguments.platform)
    layout = layout_for(arguments.target, arguments.layout, host.engine.profile.save_layout)
    refs = arguments.refs or _refs(images)
    if not refs:
        raise InputError(arguments.archive, "holds no image")
    try:
        with progress_bar(f"writing {arguments.target}") as progress:
            written = host.engine.save(
                refs,
                arguments.target,
                layout=layout,
                compression=arguments.compression,
                level=arguments.level,
                progress=progress,
            )
    except (LayerSimError, OSError, ValueError) as error:
        raise InputError(arguments.target, error) from error
    if out.as_json:
        out.document({"target": arguments.target, "layout": layout, "bytes": written, "refs": refs})
    else:
        out.text(f"{arguments.target}: {layout}, {human_size(written)}: {', '.join(refs)}")


def check(arguments: Namespace, out: Output, _: Callable[[], int] | None) -> int:
    """Tell everything that is wrong with archives and saved engines; 1 when there is anything.

    As JSON it is a document for each archive; as other data a row for each breach, none for an archive in order.
    """
    rows: list[BreachRow] = []
    for archive in arguments.checked:
        breaches = _breaches(archive)
        rows += [BreachRow(archive, breach.where, breach.what) for breach in breaches]
        if out.as_json:
            out.document(_document(archive, breaches))
        elif not out.as_data:
            out.lines([f"{archive}: {_line(breach)}" for breach in breaches] or [f"{archive}: ok"])
    if out.as_data and not out.as_json:
        out.rows(Rows(rows, BreachRow))
    return int(bool(rows))


def _document(archive: str, breaches: Sequence[Breach]) -> dict[str, object]:
    records = [{"where": breach.where, "what": breach.what} for breach in breaches]
    return {"archive": archive, "ok": not breaches, "breaches": records}


def _refs(images: Sequence[Image]) -> list[str]:
    """Return what names all images of an archive, with all their tags."""
    return [ref for image in images for ref in image.tags or (image.id,)]


def _breaches(archive: str) -> list[Breach]:
    try:
        return Engine.check_state(archive) if is_state(Path(archive)) else check_archive(archive)
    except (OSError, StoreLockedError) as error:
        return [Breach("", reason_of(error))]


def _line(breach: Breach) -> str:
    """Return a breach in one line, whatever the names in it."""
    return str(breach).replace("\n", "\\n")
