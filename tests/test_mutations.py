"""The faults of `tests.mutations` can still be planted: each line that one replaces is there once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mutations import FAULTS, Fault, plant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_replaces_one_line(fault: Fault, repository: Path) -> None:
    lines = (repository / fault.file).read_text().splitlines()
    assert sum(fault.old in line for line in lines) == 1
    assert fault.old != fault.new


def test_there_are_ten_and_each_has_a_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 10


def test_a_fault_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file.rs").write_text("twice twice")
    for old in ("twice", "never"):
        with pytest.raises(ValueError, match="expected once"):
            plant(Fault("odd", "file.rs", old, "new"), tmp_path)
    plant(Fault("fine", "file.rs", "twice twice", "once"), tmp_path)
    assert (tmp_path / "file.rs").read_text() == "once"
