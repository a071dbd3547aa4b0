"""Rules of order: what changes often comes late, what commands read comes before the rest."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, TypeGuard

from layersim.analysis.replay.patterns import sources
from layersim.analysis.suggest.script import Line
from layersim.analysis.suggest.study import Proposal
from layersim.build.dockerfile import Add, Arg, Copy, Env, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from layersim.analysis.suggest.study import Study
    from layersim.build.dockerfile import Instruction

_PLAIN = re.compile(r"[\w./@+-]+")
_MANY = 4


def by_change_rate(study: Study) -> Iterator[Proposal]:
    """Move what is copied behind commands that do not need it, and commands before what they do not need."""
    for places in study.stages():
        for at in (at for at in places if isinstance(study.script.lines[at].instruction, Copy | Add)):
            for to in (to for to in places if to > at and study.step(study.script.lines[to]) is not None):
                yield _moved(study, "order", (at, at), to, _rates(study, at, to))
        for at in (at for at in places if isinstance(study.script.lines[at].instruction, Run)):
            # Nearest first: of places that save the same, the one that changes least is taken.
            for to in (to for to in reversed(places) if to < at):
                busiest = max((one for one in places if to <= one < at), key=study.rate)
                yield _moved(study, "order", (to, at - 1), at, _rates(study, busiest, at))


def _rates(study: Study, first: int, last: int) -> str:
    before, after = study.script.lines[first], study.script.lines[last]
    return f"{before.shown!r} ran in {study.times(before)}, and {after.shown!r} after it in {study.ran[after.shown]}"


def late_variables(study: Study) -> Iterator[Proposal]:
    """Move variables behind the steps that run anew whenever one of them changes."""
    lines = study.script.lines
    for places in study.stages():
        for first, last in _blocks(study, places):
            for to in (to for to in places if to > last and study.step(lines[to]) is not None):
                names = ", ".join(repr(line.shown) for line in lines[first : last + 1])
                why = f"{lines[to].shown!r} ran in {study.times(lines[to])} behind {names}, whose values count for it"
                yield _moved(study, "variables late", (first, last), to, why)


def _blocks(study: Study, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield all runs of neighbouring variables, by their first and last place."""
    lines = study.script.lines
    for first in places:
        for last in range(first, places[-1] + 1):
            if not isinstance(lines[last].instruction, Env | Arg):
                break
            yield first, last


def _moved(study: Study, rule: str, block: tuple[int, int], to: int, why: str) -> Proposal:
    lines = list(study.script.lines)
    first, last = block[0], block[1] + 1
    moved = [*lines[:first], *lines[last : to + 1], *lines[first:last], *lines[to + 1 :]]
    return Proposal(rule, study.script.with_lines(moved), why)


def manifests_first(study: Study) -> Iterator[Proposal]:
    """Copy the files that a command reads before all others, and run it between."""
    lines = study.script.lines
    for places in study.stages():
        copies = [at for at in places if is_of_context(lines[at].instruction)]
        for run in (at for at in places if isinstance(lines[at].instruction, Run)):
            used = study.used(lines[run])
            for copy in (at for at in copies if at < run and used):
                yield from _split(study, copy, run, used)


def is_of_context(instruction: Instruction | None) -> TypeGuard[Copy]:
    """Tell whether an instruction copies from the context."""
    return isinstance(instruction, Copy) and instruction.source_stage is None


def _split(study: Study, copy: int, run: int, used: list[str]) -> Iterator[Proposal]:
    lines = list(study.script.lines)
    there = [line for line in lines[:copy] if line.stage == lines[copy].stage]
    missing = [path for path in used if not any(_copies_it(line, path) for line in there)]
    added = _copies(study, lines[run], missing)
    if added is None or any(line.shown == one.shown for line in lines for one in added):
        return
    command = lines.pop(run)
    lines[copy:copy] = [*added, command]
    why = (
        f"{command.shown!r} ran in {study.times(command)}, but is declared to read "
        f"{_told(whole_folders(used, study.sent))} alone of what {study.script.lines[copy].shown!r} copies"
    )
    yield Proposal("manifests first", study.script.with_lines(lines), why)


def _told(paths: Iterable[str]) -> str:
    return ", ".join(sorted(paths))


def _copies_it(line: Line, path: str) -> bool:
    one = line.instruction
    return is_of_context(one) and any(sources(word)(path) is not None for word in one.sources)


def _copies(study: Study, command: Line, used: Sequence[str]) -> list[Line] | None:
    """Return lines that copy some files to where they are when a command reads them; None where that takes too many."""
    cwd = study.parts(command)[0].step.cwd
    folders: dict[str, list[str]] = {}
    for source, path in whole_folders(used, study.sent).items():
        dest = study.dest(command.stage, path)
        if dest is None or not dest.endswith(path[len(source) :]) or not _PLAIN.fullmatch(source):
            return None
        place = dest.removesuffix(path[len(source) :])
        folders.setdefault(place if source != path else posixpath.dirname(dest), []).append(source)
    texts = [f"COPY {' '.join(paths)} {_relative(folder, cwd)}\n" for folder, paths in folders.items()]
    return [Line(text, command.stage) for text in texts] if len(texts) <= _MANY else None


def _relative(folder: str, cwd: str) -> str:
    if f"{folder}/".startswith(f"{cwd.rstrip('/')}/"):
        return f"./{folder[len(cwd) :].strip('/')}/".replace(".//", "./")
    return f"{folder.rstrip('/')}/"


def whole_folders(used: Iterable[str], sent: Sequence[str]) -> dict[str, str]:
    """Return the highest directories all of whose files are used, and the files beside them.

    Each comes with one of its files, a file with itself.
    """
    wanted = set(used)
    others = {parent for path in sent if path not in wanted for parent in _parents(path)}
    found: dict[str, str] = {}
    for path in sorted(wanted):
        whole = next((parent for parent in _parents(path) if parent not in others), path)
        found.setdefault(whole, path)
    return found


def _parents(path: str) -> list[str]:
    """Return the directories of a path, the highest first; the root is none."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
