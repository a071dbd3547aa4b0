"""The rule of the context: files that change and that nothing needs are not sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from layersim.analysis.suggest.study import Proposal
from layersim.build.context.reading import IGNORE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layersim.analysis.suggest.study import Study


def unneeded_files(study: Study) -> Iterator[Proposal]:
    """Name in ``.dockerignore`` what changes and is in no image."""
    counted = Counter(pattern for edit in study.series.edits for pattern in _patterns(edit.paths))
    for pattern, count in sorted(counted.items()):
        if pattern in study.script.ignore.splitlines():
            continue
        text = study.script.ignore
        text += "" if not text or text.endswith("\n") else "\n"
        why = f"{count} of {study.edits} edits change {pattern}, which no command reads and no image has"
        yield Proposal("ignore", replace(study.script, ignore=f"{text}{pattern}\n"), why)


def _patterns(paths: Iterable[str]) -> set[str]:
    """Return patterns that name some paths: the directory or file at the top, and names that end alike."""
    found: set[str] = set()
    for path in paths:
        if path == IGNORE_FILE:
            continue
        found.add(path.split("/", 1)[0])
        stem, dot, ending = path.rpartition("/")[2].rpartition(".")
        if stem and dot:
            found.add(f"**/*.{ending}")
    return found
