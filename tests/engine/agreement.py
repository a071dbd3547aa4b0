"""What two engines must say alike after every step: the integers of the interface, and the tables that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.daemon import API

if TYPE_CHECKING:
    from collections.abc import Callable

    import layersim as ls
    from tests.engine.daemon import Daemon, Json
    from tests.engine.twins import Twins

# Tries to compare tables between two ticks of the ages in them.
MOMENTS = 100


def assert_same_state(twins: Twins) -> None:
    """Compare all that both tell of themselves."""
    _assert_same_images(twins.daemon, twins.engine)
    _assert_same_containers(twins.daemon, twins.engine)
    _assert_same_usage(twins.daemon, twins.engine)
    # Two at a time: the engine refuses to compute its disk usage twice at once.
    _assert_same_tables(
        twins,
        {
            ("images", "--all"): lambda engine: engine.images(all=True),
            ("system", "df"): lambda engine: engine.df(),
        },
    )
    _assert_same_tables(
        twins,
        {
            ("ps", "--all", "--size"): lambda engine: engine.containers(all=True, size=True),
            ("system", "df", "--verbose"): lambda engine: engine.df(verbose=True),
        },
    )


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


def _assert_same_usage(daemon: Daemon, engine: ls.Engine) -> None:
    usage = daemon.api(f"/{API}/system/df")
    df = engine.df(verbose=True)
    assert df.layers_size == usage["LayersSize"]
    assert (usage["BuildCache"] or [], usage["Volumes"] or []) == ([], [])
    expected = {
        row["Id"]: (_tags(row), row["Size"], row["SharedSize"], row["Size"] - row["SharedSize"], row["Containers"])
        for row in usage["Images"] or []
    }
    assert {
        row.id: (list(row.tags), row.size, row.shared_size, row.unique_size, row.containers) for row in df.images
    } == expected
    rw = [(row["Names"][0].lstrip("/"), row.get("SizeRw", 0)) for row in usage["Containers"] or []]
    assert [(row.name, row.size_rw) for row in df.containers] == rw


def _assert_same_tables(twins: Twins, tables: dict[tuple[str, ...], Callable[[ls.Engine], object]]) -> None:
    """Compare tables at a moment in which no age in them changes."""
    for _ in range(MOMENTS):
        before = [str(ours(twins.engine)) for ours in tables.values()]
        theirs = twins.daemon.run_together(*tables)
        if before == [str(ours(twins.engine)) for ours in tables.values()]:
            assert [_unordered(text) for text in before] == [_unordered(twins.translated(text)) for text in theirs]
            return
    pytest.fail("the ages in the tables never rested long enough to compare them")


def _unordered(text: str) -> list[list[str]]:
    """Return the lines of each part; images of one second come in any order, which is compared by their times."""
    return [sorted(part.splitlines()) for part in text.rstrip("\n").split("\n\n")]
