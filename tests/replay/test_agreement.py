"""A replay says what `Engine.build` does, step for step and byte for byte."""

from __future__ import annotations

import pytest

from tests.replay.drawn import RUNS, Drawn, draw
from tests.replay.twins import Builder, both

BUILDERS = [("buildkit", "overlay2"), ("buildkit", "docker20"), ("legacy", "overlay2"), ("legacy", "docker20")]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(("builder", "profile"), BUILDERS)
def test_a_replay_agrees_with_the_engine(builder: Builder, profile: str, seed: int) -> None:
    case = draw(seed)
    for number, (theirs, ours) in enumerate(both(case, RUNS, builder, profile)):
        assert ours == theirs, f"seed {seed}, build {number}\n{case.dockerfile}"


RENAMED = [{"src/a.js": None, "src/ab.js": b"a"}, {"x.md": None, "xy.md": b"x"}, {"src/ab.js": None, "src/a.js": b"a"}]
WRITTEN = {
    "lost in a volume": "FROM base\nVOLUME /var/cache\nRUN fetch\nRUN clean\n",
    "renamed": "FROM base\nCOPY *.md /d/\nCOPY src /s\nCOPY src/*.js /j/\n",
    "moved between stages": "FROM base AS a\nCOPY src /s\nFROM base\nCOPY --from=a /s /t\nRUN fetch\n",
    "copied up": "FROM base\nWORKDIR /app\nCOPY src src\nRUN chmod\nRUN fetch\nRUN chown\n",
    "told apart by user and place": "FROM base\nRUN fetch\nUSER 7\nRUN fetch\nWORKDIR /x\nRUN fetch\n",
    "the same twice": "FROM base AS a\nCOPY src /s\nRUN fetch\nFROM base\nCOPY src /s\nRUN fetch\n",
    "copied again": "FROM base\nCOPY src /s\nCOPY src /s\nRUN nothing\nCOPY src/../src /s\n",
}


@pytest.mark.parametrize("dockerfile", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize(("builder", "profile"), BUILDERS)
def test_a_replay_agrees_where_builders_are_odd(builder: Builder, profile: str, dockerfile: str) -> None:
    files = {"src/a.js": b"a", "src/b.js": b"b", "x.md": b"x"}
    edits: list[dict[str, bytes | None]] = [*RENAMED, {"src/b.js": b"bb"}, {}]
    for theirs, ours in both(Drawn(dockerfile, files, edits), RUNS, builder, profile):
        assert ours == theirs
        assert theirs["error"] == ""


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_a_replay_agrees_on_what_is_written_to_a_cache(profile: str) -> None:
    mounts = "--mount=type=cache,target=/var/cache --mount=type=secret,id=key"
    dockerfile = f"FROM base\nCOPY src /s\nRUN {mounts} fetch\nRUN clean\n"
    edits: list[dict[str, bytes | None]] = [{"src/b.js": b"bb"}, {}]
    for theirs, ours in both(Drawn(dockerfile, {"src/b.js": b"b"}, edits), RUNS, "buildkit", profile):
        assert ours == theirs
        assert theirs["error"] == ""
