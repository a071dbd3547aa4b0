"""``RUN --mount`` by the real BuildKits and by ours: which steps are cached, what is seen, what the layers hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.engine.both_builds import Bench
from tests.engine.daemon import API
from tests.engine.dockerfiles import corpus, write_context
from tests.engine.mounted_steps import EDITS, FILES, MOUNTED, NEWER, PAIRS, dockerfile

if TYPE_CHECKING:
    from pathlib import Path

    import layersim as ls
    from tests.engine.daemon import Daemon
    from tests.engine.mounted_steps import Pair

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SECRETS = {"sec": "very-secret", "other": "second"}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The directory that everything is built from."""
    folder = tmp_path / "context"
    folder.mkdir()
    return folder


def compare_layers(bench: Bench) -> None:
    write_context(bench.context)
    found = [told for name, case in corpus("mounts").items() for told in bench.differences(name, case)]
    assert not found, "\n".join(found)


def compare_keys(bench: Bench, pairs: dict[str, Pair], generation: int) -> None:
    """Build all pairs before and after, some at a time; compare each with the other side and with the table."""
    write_files(bench.context)
    names = list(pairs)
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        found |= states_of(bench, {name: pairs[name] for name in names[start : start + AT_ONCE]}, start)
    assert found == {name: pair.states[generation] for name, pair in pairs.items()}


def states_of(bench: Bench, pairs: dict[str, Pair], first: int) -> dict[str, str]:
    theirs: dict[str, bool] = {}
    for is_after in (False, True):
        (bench.context / "Dockerfile").write_text(dockerfile(pairs, first, is_after=is_after))
        ours, theirs = bench.cached({}, SECRETS)
        assert ours == theirs
    told = [(re.match(r"\[s(\d+) .*RUN", step), state) for step, state in theirs.items()]
    states = {int(step[1]) - first: "C" if state else "x" for step, state in told if step}
    return {name: states[number] for number, name in enumerate(pairs)}


def write_files(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".dockerignore").write_text("ignored\nDockerfile\n")


def compare_edits(bench: Bench) -> None:
    """Edit the context again and again; compare which steps are cached."""
    write_files(bench.context)
    (bench.context / "Dockerfile").write_text(MOUNTED)
    for name, text in {"f1": "hello\n", **EDITS}.items():
        (bench.context / name).write_text(text)
        ours, theirs = bench.cached({}, {})
        assert len(theirs) > len(MOUNTED.splitlines()) // 2
        assert ours == theirs, name
    other = {"sec": "another-secret"}
    (bench.context / "Dockerfile").write_text("FROM bb:1\nRUN --mount=type=secret,id=sec true\n")
    for secrets in (SECRETS, other, {}):
        ours, theirs = bench.cached({}, secrets)
        assert ours == theirs
        assert all(theirs.values()) is (secrets is not SECRETS)


AT_ONCE = 8
"""As many stages as a builder does side by side without giving up."""
MOUNT = "exec.cachemount"
CACHES = """FROM bb:1
RUN --mount=type=cache,target=/c,id=k,uid=3 mkdir /c/d; seq 9999 > /c/d/f; ln -s a /c/l; ln /c/d/f /c/g
RUN --mount=type=cache,target=/empty true
RUN --mount=type=cache,target=/c,id=k,uid=3 ls /c > /listed
"""


def compare_records(bench: Bench) -> None:
    """Compare the records of caches, and what a prune leaves of them."""
    (bench.context / "Dockerfile").write_text(CACHES)
    bench.cached({}, {})
    records = bench.daemon.api(f"/{API}/system/df")["BuildCache"]
    theirs = [
        (one["Size"], one["Shared"], one["UsageCount"], one["Description"]) for one in records if one["Type"] == MOUNT
    ]
    counted = [one for one in bench.engine.df().build_cache if one.type == MOUNT]
    ours = [(one.size, one.shared, one.usage_count, one.description) for one in counted]
    assert sorted(ours) == sorted(theirs)
    assert len(theirs) == 2
    bench.daemon.docker("builder", "prune", "--force")
    bench.engine.prune()
    left = bench.daemon.api(f"/{API}/system/df")["BuildCache"]
    assert not any(one["Type"] == MOUNT for one in left or ())
    assert not any(one.type == MOUNT for one in bench.engine.df().build_cache)


def test_20_leaves_what_we_leave(quick_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_layers(Bench(quick_daemon, "buildkit", context, box))


def test_29_leaves_what_we_leave(graph_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_layers(Bench(graph_daemon, "buildkit", context, box))


def test_20_knows_steps_by_what_we_do(quick_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_keys(Bench(quick_daemon, "buildkit", context, box), PAIRS, 0)


def test_29_knows_steps_by_what_we_do(graph_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_keys(Bench(graph_daemon, "buildkit", context, box), PAIRS | NEWER, 1)


def test_after_edits_20_takes_the_same_steps(quick_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_edits(Bench(quick_daemon, "buildkit", context, box))


def test_after_edits_29_takes_the_same_steps(graph_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_edits(Bench(graph_daemon, "buildkit", context, box))


def test_20_counts_caches_as_we_do(quick_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_records(Bench(quick_daemon, "buildkit", context, box))


def test_29_counts_caches_as_we_do(graph_daemon: Daemon, context: Path, box: ls.Sandbox) -> None:
    compare_records(Bench(graph_daemon, "buildkit", context, box))
