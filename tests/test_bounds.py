"""Times that no config could tell, and more bytes than Docker's int64 counts: refused where they come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

import layersim as ls
from layersim.profiles import PROFILE_NAMES
from tests.tars import layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGEST = 2**63 - 1
FIRST_NS, LAST_NS = -62_135_596_800 * 10**9, 253_402_300_800 * 10**9 - 1
EARLY, LATE = timezone(timedelta(hours=3)), timezone(-timedelta(hours=3))
LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def layer(number: int, size: int) -> ls.Layer:
    return ls.Layer.synthetic(diff_id=f"sha256:{number:064x}", size=size)


def engine_at(moment: object, profile: str = "docker20") -> ls.Engine:
    return ls.Engine(profile, clock=cast("Callable[[], int]", lambda: moment))


@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("moment", [0, -1, FIRST_NS, LAST_NS, np.int64(5), datetime(1, 1, 1, tzinfo=UTC), LAST])
def test_any_time_that_can_be_told_lives_on(moment: object, profile: str, tmp_path: Path) -> None:
    engine = engine_at(moment, profile)
    engine.import_tar(layer_tar([]), "a:1")
    container = engine.run("a:1")
    container.fs.write_bytes("/b", b"2")
    container.stop()
    image = container.commit("b:1")
    engine.save_state(tmp_path / "state")
    again = ls.Engine.open(tmp_path / "state")
    assert again.get_image("b:1").created == image.created
    assert len(again.containers(all=True).to_dict()["created"]) == 1


@pytest.mark.parametrize(
    ("moment", "error"),
    [
        *((moment, ValueError) for moment in (FIRST_NS - 1, LAST_NS + 1, 10**30, -(10**30), 2**63 * 1000)),
        (datetime(1, 1, 1, tzinfo=EARLY), ValueError),
        (LAST.replace(tzinfo=LATE), ValueError),
        *((moment, TypeError) for moment in (1.5, None, "x", True, LAST.replace(tzinfo=None))),
    ],
)
def test_a_clock_that_tells_no_time(moment: object, error: type[Exception]) -> None:
    engine = engine_at(moment)
    calls: list[Callable[[], object]] = [
        lambda: engine.import_tar(layer_tar([]), "a:1"),
        lambda: engine.add_image([]),
        engine.images,
        engine.df,
        lambda: engine.add_cache_record(1),
    ]
    for call in calls:
        with pytest.raises(error, match=r"^expected .* from the clock, got "):
            call()


@pytest.mark.parametrize("size", [-1, 2**63, 2**64, 10**30])
def test_a_layer_of_more_than_63_bits(size: int) -> None:
    with pytest.raises(ValueError, match=rf"^expected 0 to 2\*\*63 - 1 bytes, got {size}\b"):
        layer(1, size)
    assert layer(1, LARGEST).size == LARGEST


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_more_bytes_in_all_than_63_bits(profile: str, tmp_path: Path) -> None:
    engine = engine_at(0, profile)
    half = LARGEST // 2 if profile == "containerd" else LARGEST - 1
    engine.add_image([layer(1, half - 8192)], "a:1")
    before = str(engine.df(verbose=True))
    for sizes in ([layer(2, half)], [layer(1, half), layer(3, half)], [layer(4, 1), layer(5, 1), layer(6, half)]):
        with pytest.raises(ValueError, match=r"^expected at most 2\*\*63 - 1 bytes in all, got "):
            engine.add_image(sizes, "b:1")
        assert str(engine.df(verbose=True)) == before
        assert len(engine.sharing().layers) == 1
    for table in (engine.images(), engine.df(verbose=True).images, engine.df().summary, engine.history("a:1")):
        assert table.to_dict()["size"].max() >= half - 8192
    engine.save_state(tmp_path / "state")
    assert str(ls.Engine.open(tmp_path / "state", clock=lambda: 0).df(verbose=True)) == before
    engine.remove_image("a:1")
    assert engine.add_image([layer(2, half - 8192)], "b:1").tags == ("b:1",)


def test_what_would_not_fit_may_come_when_there_is_room() -> None:
    engine = engine_at(0)
    for number in range(100):
        engine.add_image([layer(number, LARGEST)], "only:1")
        engine.remove_image("only:1")
    assert engine.df().layers_size == 0


def test_one_layer_held_by_many_counts_once() -> None:
    engine = engine_at(0)
    base = layer(1, LARGEST - 1000)
    for number in range(2, 12):
        engine.add_image([base, layer(number, 100)], f"a:{number}")
    assert engine.df().layers_size == LARGEST
