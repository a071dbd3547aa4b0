"""A small engine to build in, and what its steps say."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Literal

import layersim as ls
from layersim.build.running import effect, runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layersim.build import Build

Builder = Literal["buildkit", "legacy"]
BUILDERS: tuple[Builder, ...] = ("legacy", "buildkit")
RUN = runs({}, default=effect(writes={"/ran": b"done"}, seconds=2))


class Bench:
    """An engine with one base, and builds of it.

    Parameters
    ----------
    builder : {"buildkit", "legacy"}
    profile : str
    """

    def __init__(self, builder: Builder, profile: str = "docker20") -> None:
        ticks = count(1_700_000_000)
        self.engine = ls.Engine(profile=profile, clock=lambda: next(ticks) * 10**9)
        self.builder = builder
        files = [ls.write(path, b"") for path in ("/etc/hosts", "/etc/resolv.conf")]
        folders = [ls.mkdir(path) for path in ("/dev", "/proc", "/sys")]
        base = ls.Layer.from_changes([ls.write("/bin/sh", b"shell", mode=0o755), *files, *folders])
        self.engine.add_image([base], "base:1")

    def build(
        self,
        dockerfile: str,
        files: Mapping[str, bytes | str] | None = None,
        *,
        tag: str | None = None,
        build_args: Mapping[str, str] | None = None,
        no_cache: bool = False,
    ) -> Build:
        """Build from files in memory; every RUN writes one file."""
        return self.engine.build(
            {"Dockerfile": dockerfile, **(files or {})},
            tag=tag,
            build_args=build_args or {},
            no_cache=no_cache,
            builder=self.builder,
            run=RUN,
        )


def states(build: Build) -> dict[str, str]:
    """Return ``C`` or ``x`` for each step that can be cached, by the first word of its line."""
    told = {}
    for step in build.steps:
        if step.reason.kind not in {"base", "metadata"}:
            told[step.instruction.split()[0]] = "C" if step.is_cached else "x"
    return told
