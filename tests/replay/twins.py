"""The same edits through `Engine.build` and through `replay`."""

from __future__ import annotations

import io
import itertools
import tarfile
from typing import TYPE_CHECKING, Literal

import layersim as ls
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.analysis import ReplayRow
    from tests.replay.drawn import Drawn

Builder = Literal["buildkit", "legacy"]


def engine_with_base(profile: str) -> ls.Engine:
    """Return an engine whose clock never stands still, with an image ``base``."""
    seconds = itertools.count(1_700_000_000)
    engine = ls.Engine(profile, clock=lambda: next(seconds) * 10**9)
    engine.import_tar(_rootfs(), "base", config={"Env": ["PATH=/bin"], "Cmd": ["sh"]})
    return engine


def _rootfs() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, size in (("bin/sh", 700), ("etc/passwd", 30), ("opt/tool", 1234)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = size, 0o755
            tar.addfile(entry, io.BytesIO(bytes(size)))
    return target.getvalue()


class Built:
    """Edits, built for real."""

    def __init__(self, engine: ls.Engine, dockerfile: str, run: ls.RunTable, builder: Builder) -> None:
        self._engine, self._dockerfile, self._run, self._builder = engine, dockerfile, run, builder
        self._pushed: set[str] = set()
        self._held: set[str] = set()

    def build(self, files: Mapping[str, bytes]) -> dict[str, object]:
        """Build once; return what a row of a replay says of it."""
        try:
            image = self._engine.build(dict(files), self._dockerfile.encode(), builder=self._builder, run=self._run)
        except BuildError as error:
            return {"error": str(error)}
        # Times of files tell layers apart that were made anew, and files in memory have none: what is below does here.
        layers = dict(zip(image.chain_ids, image.layer_sizes, strict=True))
        told = {
            "ran": tuple(step.instruction for step in image.steps if step.was_run),
            "cached": sum(step.is_cached for step in image.steps),
            "rebuilt_size": sum(step.size for step in image.steps if step.was_run),
            "seconds": image.seconds,
            "push_size": sum(size for layer, size in layers.items() if layer not in self._pushed),
            "pull_size": sum(size for layer, size in layers.items() if layer not in self._held),
            "size": sum(image.layer_sizes),
            "error": "",
        }
        self._pushed |= layers.keys()
        self._held = set(layers)
        return told


def both(
    case: Drawn, run: ls.RunTable, builder: Builder, profile: str
) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Return what the engine did in each build, and what the replay says."""
    engine = engine_with_base(profile)
    replayed = ls.replay(
        {"one": case.dockerfile},
        case.edits,
        context=case.files,
        run=run,
        bases=engine,
        builder=builder,
        profile=profile,
    )
    built, now = Built(engine, case.dockerfile, run, builder), dict(case.files)
    found = []
    for row, edit in zip(replayed, [{}, *case.edits], strict=True):
        for path, data in edit.items():
            now.pop(path, None)
            if data is not None:
                now[path] = data
        theirs = built.build(now)
        found.append((theirs, _of_row(row, theirs)))
    return found


def _of_row(row: ReplayRow, wanted: Mapping[str, object]) -> dict[str, object]:
    return {name: getattr(row, name) for name in wanted}
