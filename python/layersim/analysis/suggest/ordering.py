"""Rules of order: what changes often comes late, what commands read comes before the rest."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from layersim.analysis.suggest.script import Line
from layersim.analysis.suggest.study import Proposal
from layersim.build.dockerfile import Add, Arg, Copy, Env, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.analysis.suggest.study import Study

_PLAIN = re.compile(r"[\w./@+-]+")
_MANY = 12


def by_change_rate(study: Study) -> Iterator[Proposal]:
    """Move what is copied behind commands that do not need it."""
    yield from _later(study, "order", (Copy, Add, Run))


def late_variables(study: Study) -> Iterator[Proposal]:
    """Move variables behind the steps that run anew whenever one of them changes."""
    yield from _later(study, "variables late", (Env, Arg))


def _later(study: Study, rule: str, kinds: tuple[type, ...]) -> Iterator[Proposal]:
    lines = study.script.lines
    for places in study.stages():
        for first, at in enumerate(places):
            if not isinstance(lines[at].instruction, kinds):
                continue
            for to in places[first + 1 :]:
                if study.step(lines[to]) is not None:
                    yield _moved(study, rule, at, to)


def _moved(study: Study, rule: str, at: int, to: int) -> Proposal:
    lines = list(study.script.lines)
    moved, passed = lines[at], lines[to]
    lines.insert(to, lines.pop(at))
    why = f"{moved.shown!r} changes with more edits than {passed.shown!r}, which ran in {study.times(passed)} behind it"
    return Proposal(rule, study.script.with_lines(lines), why)


def manifests_first(study: Study) -> Iterator[Proposal]:
    """Copy the files that a command reads before all others, and run it between."""
    lines = study.script.lines
    for places in study.stages():
        copies = [at for at in places if isinstance(lines[at].instruction, Copy)]
        for run in (at for at in places if isinstance(lines[at].instruction, Run)):
            used = study.used(lines[run])
            if used and len(used) <= _MANY and all(map(_PLAIN.fullmatch, used)):
                for copy in (at for at in copies if at < run):
                    yield from _split(study, copy, run, used)


def _split(study: Study, copy: int, run: int, used: list[str]) -> Iterator[Proposal]:
    lines = list(study.script.lines)
    added = _copies(study, lines[copy], used)
    if added is None or any(line.shown == one.shown for line in lines for one in added):
        return
    command = lines.pop(run)
    lines[copy:copy] = [*added, command]
    why = (
        f"{command.shown!r} ran in {study.times(command)}, but is declared to read {', '.join(used)} alone"
        f" of what {study.script.lines[copy].shown!r} copies"
    )
    yield Proposal("manifests first", study.script.with_lines(lines), why)


def _copies(study: Study, line: Line, used: list[str]) -> list[Line] | None:
    """Return lines that copy some files to where a line copies them."""
    folders: dict[str, list[str]] = {}
    for path in used:
        dest = study.dest(line.stage, path)
        if dest is None or posixpath.basename(dest) != posixpath.basename(path):
            return None
        folders.setdefault(posixpath.dirname(dest), []).append(path)
    texts = [f"COPY {' '.join(paths)} {folder.rstrip('/')}/\n" for folder, paths in folders.items()]
    return [Line(text, line.stage) for text in texts]
