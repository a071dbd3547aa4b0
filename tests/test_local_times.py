"""Points in time where the process is: what both command lines of docker print for them with ``TZ`` set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

import layersim as ls
from layersim.image.instant import format_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1850, 1, 1, 12, tzinfo=UTC),
    datetime(1993, 1, 1, 9, tzinfo=UTC),
    datetime(2023, 7, 1, 12, 0, 0, 500_000, tzinfo=UTC),
]
# Printed by `docker history --human=false`, 20.10.24 and 28.2.2 alike, for an image with these four steps.
PRINTED = {
    "UTC": ["0001-01-01T00:00:00Z", "1850-01-01T12:00:00Z", "1993-01-01T09:00:00Z", "2023-07-01T12:00:00Z"],
    "Europe/Berlin": [
        "0001-01-01T00:53:28+00:53",
        "1850-01-01T12:53:28+00:53",
        "1993-01-01T10:00:00+01:00",
        "2023-07-01T14:00:00+02:00",
    ],
    "America/St_Johns": [
        "0000-12-31T20:29:08-03:30",
        "1850-01-01T08:29:08-03:30",
        "1993-01-01T05:30:00-03:30",
        "2023-07-01T09:30:00-02:30",
    ],
    "Asia/Kolkata": [
        "0001-01-01T05:53:28+05:53",
        "1850-01-01T17:53:28+05:53",
        "1993-01-01T14:30:00+05:30",
        "2023-07-01T17:30:00+05:30",
    ],
}


@pytest.fixture
def go_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Give a function that puts this process into a zone."""

    def go(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield go
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", PRINTED)
def test_the_zone_of_the_process_is_read_at_the_call(zone: str, go_to: Callable[[str], None]) -> None:
    go_to(zone)
    assert list(map(format_local, MOMENTS)) == PRINTED[zone]


@pytest.mark.parametrize("zone", PRINTED)
def test_a_zone_may_be_given(zone: str) -> None:
    assert [format_local(moment, ZoneInfo(zone)) for moment in MOMENTS] == PRINTED[zone]


def test_the_last_day_of_all_ends_later_in_the_west() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert format_local(last, timezone(timedelta(hours=1))) == "10000-01-01T00:59:59+01:00"
    assert format_local(last, timezone(timedelta(hours=-1))) == "9999-12-31T22:59:59-01:00"


@pytest.mark.parametrize("year", [1, 399, 400, 401, 4999, 5000, 9600, 9999])
def test_no_year_is_out_of_reach(year: int) -> None:
    moment = datetime(year, 3, 1, tzinfo=UTC)
    assert format_local(moment, UTC) == f"{year:04d}-03-01T00:00:00Z"
    earlier = "02-29" if year % 4 == 0 and (year % 100 or year % 400 == 0) else "02-28"
    assert format_local(moment, timezone(timedelta(hours=-1))) == f"{year:04d}-{earlier}T23:00:00-01:00"


def test_an_offset_of_seconds_is_not_utc() -> None:
    """Go writes ``Z`` for no offset alone, and leaves seconds out of an offset towards zero."""
    moment = datetime(1850, 1, 1, tzinfo=UTC)
    for seconds, written in {30: "00:00:30+00:00", -30: "23:59:30+00:00", -75: "23:58:45-00:01"}.items():
        assert format_local(moment, timezone(timedelta(seconds=seconds)))[11:] == written


def test_history_tells_local_times(go_to: Callable[[str], None]) -> None:
    engine = ls.Engine()
    step = ls.HistoryEntry(created="2023-07-01T12:00:00Z", created_by="x", empty_layer=True)
    engine.add_image([], "a:1", history=[step])
    table = engine.history("a:1")
    for zone in ("Asia/Kolkata", "Europe/Berlin"):
        go_to(zone)
        assert table.text(human=False).splitlines()[1].split()[1] == PRINTED[zone][-1]
    assert table.text(human=False, zone=UTC).splitlines()[1].split()[1] == PRINTED["UTC"][-1]
    assert table[0].created == datetime(2023, 7, 1, 12, tzinfo=UTC)
