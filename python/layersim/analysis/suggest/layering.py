"""Rules of size: what a layer holds cannot be taken out of it by a later one."""

from __future__ import annotations

import itertools
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from layersim.analysis.suggest.script import Line
from layersim.analysis.suggest.study import Proposal
from layersim.build.dockerfile import Add, Copy, Run
from layersim.units import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layersim.analysis.suggest.study import Study
    from layersim.build.running import Effect


def merged_commands(study: Study) -> Iterator[Proposal]:
    """Put a command that removes or rewrites what one before it wrote into the same step."""
    lines = study.script.lines
    for places in study.stages():
        for first, second in itertools.combinations([at for at in places if _is_shell(lines[at])], 2):
            yield _merged(study, first, second)


def _is_shell(line: Line) -> bool:
    one = line.instruction
    return isinstance(one, Run) and one.command.is_shell and not one.heredocs and not one.mounts


def _merged(study: Study, first: int, second: int) -> Proposal:
    lines = list(study.script.lines)
    before, after = lines[first], lines[second]
    texts = [_command(before), _command(after)]
    known = study.script.merged
    together = " && ".join(texts)
    parts = tuple(part for text in texts for part in known.get(text, (text,)))
    lines[first] = Line(f"RUN {together}\n", before.stage)
    del lines[second]
    why = (
        f"{after.shown!r} removes or writes again what {before.shown!r} has put into a layer of its own, where it stays"
    )
    return Proposal("delete where it is made", study.script.with_lines(lines, {together: parts}), why)


def _command(line: Line) -> str:
    one = line.instruction
    return one.command.words[0] if isinstance(one, Run) else ""


def described_at_copy(study: Study) -> Iterator[Proposal]:
    """Set owner or mode while copying, in place of a command that copies all bytes again to do so."""
    lines = study.script.lines
    for places in study.stages():
        for at in places:
            flag = _flag(study, lines[at])
            for copy in places[: places.index(at)] if flag else ():
                one = lines[copy].instruction
                if isinstance(one, Copy | Add) and one.chown is None and one.chmod is None:
                    yield _flagged(study, copy, at, flag)


def _flag(study: Study, line: Line) -> str:
    """Return the flag that does what a command does, if it does nothing but set one owner or one mode."""
    parts = study.parts(line)
    effect = parts[0].effect if len(parts) == 1 else None
    if effect is None or not _only_describes(effect):
        return ""
    owners, modes = {ids for _, ids in effect.owners}, {mode for _, mode in effect.modes}
    if len(owners) == 1 and not modes:
        uid, gid = owners.pop()
        return f"--chown={uid}:{gid}"
    return f"--chmod={modes.pop():o}" if len(modes) == 1 and not owners else ""


def _only_describes(effect: Effect) -> bool:
    return not (effect.removes or effect.mkdirs or effect.writes or effect.files or effect.symlinks)


def _flagged(study: Study, copy: int, run: int, flag: str) -> Proposal:
    lines = list(study.script.lines)
    before, command = lines[copy], lines[run]
    keyword, rest = before.shown.split(maxsplit=1)
    lines[copy] = replace(before, text=before.text.replace(before.shown, f"{keyword} {flag} {rest}", 1))
    del lines[run]
    size = human_size(sum(part.copied_up.size for part in study.parts(command)))
    why = f"{command.shown!r} copies {size} into a layer again, only to change what {flag} sets in {before.shown!r}"
    return Proposal("describe at COPY", study.script.with_lines(lines), why)


def tools_in_a_stage(study: Study) -> Iterator[Proposal]:
    """Build in a stage with tools that the image removes again, and copy what was built."""
    lines = study.script.lines
    stages = list(study.stages())
    if len(stages) != 1 or not all(line.stage == 0 for line in lines):
        return
    runs = [at for at in stages[0] if isinstance(lines[at].instruction, Run)]
    for first, last in itertools.combinations(runs, 2):
        if any(part.effect.removes for part in study.parts(lines[last])):
            yield _staged(study, runs, first, last)


def _staged(study: Study, runs: Sequence[int], first: int, last: int) -> Proposal:
    lines = study.script.lines
    within = [at for at in runs if first <= at <= last]
    made = list(dict.fromkeys(path for at in within[1:-1] for path in _outputs(study, lines[at])))
    start, tools, clean = lines[0], lines[first], lines[last]
    build = [Line(f"{start.text.rstrip()} AS build\n", 0), *lines[1:last]]
    copied = [Line(f"COPY --from=build {path} {path}\n", 1) for path in made]
    kept = [line for at, line in enumerate(lines[1:last], start=1) if at not in within]
    final = [Line(f"\n{start.text}", 1), *kept, *copied, *lines[last + 1 :]]
    why = f"what {tools.shown!r} installs is removed again by {clean.shown!r}; a stage of its own leaves it behind"
    return Proposal("tools in a stage", study.script.with_lines([*build, *final]), why)


def _outputs(study: Study, line: Line) -> Iterator[str]:
    for part in study.parts(line):
        names = [path for path, _ in part.effect.writes] + [path for path, _, _ in part.effect.files]
        for path in names:
            yield posixpath.normpath(posixpath.join(part.step.cwd, path))
