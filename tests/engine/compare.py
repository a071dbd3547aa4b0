"""One store, held by two engines: what must be equal, to the byte and to the character."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.testing import differences
from tests.engine.generations import profile_of
from tests.engine.merged import export, kernel_mount, unpacked, without_init
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.daemon import Daemon

# Tries to compare a table between two ticks of the ages in it.
MOMENTS = 10
# What each engine chooses for itself; an image's name in brackets is what both were given.
LONG_ID = re.compile(r"(?<![(a-z0-9])[0-9a-f]{64}\b")


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_engine(daemon: Daemon) -> ls.Engine:
    """Return a simulated engine with the numbers of this daemon and the tables of its client."""
    return ls.Engine(profile=profile_of(daemon), clock=utc_now)


def loaded(daemon: Daemon, archive: bytes, folder: Path) -> ls.Engine:
    """Return a simulated engine that loaded the archive from a file."""
    path = folder / "images.tar"
    path.write_bytes(archive)
    engine = new_engine(daemon)
    engine.load(path)
    return engine


def assert_same_images(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare ids, tags, chains of diff ids, sizes and creation times."""
    expected = {}
    for image_id in set(daemon.lines("images", "--all", "--quiet", "--no-trunc")):
        found = daemon.inspect(image_id)
        expected[image_id] = (sorted(found["RepoTags"]), found["RootFS"].get("Layers", []), found["Size"])
    actual = {
        image.id: (sorted(image.tags), list(engine.get_image(image.id).diff_ids), image.size)
        for image in engine.images(all=True)
    }
    assert actual == expected


def assert_same_usage(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare the integers behind `docker system df -v`."""
    usage = daemon.api("/system/df")
    df = engine.df(verbose=True)
    assert df.layers_size == usage["LayersSize"]
    expected = {
        row["Id"]: (row["Size"], row["SharedSize"], row["Size"] - row["SharedSize"], row["Containers"])
        for row in usage["Images"]
    }
    assert {row.id: (row.size, row.shared_size, row.unique_size, row.containers) for row in df.images} == expected
    rw = {row["Names"][0].lstrip("/"): row.get("SizeRw", 0) for row in usage["Containers"] or []}
    assert {row.name: row.size_rw for row in df.containers} == rw


def assert_same_text(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare the tables a person reads, character for character."""
    assert_same_table(daemon, engine.images, "images")
    assert_same_table(daemon, engine.df, "system", "df")
    if not daemon.lines("ps", "--all", "--quiet"):
        assert_same_table(daemon, lambda: engine.df(verbose=True), "system", "df", "--verbose")


def assert_same_history(daemon: Daemon, engine: ls.Engine, reference: str) -> None:
    assert_same_table(daemon, lambda: engine.history(reference), "history", reference)
    assert_same_table(daemon, lambda: engine.history(reference).text(no_trunc=True), "history", "--no-trunc", reference)
    assert_same_table(
        daemon, lambda: engine.history(reference).text(human=False, zone=UTC), "history", "--human=false", reference
    )
    rows = engine.history(reference)
    assert [row.size for row in rows] == [row["Size"] for row in daemon.api(f"/images/{reference}/history") or ()]


def assert_same_table(daemon: Daemon, ours: Callable[[], object], *arguments: str) -> None:
    """Compare a table with what docker prints, at a moment in which no age in it changes."""
    for _ in range(MOMENTS):
        before, expected, after = shown(ours()), printed(daemon, *arguments), shown(ours())
        if before == after:
            assert after == expected
            return
    pytest.fail(f"the ages in {' '.join(arguments)} never rested long enough to compare them")


def assert_same_refusal(daemon: Daemon, ours: Callable[[], object], *arguments: str) -> None:
    """Compare what an error says with what docker says, ids of containers aside."""
    done = daemon.run(*arguments)
    assert done.returncode != 0
    lines = done.stderr.decode().splitlines()
    expected = lines[0].removeprefix("Error response from daemon: ").removeprefix("Error: ")
    with pytest.raises((ls.LayerSimError, ValueError)) as caught:
        ours()
    assert LONG_ID.sub("<id>", str(caught.value)) == LONG_ID.sub("<id>", expected)


def printed(daemon: Daemon, *arguments: str) -> str:
    """Return a table as docker prints it."""
    return daemon.docker(*arguments).rstrip("\n")


def shown(table: object) -> str:
    """Return our text of a table; whether a newline ends it is the caller's taste."""
    return str(table).rstrip("\n")


def assert_same_merged_tree(daemon: Daemon, engine: ls.Engine, reference: str) -> None:
    """Compare every path of an image with the kernel's own overlay of the engine's folders."""
    view = ls.View(engine.get_image(reference).layers)
    with kernel_mount(daemon, reference) as merged:
        assert differences(snapshot(Disk(merged)), snapshot(view)) == []


def assert_same_export(daemon: Daemon, engine: ls.Engine, reference: str, folder: Path) -> None:
    """Compare `docker export` of a new container with `View.write_tar`, both unpacked by GNU tar."""
    ours = folder / "ours.tar"
    ls.View(engine.get_image(reference).layers).write_tar(ours)
    expected = snapshot(unpacked(export(daemon, reference), folder / "theirs"), with_xattrs=False)
    actual = snapshot(unpacked(ours.read_bytes(), folder / "ours"), with_xattrs=False)
    assert differences(without_init(expected), without_init(actual)) == []
