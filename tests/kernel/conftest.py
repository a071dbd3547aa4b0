"""Overlay mounts for the tests of this folder, all marked `kernel`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.fuzz.worker import Worker
from tests.kernel.mount import KernelOverlay
from tests.oracles import require_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder, so that `-m kernel` selects it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.kernel)


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """A process that goes from mount to mount, for tests that need many."""
    require_root()
    with Worker() as process:
        yield process


@pytest.fixture
def overlay_mount(tmp_path: Path) -> Iterator[Callable[[Sequence[bytes]], KernelOverlay]]:
    """Mount layer tars, base first, under an empty upper directory; unmounted when the test ends."""
    with ExitStack() as mounts:

        def mount(layers: Sequence[bytes], *, read_only: bool = False, redirect_dir: bool = False) -> KernelOverlay:
            folder = tmp_path / f"overlay{len(list(tmp_path.iterdir()))}"
            return mounts.enter_context(KernelOverlay(folder, layers, read_only, redirect_dir))

        yield mount
