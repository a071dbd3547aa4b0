"""Prints every row: `python -m benches [--quick] [--json] [GROUP ...]`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from benches import archives, builds, containers, lookups, mixes, replays, sharing, states, unions
from layersim import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benches.row import Row

GROUPS: dict[str, Callable[[Path, float], Iterator[Row]]] = {
    "hash": archives.hashing,
    "open": archives.opening,
    "index": archives.indexing,
    "gzip": archives.compressed,
    "save": archives.saving,
    "merge": archives.merging,
    "lookup": lookups.batches,
    "union": unions.beside_unions,
    "container": containers.starting,
    "copy-up": containers.copying_up,
    "mix": mixes.mixing,
    "changes": containers.changing,
    "shared-base": containers.sharing,
    "df": containers.accounting,
    "open-state": states.opening,
    "save-state": states.saving,
    "marginal": sharing.freeing,
    "replay": replays.replaying,
    "build": builds.building,
}
_VERDICTS = {True: "ok", False: "SHORT", None: ""}


def main() -> int:
    """Measure the groups that were asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="benches", description="Benchmarks, each beside its peer in the same run.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"some of: {' '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: for a first look, not for figures")
    parser.add_argument("--json", action="store_true", help="one object per line")
    arguments = parser.parse_args()
    if unknown := set(arguments.groups) - GROUPS.keys():
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {' '.join(GROUPS)}")
    if _core.BUILD_PROFILE != "release":
        parser.error(f"the core is a {_core.BUILD_PROFILE} build: run `make setup`")
    if not arguments.json:
        print(f"{'WORK':<48} {'PEER':<32} {'OURS':>13} {'PEER':>13}  {'VALUE':>11}  PROMISE")
    short = 0
    for name in arguments.groups or GROUPS:
        with tempfile.TemporaryDirectory(prefix="layersim-bench-") as folder:
            for row in GROUPS[name](Path(folder), 0.1 if arguments.quick else 1.0):
                print(json.dumps(asdict(row)) if arguments.json else shown(row), flush=True)
                short += row.is_met is False
    if short:
        print(f"{short} rows are short of their promise", file=sys.stderr)
    return 0


def shown(row: Row) -> str:
    """Return one line of the table."""
    ours, theirs = (f"{value:,.3f} {row.unit}" for value in (row.ours, row.theirs))
    unit = row.promise.split()[-1] if row.promise else "x"
    return (
        f"{row.work:<48} {row.peer:<32} {ours:>13} {theirs:>13}  {row.value:>8,.2f} {unit:<3}"
        f" {row.promise:<12} {_VERDICTS[row.is_met]}"
    ).rstrip()


if __name__ == "__main__":
    sys.exit(main())
