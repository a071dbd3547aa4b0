"""Tables in notebooks: the cells that docker prints, and nothing that a name in an archive could make of the page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import layersim as ls
from layersim.table.html import html_table
from tests.rows import small_engine, tables
from tests.test_usage import synthetic

TAGS = {"table", "thead", "tbody", "tr", "th", "td", "p"}


class Page(HTMLParser):
    """What a reader of HTML sees: rows of cells, and what is no cell; other elements and attributes are an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.notes: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        assert attrs == []
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"th", "td"}:
            self.rows[-1][-1] += data
        elif data.strip():
            self.notes.append(data)


def test_the_cells_are_those_of_the_text() -> None:
    engine = small_engine()
    for table in tables(engine).values():
        lines = [" ".join(" ".join(row).split()) for row in Page(table._repr_html_()).rows]
        assert lines == [" ".join(line.split()) for line in str(table).splitlines()]


def test_markup_in_names_is_text() -> None:
    engine, hostile = ls.Engine(), "<script>alert(1)</script>&amp;\"'<!--"
    engine.add_image([], "a:1", history=[ls.HistoryEntry(created_by=hostile, comment="<img src=x>", empty_layer=True)])
    page = Page(engine.history("a:1")._repr_html_())
    assert page.rows[1][2] == hostile
    assert page.rows[1][4] == "<img src=x>"


@pytest.mark.parametrize("rune", ["\x00", "\x1b", "\n", "\r", "\u202e", "\u2028", "\ud800", "\x9b"])
def test_control_characters_are_shown_as_escapes(rune: str) -> None:
    source = html_table(["A"], [[f"a{rune}b"]])
    source.encode()
    assert Page(source).rows == [["A"], [f"a{ascii(rune)[1:-1]}b"]]


def test_a_long_table_is_cut_and_says_how_long_it_is() -> None:
    engine = ls.Engine()
    for number in range(61):
        engine.add_image([synthetic(str(number), number)], f"a:{number}")
    table = engine.images()
    page = Page(table._repr_html_())
    assert (len(page.rows), page.notes) == (61, ["the first 60 lines; there are 61 rows"])
    engine.remove_image("a:0")
    page = Page(engine.images()._repr_html_())
    assert (len(page.rows), page.notes) == (61, [])


def test_an_image_of_very_many_tags_is_cut_too() -> None:
    engine = ls.Engine()
    engine.add_image([], "a:0")
    for number in range(1, 100):
        engine.tag("a:0", f"a:{number}")
    page = Page(engine.images()._repr_html_())
    assert (len(page.rows), page.notes) == (61, ["the first 60 lines; there is 1 row"])


def test_disk_usage_is_its_summary_or_all_its_tables() -> None:
    engine = small_engine()
    usage, verbose = engine.df(), engine.df(verbose=True)
    assert usage._repr_html_() == usage.summary._repr_html_()
    page = Page(verbose._repr_html_())
    assert page.notes == [line for line in str(verbose).splitlines() if "usage:" in line]
    parts = [verbose.images._repr_html_(), verbose.containers._repr_html_()]
    parts += [verbose.volumes._repr_html_(), verbose.build_cache._repr_html_()]
    assert page.rows == [row for part in parts for row in Page(part).rows]


def test_the_page_notices_what_does_not_belong() -> None:
    for source in ("<table><script></script></table>", "<table>", '<td onclick="x">a</td>'):
        with pytest.raises((AssertionError, IndexError)):
            Page(source)
