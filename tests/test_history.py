"""Steps of an image: which layer belongs to which, and which image they ended in (accounting.md section 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import layersim as ls
from layersim.errors import ValidationError
from tests.test_usage import synthetic

BORN = "2023-11-14T22:13:20Z"


def step(created_by: str, *, empty: bool | None = None, created: str | None = BORN) -> ls.HistoryEntry:
    return ls.HistoryEntry(created=created, created_by=created_by, empty_layer=empty, comment="buildkit.dockerfile.v0")


@pytest.fixture
def engine() -> ls.Engine:
    """Give an engine ten minutes after the images of these tests were made."""
    now = 1_700_000_000 * 10**9 + 600 * 10**9
    return ls.Engine(clock=lambda: now)


def test_sizes_pair_with_the_steps_that_made_layers(engine: ls.Engine) -> None:
    """The image of the demo: an ENV in between, the file of 846 bytes, a CMD on top."""
    steps = [step("ADD rootfs.tar / # buildkit"), step("ENV TARGET=blog.sixeyed.com", empty=True)]
    steps += [step("COPY app.js . # buildkit"), step('CMD ["node" "/web-ping/app.js"]', empty=True)]
    engine.add_image([synthetic("base", 75_150_000), synthetic("app", 846)], "web-ping", history=steps)
    rows = engine.history("web-ping")
    assert [(row.size, row.empty_layer) for row in rows] == [(0, True), (846, False), (0, True), (75_150_000, False)]
    assert rows[0].created == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    lines = str(rows).splitlines()
    assert lines[0] == "IMAGE          CREATED          CREATED BY                        SIZE      COMMENT"
    short = engine.get_image("web-ping").id[7:19]
    assert lines[1] == f'{short}   10 minutes ago   CMD ["node" "/web-ping/app.js"]   0B        buildkit.dockerfile.v0'
    assert (
        lines[2] == "<missing>      10 minutes ago   COPY app.js . # buildkit          846B      buildkit.dockerfile.v0"
    )


def test_ids_follow_the_links_to_parents(engine: ls.Engine) -> None:
    a, b = synthetic("a", 1), synthetic("b", 2)
    first = engine.add_image([a], "a", history=[step("one")])
    second = engine.add_image([a, b], "b", history=[step("one"), step("two")], parent="a")
    assert [row.id for row in engine.history("b")] == [second.id, first.id]
    third = engine.add_image([a, b], "c", history=[step("zero", empty=True), step("one"), step("two")], parent="b")
    assert [row.id for row in engine.history("c")] == [third.id, second.id, first.id]


def test_a_link_that_is_gone_is_missing(engine: ls.Engine) -> None:
    a, b = synthetic("a", 1), synthetic("b", 2)
    engine.add_image([a], "a", history=[step("one")])
    image = engine.add_image([a, b], "b", history=[step("one"), step("two")])
    rows = engine.history("b")
    assert [row.id for row in rows] == [image.id, None]
    assert rows.text(quiet=True).splitlines()[1] == "<missing>"


def test_layers_without_a_step_are_in_no_row(engine: ls.Engine) -> None:
    image = engine.add_image([synthetic("a", 1), synthetic("b", 2)], "a", history=[step("one")])
    assert [row.size for row in engine.history("a")] == [1]
    assert image.size == 3


def test_no_history_is_a_header_alone(engine: ls.Engine) -> None:
    engine.add_image([synthetic("a", 1)], "a", history=[])
    assert str(engine.history("a")) == "IMAGE     CREATED   CREATED BY   SIZE      COMMENT"


def test_more_steps_than_layers_is_an_error(engine: ls.Engine) -> None:
    with pytest.raises(ValidationError, match="too many non-empty layers in History section"):
        engine.add_image([synthetic("a", 1)], "a", history=[step("one"), step("two")])
    assert len(engine.images(all=True)) == 0


def test_a_step_without_a_time_is_as_old_as_time_goes(engine: ls.Engine) -> None:
    engine.add_image([synthetic("a", 1)], "a", history=[step("one", created=None)])
    assert "292 years ago" in str(engine.history("a"))
