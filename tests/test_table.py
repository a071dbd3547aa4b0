"""Columns as Docker's tab writer sets them, and whole tables against what two real command lines printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from layersim import Engine
from layersim.profiles import CLI_20, CLI_28, DOCKER20
from layersim.table import aligned
from layersim.units import printed_width
from tests.golden import DOCKER20 as GOLDEN
from tests.golden import printed

FORMS = {"20": CLI_20, "28": CLI_28}


def test_a_column_is_three_blanks_wider_than_its_widest_cell() -> None:
    assert aligned([("A", "B"), ("longer than ten", "b")], len) == "A                 B\nlonger than ten   b"


def test_a_column_is_at_least_ten_wide() -> None:
    assert aligned([("A", "B", "C"), ("", "b", "")], len) == "A         B         C\n          b         "


def test_a_newline_in_a_cell_breaks_the_columns_it_does_not_reach() -> None:
    lines = [("A", "B", "C"), ("a", "one\ntwo", "c"), ("a", "b" * 20, "c")]
    assert aligned(lines, len).splitlines() == [
        "A         B         C",
        "a         one",
        "two       c",
        "a         bbbbbbbbbbbbbbbbbbbb   c",
    ]


def test_a_form_feed_ends_the_line_and_all_columns() -> None:
    """Go's tab writer flushes at a form feed: below it, columns begin anew, where a newline would let them go on."""
    lines = [("A" * 20, "B"), ("a", "one\ftwo"), ("b", "c")]
    assert aligned(lines, len).splitlines() == ["A" * 20 + "   B", "a" + " " * 22 + "one", "two", "b         c"]
    feed, newline = (aligned([("A" * 20, "B"), ("a", f"b{end}c", "d")], len) for end in "\f\n")
    assert feed.splitlines()[2] == "c         d"
    assert newline.splitlines()[2] == "c" + " " * 22 + "d"


def test_a_vertical_tab_ends_a_cell_as_a_tab_does() -> None:
    lines = [("A", "one\vtwo"), ("B", "longer than ten\v")]
    assert aligned(lines, len).splitlines() == ["A         one               two", "B         longer than ten   "]
    assert aligned(lines, len) == aligned([[cell.replace("\v", "\t") for cell in line] for line in lines], len)


def test_the_measure_decides_what_wide_runes_take() -> None:
    lines = [("x" * 10, "b"), ("世" * 6, "b")]
    assert aligned(lines, printed_width).splitlines() == ["x" * 10 + " " * 5 + "b", "世" * 6 + "   b"]
    assert aligned(lines, len).splitlines() == ["x" * 10 + "   b", "世" * 6 + " " * 7 + "b"]


@pytest.fixture(params=sorted(FORMS))
def version(request: pytest.FixtureRequest) -> str:
    """Give the version of a command line."""
    return str(request.param)


@pytest.fixture
def engine(version: str) -> Engine:
    """Give an engine at the golden's moment, with what `docker save` wrote."""
    now = printed(version).now_ns
    engine = Engine(replace(DOCKER20, forms=FORMS[version]), clock=lambda: now)
    engine.load(GOLDEN / "saved.tar")
    engine.load(GOLDEN / "wide.tar")
    return engine


def test_history_with_wide_runes_tabs_newlines_and_old_times(version: str, engine: Engine) -> None:
    assert f"{engine.history('wide:1')}\n" == printed(version).texts["history wide:1"]


def test_history_in_all_its_forms(version: str, engine: Engine) -> None:
    texts, history = printed(version).texts, engine.history("gold:3")
    assert f"{history}\n" == texts["history gold:3"]
    assert history.text(no_trunc=True) + "\n" == texts["history gold:3 --no-trunc"]
    assert history.text(human=False, zone=UTC) + "\n" == texts["history gold:3 --human=false"]
    assert history.text(quiet=True) + "\n" == texts["history gold:3 -q"]


def test_images(version: str, engine: Engine) -> None:
    # Images of one second come in random order from the engine.
    ours, theirs = str(engine.images()).splitlines(), printed(version).texts["images"].splitlines()
    assert (ours[0], sorted(ours)) == (theirs[0], sorted(theirs))
    ids = printed(version).texts["images -q"].split()
    assert sorted(engine.images().text(quiet=True).split()) == sorted(ids)


def test_disk_usage_of_the_summary(version: str, engine: Engine) -> None:
    theirs = printed(version).texts["system df"].splitlines()
    assert str(engine.df()).splitlines()[0] == theirs[0]
    assert str(engine.df()).splitlines()[3:] == theirs[3:]
    assert engine.df().layers_size == 752
