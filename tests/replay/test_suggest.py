"""Suggestions: each rule finds its case, says what it saves, and never changes the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, ImageNotFoundError
from tests.replay.drawn import RUNS, draw
from tests.replay.twins import engine_with_base

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layersim.analysis import Suggestion, Suggestions

FILES = {"package.json": 500, "src/a.js": 2_000, "src/b.js": 3_000, "docs/guide.md": 9_000, "data.bin": 5_000_000}
BASES = {"node": "100MB"}
RUN = ls.runs(
    {
        "npm ci": ls.effect(files={"node_modules": (40, "40MB")}, uses=["package.json"], seconds=30),
        "build": ls.effect(writes={"dist/main.js": "1MB"}, uses=["src"], seconds=10),
        "apt-get install": ls.effect(files={"/usr/lib/gcc": (10, "90MB")}, writes={"/var/cache/a": "9MB"}, seconds=60),
        "rm -rf": ls.effect(removes=["/var/cache/*"]),
        "purge": ls.effect(removes=["/usr/lib/gcc", "/var/cache/*"], seconds=1),
        "chown": ls.effect(owners={"data.bin": 1000}),
        "chmod": ls.effect(modes={"data.bin": 0o600}),
        "echo": ls.effect(writes={"/version": b"1\n"}, seconds=2),
    }
)
EDITS = [["src/a.js"], ["docs/guide.md"], ["src/b.js"], ["docs/guide.md"]]


def found(dockerfile: str, edits: Sequence[Sequence[str]] = EDITS) -> Suggestions:
    return ls.suggest(f"FROM node\nWORKDIR /app\n{dockerfile}", FILES, edits, run=RUN, bases=BASES)


def only(rule: str, suggestions: Suggestions) -> Suggestion:
    """Return the best suggestion of a rule."""
    return next(suggestion for suggestion in suggestions if suggestion.rule == rule)


def steps(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and line not in {"FROM node", "WORKDIR /app"}]


def test_what_changes_often_comes_late() -> None:
    best = only("order", found("COPY src src\nCOPY package.json ./\nRUN npm ci\n"))
    assert steps(best.text) == ["COPY package.json ./", "RUN npm ci", "COPY src src"]
    assert (best.saved_seconds, best.saved_bytes, best.size_saved) == (60.0, 2 * 40_000_500, 0)
    assert "'COPY src src' ran in 2 of 4 edits" in best.evidence


def test_manifests_come_before_sources() -> None:
    best = only("manifests first", found("COPY . .\nRUN npm ci\n"))
    assert steps(best.text) == ["COPY package.json ./", "RUN npm ci", "COPY . ."]
    assert (best.saved_seconds, best.size_saved) == (120.0, -500)


def test_variables_that_change_come_late() -> None:
    suggestions = ls.suggest(
        "FROM node\nARG REVISION\nENV REVISION=$REVISION\nRUN apt-get install gcc\n",
        {},
        [{}, {}],
        run=RUN,
        bases=BASES,
        build_args={"REVISION": ["a", "b", "c"]},
    )
    assert suggestions.best is not None
    assert steps(suggestions.best.text)[0] == "RUN apt-get install gcc"
    assert suggestions.best.saved_seconds == 120


def test_what_is_removed_goes_into_the_step_that_makes_it() -> None:
    suggestions = found("RUN apt-get install gcc\nRUN rm -rf /var/cache/*\n")
    best = only("delete where it is made", suggestions)
    assert steps(best.text) == ["RUN apt-get install gcc && rm -rf /var/cache/*"]
    assert best.size_saved == 9_000_000


@pytest.mark.parametrize(
    ("command", "flag"), [("chown me data.bin", "--chown=1000:1000"), ("chmod 600 data.bin", "--chmod=600")]
)
def test_owner_and_mode_are_set_while_copying(command: str, flag: str) -> None:
    best = only("describe at COPY", found(f"COPY data.bin ./\nRUN {command}\n"))
    assert steps(best.text) == [f"COPY {flag} data.bin ./"]
    assert best.size_saved == 5_000_000


def test_tools_stay_in_a_stage() -> None:
    suggestions = found("RUN apt-get install gcc\nCOPY src src\nRUN build\nRUN purge\n")
    best = only("tools in a stage", suggestions)
    assert "COPY --from=build /app/dist/main.js /app/dist/main.js" in best.text
    assert best.size_saved == 99_000_000


def test_what_changes_and_is_in_no_image_is_ignored() -> None:
    text = "FROM node AS build\nWORKDIR /app\nCOPY . .\nRUN build\nFROM node\nCOPY --from=build /app/dist /app/dist\n"
    suggestions = ls.suggest(text, FILES, EDITS, run=RUN, bases=BASES)
    best = only("ignore", suggestions)
    assert (best.text, best.ignore) in {(text, "docs\n"), (text, "**/*.md\n")}
    assert best.saved_seconds == 20
    assert "+docs" in best.diff or "+**/*.md" in best.diff


def test_a_file_that_the_image_has_is_not_ignored() -> None:
    assert [one for one in found("COPY . .\nRUN echo\n") if one.rule == "ignore"] == []


def test_an_order_that_changes_the_image_is_no_suggestion() -> None:
    suggestions = found("COPY src/a.js /f\nCOPY package.json ./\nRUN npm ci\nRUN apt-get install\nCOPY src/b.js /f\n")
    assert suggestions
    for one in suggestions:
        assert one.text.index("src/a.js") < one.text.index("src/b.js")


def test_the_best_of_all_takes_what_goes_together() -> None:
    best = found("COPY . .\nRUN npm ci\nRUN build\nRUN apt-get install gcc\nRUN rm -rf /var/cache/*\n").best
    assert best is not None
    lines = steps(best.text)
    assert lines.index("RUN npm ci") < lines.index("COPY . .")
    assert any("apt-get install gcc && rm -rf" in line for line in lines)
    engine = ls.Engine(clock=lambda: 0)
    assert (best.saved_seconds, best.size_saved > 0) == (4 * 30 + 2 * 10 + 4 * 60, True)
    assert len(engine.images()) == 0


def test_nothing_is_suggested_where_nothing_helps() -> None:
    suggestions = found("COPY package.json ./\nRUN npm ci\nCOPY . .\n", [["src/a.js"]])
    assert list(suggestions) == []
    assert suggestions.best is None
    assert str(suggestions) == ""


def test_a_command_without_an_effect_is_named() -> None:
    with pytest.raises(BuildError, match="make all"):
        found("RUN make all\n")


def test_an_engine_without_the_base_is_named() -> None:
    naive, files = "FROM node:20\nCOPY . .\nRUN npm ci\n", {"package.json": 5, "a.js": 7}
    with pytest.raises(ImageNotFoundError, match="No such image: node:20: the engine that is given as bases does not"):
        ls.suggest(naive, files, [["a.js"]], run=RUN, bases=ls.Engine())
    bare = naive.replace("node:20", "scratch")
    assert ls.suggest(bare, files, [["a.js"]], run=RUN, bases=ls.Engine())[0].rule == "manifests first"


def test_a_suggestion_reads_as_a_sentence_and_a_diff() -> None:
    text = str(found("COPY . .\nRUN npm ci\n")[0])
    assert text.startswith(
        "manifests first: saves 120 s, to push 160MB less, image 500B larger\n'RUN npm ci' ran in 4 of 4"
    )
    assert "+COPY package.json ./" in text.splitlines()


def test_progress_is_told_of_every_proposal() -> None:
    told: list[tuple[int, int]] = []
    text = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"
    ls.suggest(text, FILES, EDITS, run=RUN, bases=BASES, progress=lambda done, total: told.append((done, total)))
    assert told
    assert told == [(done, told[0][1]) for done in range(1, told[0][1] + 1)]


def test_a_history_may_begin_before_there_is_anything_to_build() -> None:
    edits: list[Mapping[str, int | None] | list[str]] = [{"package.json": 500}, *EDITS, {"package.json": None}]
    files = {path: size for path, size in FILES.items() if path != "package.json"}
    late = ls.suggest("FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", files, edits, run=RUN, bases=BASES)
    assert [str(one) for one in late] == [str(one) for one in found("COPY . .\nRUN npm ci\n")]
    with pytest.raises(BuildError, match=r"no build of the series succeeds: .*uses 'package.json', which is not there"):
        ls.suggest("FROM node\nCOPY . .\nRUN npm ci\n", files, EDITS, run=RUN, bases=BASES)


def test_arguments_of_builds_that_fail_go_with_them() -> None:
    text = "FROM node\nWORKDIR /app\nARG V\nCOPY package.json ./\nRUN npm ci\n"
    edits: list[Mapping[str, int | None] | list[str]] = [{"package.json": 500}, ["src/a.js"], ["src/a.js"]]
    files = {path: size for path, size in FILES.items() if path != "package.json"}
    (best,) = ls.suggest(text, files, edits, run=RUN, bases=BASES, build_args={"V": ["1", "2", "2", "3"]})
    assert (best.rule, best.saved_seconds) == ("variables late", 30.0)


@pytest.mark.parametrize("seed", range(200, 212))
def test_suggestions_for_random_dockerfiles_make_the_same_image(seed: int) -> None:
    case = draw(seed)
    engine = engine_with_base("overlay2")
    told = ls.replay({"": case.dockerfile}, case.edits, context=case.files, run=RUNS, bases=engine)
    if all(row.error for row in told):
        with pytest.raises(BuildError, match=r"no build of the series succeeds: ."):
            ls.suggest(case.dockerfile, case.files, case.edits, run=RUNS, bases=engine)
        return
    for one in ls.suggest(case.dockerfile, case.files, case.edits, run=RUNS, bases=engine):
        files = case.files | ({".dockerignore": one.ignore.encode()} if one.ignore else {})
        before = engine_with_base("overlay2").build(case.files, case.dockerfile.encode(), run=RUNS)
        after = engine_with_base("overlay2").build(files, one.text.encode(), run=one.run)
        assert _listed(before) == _listed(after), str(one)


def _listed(image: ls.Image) -> list[tuple[object, ...]]:
    view = ls.View(image.layers)
    paths = [
        f"{top}/{name}".replace("//", "/") for top, folders, files in view.walk("/") for name in (*folders, *files)
    ]
    stats = [view.lstat(path) for path in paths]
    return [(path, stat.st_mode, stat.st_uid, stat.st_gid) for path, stat in zip(paths, stats, strict=True)]
