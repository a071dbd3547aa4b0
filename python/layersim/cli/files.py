"""The files of images: `ls`, `cat` and `diff`."""

from __future__ import annotations

import base64
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from layersim._core import Layer, View
from layersim.cli.failure import InputError
from layersim.cli.host import Host
from layersim.errors import LayerSimError
from layersim.table import Rows
from layersim.units import short_id

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator

    from layersim._core import Stat
    from layersim.cli.output import Output

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of an image: what `ls` tells of it."""

    name: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: datetime
    target: str | None
    layer: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One difference between two trees, in the letters of ``docker diff``."""

    kind: str
    path: str


def ls(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """List a directory, or one file, of an image."""
    view = View(_host(arguments, clock).one(arguments.image).layers)
    try:
        entries = _entries(view, arguments.path)
    except OSError as error:
        raise InputError(f"{arguments.image}: {arguments.path}", error) from error
    if out.as_data:
        out.rows(Rows([_row(view, name, path, status) for name, path, status in entries], FileRow))
    elif arguments.long:
        out.lines(_long_lines(view, entries))
    else:
        out.lines(name for name, _, _ in entries)


def cat(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Write a file's bytes; as JSON they are base64, beside the layer they come from."""
    view = View(_host(arguments, clock).one(arguments.image).layers)
    try:
        content = view.read_bytes(arguments.path)
        status = view.stat(arguments.path)
    except OSError as error:
        raise InputError(f"{arguments.image}: {arguments.path}", error) from error
    if not out.as_json:
        out.raw(content)
        return
    layer, encoded = view.layers[status.layer].diff_id, base64.b64encode(content).decode("ascii")
    out.document({"path": arguments.path, "size": len(content), "layer": layer, "base64": encoded})


def diff(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Show how to get from one tree to another, in the letters of ``docker diff``."""
    host = _host(arguments, clock)
    view = _layer_view if arguments.layers else _image_view
    changes = view(host, arguments.before).changes(view(host, arguments.after))
    if out.as_data:
        out.rows(Rows([ChangeRow(change.kind, change.path) for change in changes], ChangeRow))
    else:
        out.lines(f"{change.kind} {change.path}" for change in changes)


def _host(arguments: Namespace, clock: Callable[[], int] | None) -> Host:
    return Host(arguments.profile, clock, arguments.archives)


def _image_view(host: Host, word: str) -> View:
    return View(host.one(word).layers)


def _layer_view(host: Host, word: str) -> View:
    held = {layer.diff_id: layer for image in host.images for layer in image.layers}
    prefix = word if word.startswith("sha256:") else f"sha256:{word}"
    found = [layer for diff_id, layer in held.items() if diff_id.startswith(prefix)]
    if len(found) > 1:
        raise InputError(word, f"{len(found)} layers have diff ids that begin so")
    try:
        return View(found or [Layer.from_tar(word)])
    except FileNotFoundError as error:
        raise InputError(word, "no such file, and no layer of that diff id was loaded") from error
    except (LayerSimError, OSError) as error:
        raise InputError(word, error) from error


def _entries(view: View, path: str) -> list[tuple[str, str, Stat]]:
    if not stat.S_ISDIR(view.stat(path).st_mode):
        return [(path, path, view.lstat(path))]
    paths = ((name, f"{path.rstrip('/')}/{name}") for name in sorted(view.listdir(path)))
    return [(name, inner, view.lstat(inner)) for name, inner in paths]


def _target(view: View, path: str, status: Stat) -> str | None:
    return view.readlink(path) if stat.S_ISLNK(status.st_mode) else None


def _row(view: View, name: str, path: str, status: Stat) -> FileRow:
    return FileRow(
        name=name,
        kind=_KINDS[stat.S_IFMT(status.st_mode)],
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        mtime=_moment(status),
        target=_target(view, path, status),
        layer=view.layers[status.layer].diff_id,
    )


def _long_lines(view: View, entries: Iterable[tuple[str, str, Stat]]) -> Iterator[str]:
    for name, path, status in entries:
        target = _target(view, path, status)
        owner = f"{status.st_uid}:{status.st_gid}"
        layer = short_id(view.layers[status.layer].diff_id)
        link = f" -> {target}" if target is not None else ""
        when = f"{_moment(status):%Y-%m-%d %H:%M}"
        yield f"{stat.filemode(status.st_mode)} {owner:>9} {status.st_size:>12} {when} {layer} {name}{link}"


def _moment(status: Stat) -> datetime:
    return datetime.fromtimestamp(status.st_mtime_ns // 10**9, tz=UTC)
