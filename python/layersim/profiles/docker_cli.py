"""The tables of Docker's command line, versions 20.10, 28 and 29, which differ in small things.

==========================================  ==============  ==================  ==================
..                                          20.10           28                  29
==========================================  ==============  ==================  ==================
digits of SIZE in `system df -v`            4               3                   3
columns a wide rune is taken to fill        1               2                   2
columns of a mark or a control character    1               0                   0
age of a step without a date in `history`   292 years ago   N/A                 N/A
age of a step before 2000 in `history`      as it is        N/A                 N/A
`images`                                    newest first    newest first        a line per tag, by name
untagged images without `-a`                shown           shown               hidden
==========================================  ==============  ==================  ==================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from layersim.errors import InvalidReferenceError
from layersim.image import instant, parse_name
from layersim.profiles.form import Form, Forms
from layersim.profiles.names_list import names_list
from layersim.units import ellipsis, human_size, printed_width, quoted, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layersim.history import HistoryRow
    from layersim.profiles.form import Style
    from layersim.usage import CacheRow, ContainerRow, ImageRow, ImageUsageRow, SummaryRow, VolumeRow

_LONGEST_CREATED_BY, _LONGEST_COMMAND, _LONGEST_CACHE_ID = 45, 20, 12
_NONE, _NOT_KNOWN = "<none>", "N/A"
_OLD = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Version:
    """What differs between versions of the command line.

    Attributes
    ----------
    usage_digits : int
        Significant digits of SIZE in `system df -v`.
    measure : callable
        Text to the columns that it is taken to fill.
    undates_old_steps : bool
        Whether `history` shows no age for steps before the year 2000.
    lists_names : bool
        Whether `images` is a list of names with what each takes, and leaves out images without one.
    """

    usage_digits: int
    measure: Callable[[str], int]
    undates_old_steps: bool
    lists_names: bool = False


def _is_dated(row: ImageRow | ImageUsageRow) -> bool:
    return row.created.year > 1


def _id(identifier: str, style: Style) -> str:
    return identifier if style.no_trunc else short_id(identifier)


def _split(tag: str) -> tuple[str, str]:
    repository, _, name = tag.rpartition(":")
    return repository, name


def _images(row: ImageRow, style: Style) -> list[Sequence[str]]:
    names = [_split(tag) for tag in row.tags] or [(_NONE, _NONE)]
    age = style.age(row.created) if _is_dated(row) else _NOT_KNOWN
    rest = _id(row.id, style), age, human_size(row.size, 3)
    return [(*name, *rest) for name in names]


def _history(row: HistoryRow, style: Style, version: Version) -> list[Sequence[str]]:
    created_by = row.created_by.replace("\t", " ")
    is_undated = version.undates_old_steps and row.created <= _OLD
    age = _NOT_KNOWN if is_undated else style.age(row.created)
    return [
        (
            _history_id(row, style),
            age if style.human else instant.format_local(row.created, style.zone),
            created_by if style.no_trunc else ellipsis(created_by, _LONGEST_CREATED_BY),
            human_size(row.size, 3) if style.human else str(row.size),
            row.comment,
        )
    ]


def _history_id(row: HistoryRow, style: Style) -> str:
    return "<missing>" if row.id is None else _id(row.id, style)


def _summary(row: SummaryRow, _style: Style) -> list[Sequence[str]]:
    reclaimable = human_size(row.reclaimable)
    if row.size and row.type != "Build Cache":
        reclaimable += f" ({row.reclaimable * 100 // row.size}%)"
    return [(row.type, str(row.total), str(row.active), human_size(row.size), reclaimable)]


def _image_usage(row: ImageUsageRow, style: Style, version: Version) -> list[Sequence[str]]:
    name = _split(row.tags[0]) if row.tags else (_NONE, _NONE)
    age = style.age(row.created) if _is_dated(row) else ""
    sizes = human_size(row.size, version.usage_digits), human_size(row.shared_size), human_size(row.unique_size)
    return [(*name, _id(row.id, style), age, *sizes, str(row.containers))]


def _container(row: ContainerRow, style: Style) -> list[Sequence[str]]:
    return [(*_container_head(row, style), style.age(row.created), _status(row, style), "", row.name)]


def _container_with_size(row: ContainerRow, style: Style) -> list[Sequence[str]]:
    size = human_size(row.size_rw, 3)
    virtual = f" (virtual {human_size(row.size_root_fs, 3)})" if row.size_root_fs else ""
    return [(*_container(row, style)[0], size + virtual)]


def _container_usage(row: ContainerRow, style: Style) -> list[Sequence[str]]:
    written = str(row.volumes), human_size(row.size_rw, 3)
    return [(*_container_head(row, style), *written, style.age(row.created), _status(row, style), row.name)]


def _container_head(row: ContainerRow, style: Style) -> tuple[str, str, str]:
    words = row.command[:1] + tuple(f"'{word}'" if " " in word else word for word in row.command[1:])
    command = " ".join(words)
    shown = command if style.no_trunc else ellipsis(command, _LONGEST_COMMAND)
    image = row.image if style.no_trunc else _familiar(row.image, row.image_id)
    return _id(row.id, style), image, quoted(shown)


def _familiar(name: str, image_id: str) -> str:
    """Return what a container's image is called, an id cut to twelve digits, a name without the parts by default."""
    if short_id(name) == short_id(image_id):
        return short_id(name)
    try:
        said = parse_name(name)
    except InvalidReferenceError:
        return name
    return f"{said.repository}:{said.tag}" if said.tag else said.repository


