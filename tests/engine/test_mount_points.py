"""Where volumes and working directories end up: through links, over files, below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import InvalidPathError
from tests.engine.archives import ImageSpec, docker_archive
from tests.engine.rootfs import busybox_tar
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

TREE = layer_tar(
    [
        directory("srv"),
        directory("srv/data"),
        Entry("srv/data/seed", content=b"s"),
        symlink("link", "/srv/data"),
        symlink("dangling", "/srv/missing/deep"),
        symlink("to-file", "/file"),
        symlink("loop", "loop"),
        Entry("file", content=b"x"),
        directory("x"),
        Entry("x/f", content=b"1"),
    ]
)
TREES = ("/srv", "/vol", "/rel")
COMMAND = ["/bin/sh", "-c", f"find {' '.join(TREES)} 2>/dev/null | sort"]
LONG = "/" + "n" * 256

FITTING: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a link": ({"Volumes": {"/link": {}}}, {}),
    "a dangling link": ({"Volumes": {"/dangling": {}}}, {}),
    "a relative path": ({"Volumes": {"rel/x": {}}}, {}),
    "one place twice": ({"Volumes": {"/link": {}, "/srv/data": {}}}, {}),
    "one below the other": ({"Volumes": {"/srv": {}, "/srv/data": {}}}, {}),
    "a named one at a link": ({}, {"/link": "named"}),
    "a named one at a dangling link": ({}, {"/dangling": "named"}),
    "work behind a link": ({"WorkingDir": "/link/w"}, {}),
    "work behind a dangling link": ({"WorkingDir": "/dangling/w"}, {}),
    "work in a volume": ({"WorkingDir": "/vol/w", "Volumes": {"/vol": {}}}, {}),
}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a file": ({"Volumes": {"/file": {}}}, {}),
    "a link to a file": ({"Volumes": {"/to-file": {}}}, {}),
    "below a file": ({"Volumes": {"/file/sub": {}}}, {}),
    "a long name": ({"Volumes": {LONG: {}}}, {}),
    "a NUL": ({"Volumes": {"/a\0b": {}}}, {}),
    "a loop": ({"Volumes": {"/loop": {}}}, {}),
    "a named one over a file": ({}, {"/file": "named"}),
    "a named one below a file": ({}, {"/file/sub": "named"}),
    "a named one of a long name": ({}, {LONG: "named"}),
    "work in a file": ({"WorkingDir": "/file"}, {}),
    "work below a file": ({"WorkingDir": "/x/f/y"}, {}),
    "work in a NUL": ({"WorkingDir": "/a\0b"}, {}),
    "work in a long name": ({"WorkingDir": LONG}, {}),
    "work in a loop": ({"WorkingDir": "/loop/x"}, {}),
}


def _loaded(daemon: Daemon, folder: Path, config: dict[str, Any]) -> ls.Engine:
    archive = docker_archive([ImageSpec((busybox_tar(), TREE), ("m:1",), config={"Cmd": COMMAND, **config})])
    daemon.docker("load", stdin=archive)
    path = folder / "m.tar"
    path.write_bytes(archive)
    engine = ls.Engine()
    engine.load(path)
    return engine


def _created(daemon: Daemon, volumes: dict[str, str]) -> bool:
    binds = [option for path, name in volumes.items() for option in ("-v", f"{name}:{path}")]
    return daemon.run("create", "--network=none", "--name=mounts", *binds, "m:1").returncode == 0


def _changed(container: ls.Container) -> list[str]:
    return sorted(f"{change.kind} {change.path}" for change in container.changes())


def _found(fs: ls.Overlay) -> list[str]:
    tops = [top for top in TREES if fs.exists(top)]
    steps = [step for top in tops for step in fs.walk(top)]
    return sorted([*tops, *(f"{place}/{name}" for place, dirs, files in steps for name in (*dirs, *files))])


@pytest.mark.parametrize("case", FITTING)
def test_it_is_where_the_engine_mounts_it(case: str, daemon: Daemon, tmp_path: Path) -> None:
    config, volumes = FITTING[case]
    engine = _loaded(daemon, tmp_path, config)
    assert _created(daemon, volumes)
    container = engine.create("m:1", volumes=volumes)
    assert _changed(container) == sorted(daemon.lines("diff", "mounts"))
    theirs = daemon.lines("start", "--attach", "mounts")
    assert _found(container.start().fs) == theirs
    assert _changed(container) == sorted(daemon.lines("diff", "mounts"))


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_engine_refuses_is_an_error_that_names_the_path(case: str, daemon: Daemon, tmp_path: Path) -> None:
    config, volumes = REFUSED[case]
    engine = _loaded(daemon, tmp_path, config)
    assert not _created(daemon, volumes)
    if "WorkingDir" in config:  # an engine says so at once; here no container has a file system before it is needed
        container = engine.create("m:1", volumes=volumes)
        with pytest.raises((OSError, InvalidPathError), match=r"file|/a|nnn|loop|/x/f"):
            container.start()
        assert container.state == "created"
        assert container.fs.read_bytes("/file") == b"x"
    else:
        with pytest.raises((OSError, InvalidPathError), match=r"file|/a|nnn|loop|/x/f"):
            engine.create("m:1", volumes=volumes)
        assert len(engine.containers(all=True)) == len(engine.df().volumes) == 0
