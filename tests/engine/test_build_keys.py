"""What BuildKit's keys depend on, by builds on a real engine and on ours: the same steps are cached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine import key_cases
from tests.engine.both_builds import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EXCLUDES_SINCE = 28


def unequal(bench: Bench, texts: Iterator[str]) -> Iterator[str]:
    """Build one Dockerfile after the other, and tell where other steps are cached."""
    for text in texts:
        (bench.context / "Dockerfile").write_text(text)
        ours, theirs = bench.cached({})
        if ours != theirs:
            yield f"{text}\n  ours   {ours}\n  theirs {theirs}"


def after_edits(bench: Bench, lines: str) -> Iterator[str]:
    """Build the same after each edit of the context, and tell where other steps are cached."""
    edits = key_cases.Edits(bench.context)
    for name, edit in edits.all():
        edit()
        yield from (f"{name}: {told}" for told in unequal(bench, iter([f"FROM bb:1\n{lines}\n"])))


def folder_of(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def check_dockerfiles(daemon: Daemon, folder: Path, box: ls.Sandbox) -> None:
    key_cases.write_context(folder)
    assert list(unequal(Bench(daemon, "buildkit", folder, box), key_cases.dockerfiles())) == []


def check_edits(daemon: Daemon, tmp_path: Path, box: ls.Sandbox, all_lines: list[str]) -> None:
    found = []
    for number, lines in enumerate(all_lines):
        daemon.call("POST", "/build/prune", all="1")
        bench = Bench(daemon, "buildkit", folder_of(tmp_path, str(number)), box)
        found += [f"{lines}: {told}" for told in after_edits(bench, lines)]
    assert found == []


COPIES = ["COPY d /out", "COPY d/x d/k.txt /out/", "COPY . /out", "COPY d /d\nFROM bb:1\nCOPY --from=0 /d /out"]
EXCLUDING = [f"COPY --exclude={pattern} d /out" for pattern in ("**/*.txt", "*.txt", "sub", "only")]
EXCLUDING += ["COPY d /d\nFROM bb:1\nCOPY --from=0 --exclude=**/*.txt /d /out"]


def test_20_keeps_the_same_steps(quick_daemon: Daemon, tmp_path: Path, box: ls.Sandbox) -> None:
    check_dockerfiles(quick_daemon, tmp_path, box)


def test_a_newer_engine_keeps_the_same_steps(graph_daemon: Daemon, tmp_path: Path, box: ls.Sandbox) -> None:
    check_dockerfiles(graph_daemon, tmp_path, box)


def test_20_keeps_the_same_steps_after_edits(quick_daemon: Daemon, tmp_path: Path, box: ls.Sandbox) -> None:
    check_edits(quick_daemon, tmp_path, box, COPIES)


@pytest.mark.thorough
def test_a_newer_engine_keeps_the_same_steps_after_edits(graph_daemon: Daemon, tmp_path: Path, box: ls.Sandbox) -> None:
    excluding = EXCLUDING if graph_daemon.major() >= EXCLUDES_SINCE else []
    check_edits(graph_daemon, tmp_path, box, [*COPIES, *excluding])


def test_a_linked_copy_is_any_copy_to_a_graphdriver(graph_daemon: Daemon, tmp_path: Path, box: ls.Sandbox) -> None:
    key_cases.write_context(tmp_path)
    lines = key_cases.linked_dockerfiles(are_put_together=True)
    assert list(unequal(Bench(graph_daemon, "buildkit", tmp_path, box), lines)) == []


def test_a_linked_copy_is_another_one_to_a_store_of_snapshots(
    snapshot_daemon: Daemon, tmp_path: Path, box: ls.Sandbox
) -> None:
    key_cases.write_context(tmp_path)
    lines = key_cases.linked_dockerfiles(are_put_together=False)
    assert list(unequal(Bench(snapshot_daemon, "buildkit", tmp_path, box), lines)) == []
