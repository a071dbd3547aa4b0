"""Lookups of many paths: every form in which paths come, and the two ways to look them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import layersim as ls

PATHS = ["/a", "/a/x", "/a/y", "/l/y", "/nope", "a", "", "/l/x/..", "/a/" + "é" * 40]
Form = Callable[[Sequence[str]], Any]
FORMS: dict[str, Form] = {
    "tuple": tuple,
    "bytes": lambda paths: [path.encode() for path in paths],
    "iterator": iter,
    "Paths": ls.Paths,
    "numpy U": np.array,
    "numpy S": lambda paths: np.array([path.encode() for path in paths]),
    "numpy object": lambda paths: np.array(paths, dtype=object),
    "numpy StringDType": lambda paths: np.array(paths, dtype=np.dtypes.StringDType()),
    "arrow string": lambda paths: pa.array(paths, pa.string()),
    "arrow large_string": lambda paths: pa.array(paths, pa.large_string()),
    "arrow string_view": lambda paths: pa.array(paths, pa.string_view()),
    "arrow binary": lambda paths: pa.array([path.encode() for path in paths], pa.binary()),
    "arrow dictionary": lambda paths: pa.array(paths).dictionary_encode(),
    "arrow chunks": lambda paths: pa.chunked_array([list(paths[:4]), [], list(paths[4:])], pa.string()),
    "arrow slice": lambda paths: pa.array(["/before", *paths, "/after"]).slice(1, len(paths)),
    "pandas": pd.Series,
    "polars": pl.Series,
}


@pytest.fixture
def view() -> ls.View:
    base = ls.Layer.from_changes([ls.mkdir("/a"), ls.write("/a/x", b"12"), ls.symlink("/l", "a")])
    top = ls.Layer.from_changes([ls.write("/a/y", b"1"), ls.remove("/a/x"), ls.write("/a/" + "é" * 40, b"123")])
    return ls.View([base, top])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_paths_come_in_any_form(view: ls.View, form: Form) -> None:
    found = view.lookup(form(PATHS))
    assert found.layer.tolist() == [1, -1, 1, 1, -1, 1, -1, -1, 1]
    assert found.size.tolist() == [4096, 0, 1, 1, 0, 4096, 0, 0, 3]
    assert len(ls.Paths(form(PATHS))) == len(PATHS)


@pytest.mark.parametrize("form", [name for name in FORMS if name not in {"iterator", "Paths"}])
def test_no_path_is_no_row(view: ls.View, form: str) -> None:
    assert len(view.lookup(FORMS[form]([]))) == 0


@pytest.mark.parametrize(
    ("paths", "error", "words"),
    [
        (pa.array([1]), TypeError, "expected a column of strings, got Arrow's INT64"),
        (pl.Series([1]), TypeError, "expected a column of strings, got Arrow's INT64"),
        (pd.DataFrame({"path": ["/a"]}), TypeError, "expected a column of strings, got Arrow's STRUCT"),
        (pa.array(["/a", None]), ValueError, "expected a path in every row, got nulls"),
        (pa.array(["/a", None]).dictionary_encode(), ValueError, "expected a path in every row, got nulls"),
        ("/a", TypeError, "expected many paths, got one: put it into a list"),
        ([1], TypeError, "expected str, bytes or os.PathLike object, not int"),
        (5, TypeError, "expected many paths, got int"),
    ],
    ids=repr,
)
def test_what_is_no_column_of_paths_is_refused(
    view: ls.View, paths: object, error: type[Exception], words: str
) -> None:
    look_up: Callable[..., ls.Found] = view.lookup
    with pytest.raises(error, match=words):
        look_up(paths)


def test_a_walk_counts_the_layers_that_it_asks() -> None:
    base = ls.Layer.from_changes([ls.write("/usr/bin/sh", b"")])
    others = [ls.Layer.from_changes([ls.write(f"/opt/{at}", b"")]) for at in range(9)]
    view = ls.View([base, *others])
    walked = view.lookup(["/usr/bin/sh", "/opt/8", "/nope", "/opt/nope"], strategy="walk")
    # The root has ten members; /usr and what is in it one, /opt nine.
    assert walked.probes.tolist() == [10 + 1 + 1, 10 + 1, 10, 10 + 9]
    assert walked.layer.tolist() == [0, 9, -1, -1]


def test_another_strategy_is_named(view: ls.View) -> None:
    look_up: Callable[..., ls.Found] = view.lookup
    with pytest.raises(ValueError, match='expected the strategy "index" or "walk", got "fast"'):
        look_up(PATHS, strategy="fast")
