"""Sizes, ages and ids as text: the tables of accounting.md section 9, row by row."""

from __future__ import annotations

import pytest

from layersim.units import display_width, ellipsis, human_age, human_size, printed_width, quoted, short_id

SIZES = [
    (0, "0B", "0B"),
    (999, "999B", "999B"),
    (1000, "1kB", "1kB"),
    (1001, "1kB", "1.001kB"),
    (1023, "1.02kB", "1.023kB"),
    (1235, "1.24kB", "1.235kB"),
    (9995, "9.99kB", "9.995kB"),
    (9999, "10kB", "9.999kB"),
    (12345, "12.3kB", "12.35kB"),
    (99949, "99.9kB", "99.95kB"),
    (99950, "100kB", "99.95kB"),
    (999499, "999kB", "999.5kB"),
    (999500, "1e+03kB", "999.5kB"),
    (999999, "1e+03kB", "1000kB"),
    (1000000, "1MB", "1MB"),
    (75149999, "75.1MB", "75.15MB"),
    (75150000, "75.2MB", "75.15MB"),
    (999500000, "1e+03MB", "999.5MB"),
    (10**24, "1YB", "1YB"),
    (10**30, "1e+06YB", "1e+06YB"),
]
MINUTE, HOUR, DAY = 60, 3600, 86400
AGES = [
    (-5, "Less than a second"),
    (0.99, "Less than a second"),
    (1, "1 second"),
    (1.9, "1 second"),
    (2, "2 seconds"),
    (59.9, "59 seconds"),
    (60, "About a minute"),
    (119, "About a minute"),
    (121, "2 minutes"),
    (59 * MINUTE + 59, "59 minutes"),
    (HOUR, "About an hour"),
    (89 * MINUTE, "About an hour"),
    (91 * MINUTE, "2 hours"),
    (47 * HOUR + 29 * MINUTE, "47 hours"),
    (47 * HOUR + 31 * MINUTE, "2 days"),
    (13 * DAY + 23 * HOUR, "13 days"),
    (14 * DAY + HOUR, "2 weeks"),
    (59 * DAY, "8 weeks"),
    (60 * DAY, "2 months"),
    (729 * DAY, "24 months"),
    (731 * DAY, "2 years"),
    (1094 * DAY, "2 years"),
    (1096 * DAY, "3 years"),
    (2026 * 365 * DAY, "292 years"),
]


@pytest.mark.parametrize(("size", "three", "four"), SIZES)
def test_sizes(size: int, three: str, four: str) -> None:
    assert (human_size(size, 3), human_size(size)) == (three, four)


@pytest.mark.parametrize(("seconds", "text"), AGES)
def test_ages(seconds: float, text: str) -> None:
    assert human_age(seconds) == text


def test_short_ids_drop_the_algorithm() -> None:
    digits = "c7491612e694ab76fb3e9d0d47d05bf92a105ee4ba06efa2b1989f3e3b496059"
    assert short_id(f"sha256:{digits}") == short_id(digits) == "c7491612e694"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("x" * 45, "x" * 45),
        ("x" * 46, "x" * 44 + "…"),
        ("日本" * 11 + "x", "日本" * 11 + "x"),
        ("日本" * 11 + "xy", "日本" * 11 + "…"),
        ("x" + "日" * 23, "x" + "日" * 21 + "…"),
        ("é" * 46, "é" * 44 + "…"),
    ],
)
def test_ellipsis_counts_columns(text: str, cut: str) -> None:
    assert ellipsis(text, 45) == cut
    assert display_width(cut) <= 45


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a"b\\', r'"a\"b\\"'),
        ("n\nl\té", r'"n\nl\té"'),
        ("\x00\x7f", r'"\x00\x7f"'),
        ("\u200b\U000e0001", '"\\u200b\\U000e0001"'),
        ("世…", '"世…"'),
    ],
)
def test_quoting_is_that_of_go(text: str, expected: str) -> None:
    assert quoted(text) == expected


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("世界", 4),
        ("\x1b[31m\r\0", 4),
        ("e\u0301\u200b\u00ad\ufeff", 1),
        ("\u2060\u061c", 2),
        ("\u0915\u0903", 1),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f466", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 2),
        ("1\ufe0f\u20e3", 1),
        ("a\u200db", 2),
    ],
)
def test_what_is_printed_fills_as_many_columns_as_docker_28_counts(text: str, width: int) -> None:
    assert printed_width(text) == width