def _status(row: ContainerRow, style: Style) -> str:
    if row.state == "created":
        return "Created"
    since = style.duration(row.since)
    if row.state == "exited":
        return f"Exited ({row.exit_code}) {since} ago"
    note = " (Paused)" if row.state == "paused" else " (health: starting)" if row.has_healthcheck else ""
    return f"Up {since}{note}"


def _own_id(row: ImageRow | ImageUsageRow | ContainerRow, style: Style) -> list[str]:
    return [_id(row.id, style)]


def _headers(*names: str) -> Callable[[Style], Sequence[str]]:
    return lambda _: names


def _volume(row: VolumeRow, _style: Style) -> list[Sequence[str]]:
    return [(row.name, str(row.links), human_size(row.size) if row.size >= 0 else _NOT_KNOWN)]


def _cache(row: CacheRow, style: Style) -> list[Sequence[str]]:
    used = "" if row.last_used is None else style.age(row.last_used)
    mark = "*" if row.in_use else ""
    size, shared = human_size(row.size, 3), str(row.shared).lower()
    cache_id = row.id if style.no_trunc else row.id[:_LONGEST_CACHE_ID]
    return [(cache_id + mark, row.type, size, style.age(row.created), used, str(row.usage_count), shared)]


def _one_id_per_tag(row: ImageRow, style: Style) -> list[str]:
    return _own_id(row, style) * max(1, len(row.tags))


def _history_headers(style: Style) -> Sequence[str]:
    return "IMAGE", "CREATED" if style.human else "CREATED AT", "CREATED BY", "SIZE", "COMMENT"


def _history_ids(row: HistoryRow, style: Style) -> list[str]:
    return [_history_id(row, style)]


_IMAGES = "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"
_PS = "CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"
_DF_IMAGES = "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"
_DF_CONTAINERS = "CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"
_DF_BUILD_CACHE = "CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"


def forms(version: Version) -> Forms:
    """Return the tables of a version."""
    measure = version.measure
    summary_headers = _headers("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE")
    return Forms(
        images=Form(
            _headers(*_IMAGES), _images, _one_id_per_tag, measure, whole=names_list if version.lists_names else None
        ),
        history=Form(_history_headers, partial(_history, version=version), _history_ids, measure),
        containers=Form(_headers(*_PS), _container, _own_id, measure),
        containers_with_size=Form(_headers(*_PS, "SIZE"), _container_with_size, _own_id, measure),
        summary=Form(summary_headers, _summary, lambda row, _style: [row.type], measure),
        image_usage=Form(_headers(*_DF_IMAGES), partial(_image_usage, version=version), _own_id, measure),
        container_usage=Form(_headers(*_DF_CONTAINERS), _container_usage, _own_id, measure),
        volume_usage=Form(_headers("VOLUME NAME", "LINKS", "SIZE"), _volume, lambda row, _style: [row.name], measure),
        build_cache_usage=Form(_headers(*_DF_BUILD_CACHE), _cache, lambda row, _style: [row.id], measure),
        hides_dangling=version.lists_names,
    )


CLI_20 = forms(Version(usage_digits=4, measure=len, undates_old_steps=False))
CLI_28 = forms(Version(usage_digits=3, measure=printed_width, undates_old_steps=True))
CLI_29 = forms(Version(usage_digits=3, measure=printed_width, undates_old_steps=True, lists_names=True))
