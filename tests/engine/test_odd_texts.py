"""Texts that move a tab writer, and times of other zones: what each command line of docker prints for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.engine.archives import ImageSpec, docker_archive, stamp
from tests.engine.compare import assert_same_table, loaded, utc_now
from tests.engine.daemon import clients
from tests.tars import layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.daemon import Daemon

TEXTS = (
    "plain",
    "a\fb",
    "a\vb",
    "long text one\vlong text two",
    "x\fyy\fz",
    "ends\f",
    "ends\v",
    "\f",
    "\v",
    "a\v\nb",
    "tab\there",
    "a line\nand one more",
    "the last one",
)
# A few of each kind: controls, marks, format characters, wide runes, emoji of several runes, and plain ones.
RUNES = (
    *("\r", "\x1b", "\0", "\x7f", "\x85", "\u2028"),
    *("\u0301", "e\u0308\u0301", "\u20e3", "\u3099", "\u0915\u0903", "\u05d0\u05b0"),
    *("\u200b", "\u200d", "\u00ad", "\u202e", "\ufeff", "\u180e", "\ufff9", "\u2060", "\u2066", "\u061c"),
    *("世", "\uff21", "\uac00", "\u3000", "\u231a", "\U0001f600", "\U00020000"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f466", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "1\ufe0f\u20e3"),
    *("é", "\u00a0", "\u2014", "\uff71", "\ue000", "\u263a\ufe0f", "a\u200db"),
)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia")


@pytest.fixture(autouse=True, params=clients())
def command_line(request: pytest.FixtureRequest, daemon: Daemon) -> Iterator[None]:
    """Every docker command line of this machine in turn."""
    own, daemon.client = daemon.client, request.param
    yield
    daemon.client = own


def step(text: str, created: str | None) -> dict[str, object]:
    return {"created": created, "created_by": text, "comment": f"<{text}>", "empty_layer": True}


def test_tabs_and_form_feeds_in_texts(daemon: Daemon, tmp_path: Path) -> None:
    born = utc_now() - timedelta(days=9, hours=1)
    steps = tuple(step(text, stamp(born - timedelta(days=number))) for number, text in enumerate(TEXTS))
    archive = docker_archive([ImageSpec((layer_tar([]),), ("odd:1",), born, steps)])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_table(daemon, lambda: engine.history("odd:1"), "history", "odd:1")
    assert_same_table(daemon, lambda: engine.history("odd:1").text(no_trunc=True), "history", "--no-trunc", "odd:1")


def test_runes_that_fill_no_column_or_two(daemon: Daemon, tmp_path: Path) -> None:
    born = utc_now() - timedelta(days=9, hours=1)
    steps = tuple(step(f"{number}{rune * 3}.{rune}.", stamp(born)) for number, rune in enumerate(RUNES))
    archive = docker_archive([ImageSpec((layer_tar([]),), ("runes:1",), born, steps)])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    assert_same_table(daemon, lambda: engine.history("runes:1"), "history", "runes:1")


@pytest.mark.parametrize("zone", ZONES)
def test_times_of_a_zone(daemon: Daemon, tmp_path: Path, zone: str) -> None:
    moments = ("2023-07-01T12:00:00.5Z", "1993-01-01T12:00:00+03:00", "1850-01-01T12:00:00Z", "2011-12-30T09:59:59Z")
    steps = tuple(step(f"made {created}", created) for created in (*moments, None))
    archive = docker_archive([ImageSpec((layer_tar([]),), ("zone:1",), datetime.now(ZoneInfo("UTC")), steps)])
    daemon.docker("load", stdin=archive)
    engine = loaded(daemon, archive, tmp_path)
    elsewhere = tmp_path / "docker"
    elsewhere.write_text(f'#!/bin/sh\nTZ={zone} exec {daemon.client} "$@"\n')
    elsewhere.chmod(0o755)
    daemon.client = str(elsewhere)
    table = engine.history("zone:1").text(human=False, zone=ZoneInfo(zone))
    assert_same_table(daemon, lambda: table, "history", "--human=false", "zone:1")
