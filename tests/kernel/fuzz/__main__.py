"""The fuzzer as a program: seed after seed until one of them fails, is shrunk, and is printed as Python."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, field

from tests.kernel.fuzz.case import Case, DivergenceError, run
from tests.kernel.fuzz.shrink import divergence, shrink
from tests.kernel.fuzz.worker import Worker

LENGTH = 200


@dataclass
class Campaign:
    """How far it has come."""

    length: int
    began: float = field(default_factory=time.monotonic)
    cases: int = 0
    operations: int = 0
    failures: list[int] = field(default_factory=list)

    @property
    def minutes(self) -> float:
        return (time.monotonic() - self.began) / 60

    def try_seed(self, seed: int, worker: Worker) -> None:
        case = Case.of_seed(seed, self.length)
        try:
            run(case, worker)
            found = None
        except DivergenceError as error:
            found = error
        self.cases += 1
        self.operations += len(case.operations)
        if found is not None:
            self.failures.append(seed)
            print(f"seed {seed}: {found}\nshrinking ...", flush=True)
            smaller = shrink(case, worker)
            print(f"{smaller}# seed {seed}, {self.length} operations: {divergence(smaller, worker)}", flush=True)

    def __str__(self) -> str:
        failed = f"failing seeds {self.failures}" if self.failures else "no divergence"
        return f"{self.cases} stacks, {self.operations} operations, {self.minutes:.1f} minutes: {failed}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kernel.fuzz",
        description="Random stacks and operations, the same on the kernel's overlayfs and on layersim, without end. "
        "A divergence is shrunk and printed with its seed. Needs root, to mount. Ctrl-C ends it with a summary.",
    )
    parser.add_argument("--seed", type=int, default=None, help="try this seed alone")
    parser.add_argument("--first", type=int, default=None, help="the seed to start from (default: from the clock)")
    parser.add_argument("--operations", type=int, default=LENGTH, help="operations of each seed (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=None, help="end after so many (default: never)")
    parser.add_argument("--failures", type=int, default=1, help="end after so many seeds failed (default: %(default)s)")
    return parser


def main() -> int:
    """Run the seeds that are asked for."""
    asked = _parser().parse_args()
    if os.geteuid() != 0:
        print("the fuzzer mounts overlays and makes device nodes: run it as root", file=sys.stderr)
        return 2
    campaign = Campaign(asked.operations)
    try:
        with Worker() as worker:
            _run(campaign, asked, worker)
    except KeyboardInterrupt:
        print()
    print(campaign)
    return 1 if campaign.failures else 0


def _run(campaign: Campaign, asked: argparse.Namespace, worker: Worker) -> None:
    if asked.seed is not None:
        campaign.try_seed(asked.seed, worker)
        return
    seed = int(time.time()) * 1000 if asked.first is None else asked.first
    while len(campaign.failures) < asked.failures and (asked.minutes is None or campaign.minutes < asked.minutes):
        campaign.try_seed(seed, worker)
        seed += 1
        if campaign.cases % 100 == 0:
            print(campaign, flush=True)


if __name__ == "__main__":
    sys.exit(main())
