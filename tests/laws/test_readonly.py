"""No array, buffer or value that Python can reach lets anybody write into a layer."""

from __future__ import annotations

import copy
import pickle
from typing import cast

import numpy as np
import pytest

import layersim as ls

LAYER = ls.Layer.from_changes([ls.mkdir("/d"), ls.write("/d/f", b"content")])


def test_columns_of_a_lookup_are_read_only() -> None:
    found = ls.View([LAYER]).lookup(["/d/f", "/none"])
    for column in (found.layer, found.kind, found.size, found.mode, found.probes):
        assert isinstance(column, np.ndarray)
        assert not column.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            column.setflags(write=True)


def test_bytes_that_came_in_can_change_without_the_layer() -> None:
    data, tar = bytearray(b"content"), bytearray(LAYER.tar_bytes())
    written, read = ls.Layer.from_changes([ls.write("/f", data)]), ls.Layer.from_tar(tar)
    before = written.diff_id, written.tar_bytes(), read.diff_id, read.tar_bytes()
    data[:] = b"CONTENT"
    tar[:] = bytes(len(tar))
    assert (written.diff_id, written.tar_bytes(), read.diff_id, read.tar_bytes()) == before


@pytest.mark.parametrize("found", [LAYER, ls.View([LAYER]), next(iter(LAYER)), ls.View([LAYER]).lstat("/d")], ids=repr)
def test_values_have_no_buffer_and_no_place_for_attributes(found: object) -> None:
    with pytest.raises(TypeError):
        memoryview(cast("bytes", found))
    for name in [name for name in dir(found) if not name.startswith("_")] + ["anything"]:
        with pytest.raises(AttributeError):
            setattr(found, name, None)


def test_copies_and_pickles_are_the_layer() -> None:
    for again in (copy.copy(LAYER), copy.deepcopy(LAYER), pickle.loads(pickle.dumps(LAYER))):
        assert again == LAYER
        assert hash(again) == hash(LAYER)
        assert again.tar_bytes() == LAYER.tar_bytes()


def test_handles_of_a_container_write_into_its_own_top() -> None:
    fs = ls.Overlay([LAYER])
    with fs.open("/d/f", 2) as file:
        file.pwrite(b"C", 0)
        assert ls.View([LAYER]).read_bytes("/d/f") == b"content"
    assert ls.sha256(LAYER.tar_bytes()) == LAYER.diff_id
