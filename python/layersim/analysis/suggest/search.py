"""Trying proposals: what each saves by a replay, and whether the image stays what it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layersim.analysis.replay import Declared
from layersim.analysis.replay.files import File
from layersim.analysis.suggest.ignoring import unneeded_files
from layersim.analysis.suggest.layering import described_at_copy, merged_commands, tools_in_a_stage
from layersim.analysis.suggest.ordering import by_change_rate, late_variables, manifests_first
from layersim.analysis.suggest.study import Study
from layersim.build.context.reading import IGNORE_FILE
from layersim.errors import BuildError, DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from layersim.analysis.replay import ReplayRow, Series
    from layersim.analysis.suggest.equality import Equality
    from layersim.analysis.suggest.script import Script
    from layersim.analysis.suggest.study import Proposal

_RULES = (
    by_change_rate,
    manifests_first,
    late_variables,
    merged_commands,
    described_at_copy,
    tools_in_a_stage,
    unneeded_files,
)


@dataclass(frozen=True)
class Cost:
    """What a series costs with one script.

    Attributes
    ----------
    seconds : float
    pushed : int
        Bytes, of the builds after the edits.
    size : int
        Bytes of the last image.
    failed : int
        Builds.
    """

    seconds: float
    pushed: int
    size: int
    failed: int

    @classmethod
    def of(cls, rows: Sequence[ReplayRow]) -> Cost:
        """Sum up a replay."""
        after = rows[1:]
        size = next((row.size for row in reversed(rows) if row.size), 0)
        failed = sum(bool(row.error) for row in rows)
        return cls(sum(row.seconds for row in after), sum(row.push_size for row in after), size, failed)


@dataclass(frozen=True)
class Found:
    """A proposal that saves something and changes nothing of the image."""

    proposal: Proposal
    before: Cost
    after: Cost

    def score(self, rate: float) -> float:
        """Return what it saves in seconds, bytes counted at a rate a second."""
        bytes_saved = self.before.pushed - self.after.pushed + self.before.size - self.after.size
        return self.before.seconds - self.after.seconds + bytes_saved / rate


class Search:
    """Tries the rules on scripts.

    Parameters
    ----------
    series : Series
        The edits.
    equality : Equality
        Builds for real.
    rate : float
        Bytes that are worth a second.
    progress : callable, optional
        Called with the proposals that were tried and all there are.
    """

    def __init__(
        self,
        series: Series,
        equality: Equality,
        rate: float,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        self._progress = progress
        self._series, self._equality, self.rate = series, equality, rate
        self._last = series.files_after(len(series.edits))
        self._results: dict[tuple[str, str], tuple[Hashable | None, ...]] = {}

    def found(self, script: Script) -> list[Found]:
        """Return what rules find, the best first; of one rule and place only the best."""
        rows = self._rows(script)
        study = Study(script, self._in(script), rows)
        before = Cost.of(rows)
        tried = list(self._better([proposal for rule in _RULES for proposal in rule(study)], before))
        tried.sort(key=lambda one: one.score(self.rate), reverse=True)
        return [one for one in tried if self._is_equal(script, one.proposal.script)]

    def _better(self, proposals: Sequence[Proposal], before: Cost) -> Iterator[Found]:
        for number, proposal in enumerate(proposals, start=1):
            found = self._tried(proposal, before)
            if found is not None:
                yield found
            if self._progress is not None:
                self._progress(number, len(proposals))

    def _tried(self, proposal: Proposal, before: Cost) -> Found | None:
        """Return a proposal with what it saves, if it saves something and no build fails by it."""
        try:
            script = proposal.script.read_again(self._series.dialect)
            after = Cost.of(self._rows(script))
        except (BuildError, DockerfileError):
            return None
        found = Found(replace(proposal, script=script), before, after)
        return found if after.failed <= before.failed and found.score(self.rate) > 0 else None

    def run_of(self, script: Script) -> Declared:
        """Return what does the commands of a script."""
        return Declared(self._series.run.table, script.merged)

    def _in(self, script: Script) -> Series:
        files = dict(self._series.files)
        data = script.ignore.encode()
        if data:
            files[IGNORE_FILE] = File.of(data)
        return replace(self._series, files=files, run=self.run_of(script))

    def _rows(self, script: Script) -> list[ReplayRow]:
        return list(self._in(script).rows("Dockerfile", script.text))

    def _is_equal(self, one: Script, other: Script) -> bool:
        before, after = self._result(one), self._result(other)
        return before == after and None not in after

    def _result(self, script: Script) -> tuple[Hashable | None, ...]:
        key = script.text, script.ignore
        if key not in self._results:
            states = (self._series.files, self._last)
            self._results[key] = tuple(self._equality.result(script, files) for files in states)
        return self._results[key]
