"""What two engines must say alike after every step: the integers of the interface, and the tables that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.daemon import API

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import layersim as ls
    from tests.engine.daemon import Daemon, Json
    from tests.engine.twins import Twins

TABLES: dict[tuple[str, ...], Callable[[ls.Engine], object]] = {
    ("images", "--all"): lambda engine: engine.images(all=True),
    ("ps", "--all", "--size"): lambda engine: engine.containers(all=True, size=True),
    ("system", "df", "--verbose"): lambda engine: engine.df(verbose=True),
}
# Tries to compare tables between two ticks of the ages in them.
MOMENTS = 100


def assert_same_state(twins: Twins, *, with_summary: bool) -> None:
    """Compare all that both tell of themselves; the summary, which only a second `df` prints, if it is wanted."""
    _assert_same_images(twins.daemon, twins.engine)
    _assert_same_containers(twins.daemon, twins.engine)
    _assert_same_usage(twins)
    _assert_same_tables(twins, TABLES)
    if with_summary:  # not beside the others: the engine refuses to compute its disk usage twice at once
        _assert_same_tables(twins, {("system", "df"): lambda engine: engine.df()})


def _assert_same_images(daemon: Daemon, engine: ls.Engine) -> None:
    theirs = daemon.api(f"/{API}/images/json?all=1")
    expected = {row["Id"]: (row["ParentId"], _tags(row), row["Created"], row["Size"]) for row in theirs}
    rows = engine.images(all=True)
    ours = {
        row.id: (engine.get_image(row.id).parent or "", list(row.tags), int(row.created.timestamp()), row.size)
        for row in rows
    }
    assert ours == expected
    assert [row.created.timestamp() for row in rows] == [row["Created"] for row in theirs]


def _tags(row: dict[str, Json]) -> list[str]:
    return [tag for tag in row["RepoTags"] or [] if tag != "<none>:<none>"]


def _assert_same_containers(daemon: Daemon, engine: ls.Engine) -> None:
    theirs = daemon.api(f"/{API}/containers/json?all=1&size=1")
    expected = [
        (
            row["Names"][0].lstrip("/"),
            (row["ImageID"], row["State"], row["Created"], row.get("SizeRw", 0), row.get("SizeRootFs", 0)),
        )
        for row in theirs
    ]
    assert [
        (row.name, (row.image_id, row.state, int(row.created.timestamp()), row.size_rw, row.size_root_fs))
        for row in engine.containers(all=True)
    ] == expected


def _assert_same_usage(twins: Twins) -> None:
    usage = twins.daemon.api(f"/{API}/system/df")
    df = twins.engine.df(verbose=True)
    assert df.layers_size == usage["LayersSize"]
    assert (usage["BuildCache"] or []) == list(df.build_cache)
    volumes = {
        twins.volume_names[row["Name"]]: (row["UsageData"]["RefCount"], row["UsageData"]["Size"])
        for row in usage["Volumes"] or []
    }
    assert {row.name: (row.links, row.size) for row in df.volumes} == volumes
    expected = {
        row["Id"]: (_tags(row), row["Size"], row["SharedSize"], row["Size"] - row["SharedSize"], row["Containers"])
        for row in usage["Images"] or []
    }
    assert {
        row.id: (list(row.tags), row.size, row.shared_size, row.unique_size, row.containers) for row in df.images
    } == expected
    rw = [(row["Names"][0].lstrip("/"), row.get("SizeRw", 0)) for row in usage["Containers"] or []]
    assert [(row.name, row.size_rw) for row in df.containers] == rw


def _assert_same_tables(twins: Twins, tables: Mapping[tuple[str, ...], Callable[[ls.Engine], object]]) -> None:
    """Compare tables; a line is of the moment before they were printed or of the one after, which differ in ages."""
    for _ in range(MOMENTS):
        before = [_lines(str(ours(twins.engine))) for ours in tables.values()]
        theirs = [_lines(twins.translated(text)) for text in twins.daemon.run_together(*tables)]
        after = [_lines(str(ours(twins.engine))) for ours in tables.values()]
        if before == after:
            assert before == theirs
        if all(map(_is_between, before, theirs, after)):
            return
    pytest.fail("the ages in the tables never rested long enough to compare them")


def _lines(text: str) -> list[str]:
    """Return the lines, sorted in each part; images of one second come in any order, of which their times tell."""
    return [line for part in text.rstrip("\n").split("\n\n") for line in sorted(part.splitlines())]


def _is_between(before: list[str], lines: list[str], after: list[str]) -> bool:
    if not len(before) == len(lines) == len(after):
        return False
    return all(line in both for line, *both in zip(lines, before, after, strict=True))
