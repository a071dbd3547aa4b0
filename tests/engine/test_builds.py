"""The corpus of Dockerfiles, built by the builders of the real engines and by ours: equal but for times."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.engine.both_builds import BUILDERS, Bench, Builder
from tests.engine.dockerfiles import corpus, write_context
from tests.engine.random_edits import Project

if TYPE_CHECKING:
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EDITS, LEAST_STEPS = 16, 4
EACH_BUILDER = pytest.mark.parametrize("builder", BUILDERS)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The directory that the corpus is built from."""
    folder = tmp_path / "context"
    folder.mkdir()
    write_context(folder)
    return folder


COMMON = ("metadata", "files", "commands", "refused")
SUBJECTS = {
    (20, "legacy"): COMMON,
    (20, "buildkit"): (*COMMON, "buildkit"),
    # What commands write does not depend on the generation, and that engine takes its time.
    (29, "legacy"): ("metadata", "refused"),
    (29, "buildkit"): ("metadata", "files", "refused", "buildkit", "newer"),
}
"""What each builder is compared on."""
BETWEEN = (
    *("arg_forms", "env_hidden_by_arg", "expansion_everywhere", "expose", "copy_chown", "chmod"),
    *("bad_port", "platform_arguments", "stage_args_inherited"),
    *("several_args", "heredoc_after_blanks", "target_stage", "target_stage_of_no_name", "default_not_read"),
    *("arg_names_as_they_are", "triggers_copy_from_stages", "variable_in_from", "words_of_chmod"),
    *("arg_odd", "arg_redeclare", "arg_reset", "expose_empty_two", "chmod_var", "chmod_empty", "pl_var_empty"),
    *("checksum_after_fail", "chmod_after_fail", "bad_after_run_fail", "onbuild_after_fail", "stage_order"),
    "chmod_of_directories",
)
"""What the BuildKit of engines 23 to 27 makes like neither the older nor the newer one."""


def compare(bench: Bench, names: tuple[str, ...], *, every: int = 1) -> None:
    """Build all cases on both sides, or one of so many."""
    is_between = bench.builder == "buildkit" and bench.is_between
    cases = [case for name in names for case in corpus(name).items()]
    chosen = dict(cases[::every])
    # Since 28 the mark of what is gone has no time of its own.
    is_stamped = bench.daemon.keeps_snapshots and bench.is_between
    left_out = (*(BETWEEN if is_between else ()), *(["vol_rename"] if is_stamped else []))
    kept = {key: case for key, case in chosen.items() if key not in left_out}
    found = [told for key, case in kept.items() for told in bench.differences(key, case)]
    assert not found, "\n".join(found)


def compare_edits(bench: Bench, seed: int) -> None:
    """Edit a project at random, and compare after each edit which steps are cached."""
    project = Project(random.Random(seed), bench.context)
    edits = ["start"]
    for _ in range(EDITS):
        project.save()
        ours, theirs = bench.cached(project.build_args)
        assert len(theirs) > LEAST_STEPS
        assert ours == theirs, (seed, edits, (bench.context / "Dockerfile").read_text())
        edits.append(project.edit())


@EACH_BUILDER
def test_20_builds_the_corpus_as_we_do(quick_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder) -> None:
    compare(Bench(quick_daemon, builder, context, box), SUBJECTS[20, builder])


@EACH_BUILDER
def test_29_builds_half_of_the_corpus_as_we_do(
    graph_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder
) -> None:
    compare(Bench(graph_daemon, builder, context, box), SUBJECTS[29, builder], every=2)


@pytest.mark.thorough
@EACH_BUILDER
def test_29_builds_the_corpus_as_we_do(graph_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder) -> None:
    compare(Bench(graph_daemon, builder, context, box), SUBJECTS[29, builder])


@EACH_BUILDER
def test_29_with_the_containerd_store_builds_some_as_we_do(
    snapshot_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder
) -> None:
    compare(Bench(snapshot_daemon, builder, context, box), SUBJECTS[29, builder], every=8)


@pytest.mark.thorough
@EACH_BUILDER
def test_29_with_the_containerd_store_builds_the_corpus_as_we_do(
    snapshot_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder
) -> None:
    compare(Bench(snapshot_daemon, builder, context, box), SUBJECTS[29, builder])


@EACH_BUILDER
def test_after_edits_20_takes_the_same_steps_from_its_cache(
    quick_daemon: Daemon, tmp_path: Path, box: ls.Sandbox, builder: Builder
) -> None:
    compare_edits(Bench(quick_daemon, builder, tmp_path, box), seed=20)


@EACH_BUILDER
def test_after_edits_29_takes_the_same_steps_from_its_cache(
    graph_daemon: Daemon, tmp_path: Path, box: ls.Sandbox, builder: Builder
) -> None:
    compare_edits(Bench(graph_daemon, builder, tmp_path, box), seed=29)


@pytest.mark.thorough
@EACH_BUILDER
def test_after_edits_29_with_the_containerd_store_takes_the_same_steps_from_its_cache(
    snapshot_daemon: Daemon, tmp_path: Path, box: ls.Sandbox, builder: Builder
) -> None:
    compare_edits(Bench(snapshot_daemon, builder, tmp_path, box), seed=31)
