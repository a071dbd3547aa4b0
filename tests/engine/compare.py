"""One store, held by two engines: what must be equal, to the byte and to the character."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import layersim as ls
from tests.oracles import require_program
from tests.trees import Disk, differences, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.daemon import Daemon

INIT_LAYER = ("/.dockerenv", "/dev", "/etc", "/proc", "/sys")
"""What the engine itself puts below every container's writable layer (accounting.md section 5)."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_engine() -> ls.Engine:
    return ls.Engine(profile="docker20", clock=utc_now)


def loaded(archive: bytes, folder: Path) -> ls.Engine:
    """Return a simulated engine that loaded the archive from a file."""
    path = folder / "images.tar"
    path.write_bytes(archive)
    engine = new_engine()
    engine.load(path)
    return engine


def assert_same_images(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare ids, tags, chains of diff ids, sizes and creation times."""
    expected = {}
    for image_id in set(daemon.lines("images", "--all", "--quiet", "--no-trunc")):
        found = daemon.inspect(image_id)
        expected[image_id] = (sorted(found["RepoTags"]), found["RootFS"].get("Layers", []), found["Size"])
    actual = {image.id: (sorted(image.tags), list(_image(engine, image.id).diff_ids), image.size) for image in engine.images(all=True)}
    assert actual == expected


def _image(engine: ls.Engine, reference: str) -> ls.Image:
    return engine.image(reference)


def assert_same_usage(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare the integers behind `docker system df -v`."""
    usage = daemon.api("/v1.41/system/df")
    df = engine.df(verbose=True)
    assert df.layers_size == usage["LayersSize"]
    expected = {row["Id"]: (row["Size"], row["SharedSize"], row["Size"] - row["SharedSize"], row["Containers"]) for row in usage["Images"]}
    assert {row.id: (row.size, row.shared_size, row.unique_size, row.containers) for row in df.images} == expected
    rw = {row["Names"][0].lstrip("/"): row.get("SizeRw", 0) for row in usage["Containers"] or []}
    assert {row.name: row.size for row in df.containers} == rw


def assert_same_text(daemon: Daemon, engine: ls.Engine) -> None:
    """Compare the tables a person reads, character for character."""
    assert str(engine.images()) == printed(daemon, "images")
    assert str(engine.df()) == printed(daemon, "system", "df")
    if not daemon.lines("ps", "--all", "--quiet"):
        assert str(engine.df(verbose=True)) == printed(daemon, "system", "df", "--verbose")


def assert_same_history(daemon: Daemon, engine: ls.Engine, reference: str) -> None:
    rows = engine.history(reference)
    assert str(rows) == printed(daemon, "history", reference)
    assert rows.text(no_trunc=True) == printed(daemon, "history", "--no-trunc", reference)
    assert rows.text(human=False) == printed(daemon, "history", "--human=false", reference)
    assert [row.size for row in rows] == [row["Size"] for row in daemon.api(f"/v1.41/images/{reference}/history")]


def printed(daemon: Daemon, *arguments: str) -> str:
    """Return a table as docker prints it, without the newline that ends it."""
    return daemon.docker(*arguments).removesuffix("\n")


@contextmanager
def kernel_mount(daemon: Daemon, reference: str) -> Iterator[Path]:
    """Mount the engine's own layer folders of an image, read-only, as the kernel merges them."""
    driver: dict[str, Any] = daemon.inspect(reference)["GraphDriver"]["Data"]
    folders = [driver["UpperDir"], *filter(None, driver.get("LowerDir", "").split(":"))]
    mount, umount = require_program("mount", "mount"), require_program("umount", "mount")
    with tempfile.TemporaryDirectory(prefix="layersim-merged-") as scratch:
        merged, nothing = Path(scratch, "merged"), Path(scratch, "nothing")
        merged.mkdir()
        nothing.mkdir()
        options = "ro,lowerdir=" + ":".join([*folders, str(nothing)])
        subprocess.run([mount, "-t", "overlay", "overlay", "-o", options, str(merged)], check=True, capture_output=True)
        try:
            yield merged
        finally:
            subprocess.run([umount, str(merged)], check=True)


def assert_same_merged_tree(daemon: Daemon, engine: ls.Engine, reference: str) -> None:
    """Compare every path of an image with the kernel's own overlay of the engine's folders."""
    view = ls.View(engine.image(reference).layers)
    with kernel_mount(daemon, reference) as merged:
        assert differences(snapshot(Disk(merged)), snapshot(view)) == []


def unpacked(tar: bytes, folder: Path) -> Disk:
    """Unpack an exported root with GNU tar."""
    folder.mkdir()
    options = ["--extract", "--same-permissions", "--same-owner", "--numeric-owner", "--file", "-"]
    subprocess.run([require_program("tar", "tar"), *options, "--directory", str(folder)], input=tar, check=True)
    return Disk(folder)


def assert_same_export(daemon: Daemon, engine: ls.Engine, reference: str, folder: Path) -> None:
    """Compare `docker export` of a new container with `View.write_tar`, both unpacked by GNU tar."""
    container = daemon.docker("create", reference, "x").strip()
    theirs = daemon.run("export", container).stdout
    daemon.docker("rm", container)
    ours = folder / "ours.tar"
    ls.View(engine.image(reference).layers).write_tar(ours)
    expected = snapshot(unpacked(theirs, folder / "theirs"), with_xattrs=False)
    actual = snapshot(unpacked(ours.read_bytes(), folder / "ours"), with_xattrs=False)
    assert differences(_without_init(expected), _without_init(actual)) == []


def _without_init(nodes: dict[str, Any]) -> dict[str, Any]:
    return {path: node for path, node in nodes.items() if "/" + path.split("/")[1] not in INIT_LAYER}
