"""Configs as only Go's decoder reads them: the engine takes or refuses each as we do, and tells the same history."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from layersim.errors import ValidationError
from tests.engine.compare import new_engine
from tests.tars import layer_tar, sha256

if TYPE_CHECKING:
    from tests.engine.daemon import Daemon

LAYER = layer_tar([])
ROOT = f'"rootfs":{{"type":"layers","diff_ids":["{sha256(LAYER)}"]}}'
MANIFEST = b'[{"CONFIG":"c.json","repotags":["t:1"],"Layers":["l.tar"],"Parent":null}]'
TIMES = (
    *("0000-01-01T00:00:00Z", "2020-01-01T0:00:00Z", "2020-01-01T5:00:00Z", "2020-01-01T05:0:00Z", "", "x"),
    *("2020-1-01T05:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T23:59:60Z", "2020-02-30T00:00:00Z"),
    *("2020-01-01 00:00:00Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00z", "2020-01-01T00:00:00+23:59"),
    *("2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00+24:60", "2020-01-01T00:00:00+24:61", "2020-01-01T00:00:00.Z"),
    *("2020-01-01T00:00:00+25:00", "2020-01-01T00:00:00+2300", "2020-01-01T00:00:00,5Z", "10000-01-01T00:00:00Z"),
    *("2020-01-01T00:00:00.1234567891Z", "0001-01-01T00:00:00Z", "2020-01-01T00:00:00Z "),
)
PARTS = (
    *(f'"created":"{time}"' for time in TIMES),
    *('"created":1', '"created":null', '"os":1', '"os":null', '"OS":"windows"', '"os":"windows","OS":"linux"'),
    *('"o\u017f":"windows"', '"config":null', '"config":1', '"CONFIG":{"CMD":["a"]}', '"config":{"Cmd":"a b"}'),
    *('"config":{"Cmd":["a",null]}', '"config":{"Cmd":1}', '"config":{"Cmd":[1]}', '"config":{"Env":[null,"A=1"]}'),
    *('"config":{"Env":"A=1"}', '"config":{"Labels":{"a":null}}', '"config":{"Labels":{"a":1}}'),
    *('"config":{"Labels":{"A":"1","a":"2"}}', '"config":{"Volumes":{"/v":null}}', '"config":{"Volumes":{"/v":{}}}'),
    *('"config":{"Volumes":{"/v":1}}', '"config":{"Volumes":{"/v":{"x":1}}}', '"config":{"Volumes":["/v"]}'),
    *('"config":{"Volumes":{"/v":"x"}}', '"config":{"ExposedPorts":{"80/tcp":1}}', '"config":{"Healthcheck":null}'),
    *('"config":{"ExposedPorts":{"80/tcp":null}}', '"config":{"Healthcheck":{"Test":[null]}}', '"history":null'),
    *('"history":[null]', '"history":[1]', '"history":{}', '"history":[{"empty_layer":"true"}]'),
    *('"history":[{"CREATED_BY":"x","Empty_Layer":true}]', '"history":[{"created_by":null,"empty_layer":null}]'),
    *('"history":[{"created":"2020-01-01T5:00:00Z"}]', '"history":[{"created":"x"}]', '"x":NaN', '"x":01', '"x":1e999'),
    *('"author":"\\ud800x"', '"author":"a\tb"', '"x":1,', "/* */", f'"x":{"[" * 9000}1{"]" * 9000}'),
    f'"x":{"[" * 10_001}1{"]" * 10_001}',
)


def archive(config: str) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as tar:
        for name, data in (("c.json", config.encode()), ("l.tar", LAYER), ("manifest.json", MANIFEST)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return body.getvalue()


def told(daemon: Daemon, config: str) -> tuple[str | None, str | None]:
    """Return the history that each engine tells of an image, if it takes it."""
    content, theirs, ours = archive(config), None, None
    daemon.empty()
    if daemon.run("load", stdin=content).returncode == 0:
        theirs = daemon.docker("history", "--no-trunc", "--human=false", "t:1")
    engine = new_engine(daemon)
    try:
        engine.load(content)
        ours = engine.history("t:1").text(no_trunc=True, human=False) + "\n"
    except ValidationError:
        assert not engine.images()
    return theirs, ours


@pytest.mark.parametrize(
    "ends", [f",{ROOT}}}", f",{ROOT}}} x", f",{ROOT}}}\n\t ", ',"rootfs":null}', f",{ROOT},}}", ""]
)
def test_the_ends_of_a_document(ends: str, daemon: Daemon) -> None:
    theirs, ours = told(daemon, '{"os":"linux"' + ends)
    assert ours == theirs


def test_parts_of_a_document(quick_daemon: Daemon) -> None:
    different = []
    for part in PARTS:
        theirs, ours = told(quick_daemon, f"{{{part},{ROOT}}}")
        if ours != theirs:
            different.append((part[:80], theirs, ours))
    assert different == []
